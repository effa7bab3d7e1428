"""All that is measured, in the order of the table."""

from collections.abc import Callable, Iterator

from tests.benchmarks import (
    answers,
    gone,
    log,
    moves,
    removal,
    scan,
    sisters,
    startup,
    stores,
    watcher,
    watcher_memory,
    writes,
)
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Group

CASES: dict[str, Callable[[Scope], Iterator[Group]]] = {
    "scan": scan.groups,
    "log": log.groups,
    "help": startup.groups,
    "removal": removal.groups,
    "writes": writes.groups,
    "gone": gone.groups,
    "sisters": sisters.groups,
    "watcher": watcher.groups,
    "memory": watcher_memory.groups,
    "moves": moves.groups,
    "stores": stores.groups,
    "answers": answers.groups,
}
EVERYTHING = Scope()


def groups(names: list[str], scope: Scope) -> Iterator[Group]:
    """The groups of these cases."""
    return (group for name in names for group in CASES[name](scope))
