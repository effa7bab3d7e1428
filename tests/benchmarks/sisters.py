"""The sister commands against a bare `find`, and a read of the columns that hold names.

The library of the scan lacks 1 % of its files; here it also lacks 1 % of its records, whose files nothing names.
"""

from collections.abc import Callable, Iterator

from tests.benchmarks.databases import Kind
from tests.benchmarks.libraries import ONE_ORPHAN_IN, Layout, Library, library
from tests.benchmarks.measuring import Sample, in_turns, manage, module, side
from tests.benchmarks.scan import checked, figures
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

BARE = {
    "bare": "limit: find, then the columns by the driver",
    "bare_in_django": "limit: find, then values_list() of the columns",
}
COMMANDS = {
    "cleanup_unused_files": ("cleanup_unused_files", "--dry-run", "--min-age", "0", "--log-format", "none"),
    "check_media_integrity": ("check_media_integrity", "--log-format", "none"),
}
TARGET_SIZE = 1_000_000
TARGETS = {"cleanup_unused_files": Target(ratio=1.5)}


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a library."""
    for kind, layout, size in scope.libraries():
        yield Group(rows=rows(kind, layout, size), measure=measuring(size, layout, kind))


def rows(kind: Kind, layout: Layout, size: int) -> tuple[Row, ...]:
    """The reference first, then the commands."""

    def row(what: str, to: str = "", target: Target | None = None) -> Row:
        return Row(what=what, size=size, layout=str(layout), database=kind.label, to=to, target=target)

    targets = TARGETS if size == TARGET_SIZE else {}
    limits = (row(words) for words in BARE.values())
    return (*limits, *(row(name, "find and values_list()", targets.get(name)) for name in COMMANDS))


def measuring(size: int, layout: Layout, kind: Kind) -> Callable[[], list[Figures]]:
    """Measures all sides on one library, by turns."""

    def measure() -> list[Figures]:
        with library(size, layout, kind).copied() as copy:
            module(copy.environment(), "sisters")
            return compare(copy)

    return measure


def compare(made: Library) -> list[Figures]:
    """The figures of the rows; raises NotMeasuredError if a command did not find what there is to find."""
    environment, unused = made.environment(), made.size // ONE_ORPHAN_IN
    answers = {"cleanup_unused_files": f"{unused:,} files", "check_media_integrity": f"{made.orphans:,}"}

    def limit(name: str) -> Callable[[], Sample]:
        return lambda: side(environment, "references", name)

    def command(name: str) -> Callable[[], Sample]:
        return lambda: checked(manage(environment, *COMMANDS[name]), answers[name], name)

    results = in_turns(
        {name: limit(name) for name in BARE}
        | {name: command(name) for name in COMMANDS}
        | {"check": lambda: manage(environment, "check")}
    )
    bare, start_up = results["bare_in_django"].seconds, results["check"].seconds
    return [
        *(figures(results[name]) for name in BARE),
        *(figures(results[name], (results[name].seconds - start_up) / bare, start_up=start_up) for name in COMMANDS),
    ]


def main() -> None:
    """Takes the records out whose files are to be unused."""
    import django

    django.setup()
    from django.db.models import F

    from deploy.gallery.models import Photo

    numbered = Photo.objects.annotate(rest=F("id") % ONE_ORPHAN_IN)
    numbered.filter(rest=ONE_ORPHAN_IN // 2)._raw_delete("default")  # type: ignore[attr-defined]
    print("{}")


if __name__ == "__main__":
    main()
