"""Which events stay in the table when the log is pruned, because answers are still read from them.

All events of a name that a record has now stay, and of the directories above it; so does what moves are followed by:
the moves themselves, and the events of all names that they touch. What `audit_log` tells of runs and prunes stays,
and so does all that runs have told which did not reach their end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from auditor.auditlog.departures import TYPES
from auditor.auditlog.digests import rows_between
from auditor.auditlog.events import LONGEST_PATH, DirectoryMoved, FileMoved, LogPruned, RunCompleted, is_too_long
from auditor.models import Event, Root, Run
from auditor.orphans import references
from auditor.orphans.registry import audited_models
from auditor.orphans.trails import above

MOVES = (FileMoved.type, DirectoryMoved.type)
ALWAYS = (RunCompleted.type, LogPruned.type, *MOVES)
OF_FILES = tuple(one.type for one in TYPES)
READ_AT_ONCE = 10_000

Path = tuple[int | None, str]  # root, path


@dataclass(slots=True)
class Touched:
    """The names that moves touch: at both of their ends, above these, and below a directory that was moved."""

    names: set[Path] = field(default_factory=set)
    folders: set[Path] = field(default_factory=set)

    def has(self, root: int | None, path: str) -> bool:
        """Whether a move touches this name."""
        return (root, path) in self.names or any((root, one) in self.folders for one in above(path))


def touched(using: str) -> Touched:
    """What all moves touch that the log knows, archived or not: they stay."""
    found = Touched()
    for _, root, kind, path, data in _moves(using):
        for end in (path, data["to"]):
            found.names.update((root, one) for one in (end, *above(end)))
            if kind == DirectoryMoved.type:
                found.folders.add((root, end))
    return found


def kept_positions(until: int, moved: Touched, *, using: str) -> list[int]:
    """The positions up to `until` of those events in the table that have to stay, in order."""
    rows = [
        (position, kind, root, path, run)
        for position, kind, _, root, path, _, run, _ in rows_between(0, until, using=using)
    ]
    named = _named({(root, path) for _, _, root, path, _ in rows if path}, using)
    unfinished = {form for run in _unfinished_runs(using) for form in (run, run.hex)}  # as the drivers give it
    return [
        position
        for position, kind, root, path, run in rows
        if kind in ALWAYS or (root, path) in named or (kind in OF_FILES and moved.has(root, path)) or run in unfinished
    ]


def _unfinished_runs(using: str) -> set[UUID]:
    """The runs that did not reach their end: the next one reads what they told, and settles it."""
    finished = Event.objects.using(using).filter(type=RunCompleted.type, run_id__isnull=False)
    runs = Run.objects.using(using).values_list("uid", flat=True)
    return set(runs) - set(finished.values_list("run_id", flat=True))


def _moves(using: str) -> Iterator[tuple[Any, ...]]:
    for kind in MOVES:
        moves, after = Event.objects.using(using).filter(type=kind).order_by("position"), 0
        columns = moves.values_list("position", "root", "type", "path", "data")
        while found := list(columns.filter(position__gt=after)[:READ_AT_ONCE]):
            yield from found
            after = found[-1][0]


def _named(paths: set[Path], using: str) -> set[Path]:
    """Those of the paths that a record names now, or below which a record names something."""
    numbers: dict[str, int] = dict(Root.objects.using(using).values_list("path", "pk"))
    found: set[Path] = set()
    for root, name in _names_in_records(using):
        number = numbers.get(root)
        if number is not None:
            found.update((number, one) for one in (_stored(name), *above(name)) if (number, one) in paths)
    return found


def _names_in_records(using: str) -> Iterator[tuple[str, str]]:
    """(root, name) of every reference."""
    for audited in references.in_database(audited_models(), using):
        roots = [one.root for one in audited.fields]
        for rows in references.read_all(audited, using):
            for _, *names in rows:
                yield from ((root, name) for root, name in zip(roots, names, strict=False) if root and name)


def _stored(name: str) -> str:
    """The path under which the log keeps the events of a name."""
    return name[: LONGEST_PATH // 4] if is_too_long(name) else name
