"""The scan route against the loop one would write first, and against the limit."""

from collections.abc import Callable, Iterator

from tests.benchmarks.databases import Kind
from tests.benchmarks.libraries import Layout, Library, library
from tests.benchmarks.measuring import Measured, NotMeasuredError, Sample, in_turns, manage, side
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

COMMAND = ("cleanup_orphaned_media", "--dry-run", "--route", "scan", "--log-format", "none")
LIMITS = {"tools": "limit: find and the column, sort, comm", "sets": "limit: find, the column, set difference"}
LOOPS = {"loop": "loop over objects.all(), os.path.exists()", "values_list": "values_list(), storage.exists()"}
SCAN = "cleanup_orphaned_media, scan route"
THE_LIMIT, THE_SCAN = "the faster limit", "the scan route"
# The layout is nothing to a loop that asks for each file, and the first one takes minutes.
LOOPS_IN = {Layout.FOLDERS: ("loop", "values_list"), Layout.FLAT: ("values_list",)}
TARGET_SIZE = 1_000_000
LOOP_TARGETS = {"loop": Target(ratio_at_least=16)}
TARGETS = {Layout.FOLDERS: Target(ratio=1.5, peak_mb=100), Layout.FLAT: Target(ratio=1.8, peak_mb=200)}


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a library."""
    for kind, layout, size in scope.libraries():
        yield Group(rows=rows(kind, layout, size), measure=measuring(size, layout, kind))


def rows(kind: Kind, layout: Layout, size: int) -> tuple[Row, ...]:
    """The references first, then the command."""
    is_target = size == TARGET_SIZE

    def row(what: str, to: str, target: Target | None = None) -> Row:
        return Row(
            what=what,
            size=size,
            layout=layout,
            database=kind.label,
            to=to,
            target=target if is_target else None,
        )

    return (
        *(row(LOOPS[name], THE_SCAN, LOOP_TARGETS.get(name)) for name in LOOPS_IN[layout]),
        *(row(words, THE_LIMIT) for words in LIMITS.values()),
        row(SCAN, THE_LIMIT, TARGETS[layout]),
    )


def measuring(size: int, layout: Layout, kind: Kind) -> Callable[[], list[Figures]]:
    """Measures all sides on one library, by turns."""
    return lambda: measure(library(size, layout, kind))


def measure(made: Library) -> list[Figures]:
    """The figures of `rows`; raises NotMeasuredError if two sides do not agree."""
    environment = made.environment()

    def reference(name: str) -> Callable[[], Sample]:
        return lambda: checked(side(environment, "references", name), f'"orphans": {made.orphans},', name)

    found = f"Photos: {made.orphans} orphaned out of {made.size} total"
    results = in_turns(
        {name: reference(name) for name in (*LOOPS_IN[made.layout], *LIMITS)}
        | {
            "scan": lambda: checked(manage(environment, *COMMAND), found, SCAN),
            "check": lambda: manage(environment, "check"),
        }
    )
    start_up = results["check"].seconds
    scan = results["scan"].seconds - start_up
    limit = min(results[name].seconds for name in LIMITS)
    return [
        *(figures(results[name], results[name].seconds / scan) for name in LOOPS_IN[made.layout]),
        *(figures(results[name], results[name].seconds / limit) for name in LIMITS),
        figures(results["scan"], scan / limit, start_up=start_up),
    ]


def figures(measured: Measured, ratio: float | None = None, *, start_up: float = 0.0) -> Figures:
    """The figures of one side, start-up taken off."""
    return Figures(
        seconds=measured.seconds - start_up,
        start_up=start_up,
        ratio=ratio,
        peak_mb=measured.peak_mb,
        runs=measured.runs,
    )


def checked(sample: Sample, answer: str, name: str) -> Sample:
    """The sample; raises NotMeasuredError if it did not find what there is to find."""
    if answer not in sample.text:
        raise NotMeasuredError(f"{name} did not say {answer!r}")
    return sample
