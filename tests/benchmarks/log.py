"""The log route, while a real watcher runs: files are removed with `rm`, and a dry run tells of them."""

import time
from collections.abc import Callable, Iterator

from tests.benchmarks.databases import CACHE, Kind
from tests.benchmarks.libraries import Layout, Library, library
from tests.benchmarks.measuring import NotMeasuredError, Sample, in_turns, manage
from tests.benchmarks.scan import checked
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target
from tests.benchmarks.watched_site import running_watcher

COMMAND = ("cleanup_orphaned_media", "--dry-run", "--log-format", "none")
FEW, MANY = 571, 100_000
TARGETS = {FEW: Target(seconds=0.15, growth=1.2), MANY: Target(seconds=3.0)}
COMPLETE = "Audit log: complete up to"
PATIENCE_SECONDS = 60.0


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a library and a number of deletions that leaves most of it."""
    for kind in scope.kinds:
        for deletions in TARGETS:
            for size in scope.sizes:
                if deletions < size:
                    yield Group(rows=(row(kind, size, deletions),), measure=measuring(kind, size, deletions))


def row(kind: Kind, size: int, deletions: int) -> Row:
    """The row of one library."""
    return Row(
        what=f"cleanup_orphaned_media, log route, {deletions:,} deletions",
        size=size,
        layout=str(Layout.FOLDERS),
        database=kind.label,
        to="manage.py check",
        target=TARGETS[deletions],
        grows_whole=deletions == FEW,
    )


def measuring(kind: Kind, size: int, deletions: int) -> Callable[[], list[Figures]]:
    """Measures one library, of which nothing else is missing."""

    def measure() -> list[Figures]:
        made = library(size, Layout.FOLDERS, kind)
        with made.whole(), made.copied() as copy:
            return [with_deletions(copy, deletions)]

    return measure


def with_deletions(made: Library, deletions: int) -> Figures:
    """The figures of dry runs after so many deletions, under the eyes of a watcher that runs on."""
    environment = made.environment()
    step = made.size / deletions
    wanted = {round(number * step) for number in range(deletions)}
    names = [one for number, one in enumerate(made.names()) if number in wanted]
    found = f"Photos: {deletions} orphaned out of {made.size} total"
    with running_watcher(environment, CACHE / "watcher.log"), made.without(names):
        wait_for_the_log(environment, found)
        results = in_turns(
            {
                "log": lambda: checked(checked(manage(environment, *COMMAND), found, "the log"), COMPLETE, "the log"),
                "check": lambda: manage(environment, "check"),
            }
        )
    log, check = results["log"], results["check"]
    return Figures(
        seconds=log.seconds - check.seconds,
        start_up=check.seconds,
        ratio=log.seconds / check.seconds,
        peak_mb=log.peak_mb,
        runs=log.runs,
    )


def wait_for_the_log(environment: dict[str, str], found: str) -> Sample:
    """The first dry run that knows all deletions from the log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        sample = manage(environment, *COMMAND)
        if found in sample.text and COMPLETE in sample.text:
            return sample
        time.sleep(0.5)
    raise NotMeasuredError(f"the log did not say {found!r} within {PATIENCE_SECONDS:.0f} s")
