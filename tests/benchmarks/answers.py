"""Every question to a long audit log, asked as a user asks it.

The log has ten times as many events as a library has files.
"""

from collections.abc import Callable, Iterator
from functools import partial

from tests.benchmarks.databases import CACHE, Kind
from tests.benchmarks.libraries import made_database, site
from tests.benchmarks.logs import is_move, is_of_record, path, run_of
from tests.benchmarks.measuring import Sample, in_turns, manage
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

EVENTS_A_RECORD = 10
MOST_PRUNED = 1_000_000  # events: to prune more takes the same time for each
LISTING = Target(seconds=0.5)
VERIFIED_A_SECOND = 100_000
QUIET = ("--log-format", "none")


def groups(scope: Scope) -> Iterator[Group]:
    """On each database, for each size: the listings, then what reads everything."""
    for kind in scope.kinds:
        for size in scope.sizes:
            events = EVENTS_A_RECORD * size
            rows = [named(question, events, kind, LISTING) for question in questions(events)]
            rows.append(named("verify --full", events, kind, Target(seconds=events / VERIFIED_A_SECOND)))
            rows.append(named("export", events, kind))
            if events <= MOST_PRUNED:
                rows.append(named("prune", events, kind))
            yield Group(rows=tuple(rows), measure=partial(measure, events, kind))


def named(question: str, events: int, kind: Kind, target: Target | None = None) -> Row:
    return Row(what=f"audit_log {question}", size=events, database=kind.label, target=target)


def questions(events: int) -> dict[str, tuple[str, ...]]:
    """{what the table calls it: its arguments}, all about the middle of the log."""
    middle = events // 2
    lost = middle + next(number for number in range(50) if not is_move(middle + number))
    moved = middle + next(number for number in range(50) if is_move(middle + number))
    deleted = middle + next(number for number in range(50) if is_of_record(middle + number))
    folder, _, _ = path(middle).rpartition("/")
    return {
        "show": ("show",),
        "show --type": ("show", "--type", "record.deleted"),
        "show --name": ("show", "--name", path(lost)),
        "show --prefix": ("show", "--prefix", f"{folder}/"),
        "show --run": ("show", "--run", str(run_of(deleted, events))),
        "show --since --until": ("show", "--since", "2026-01-01", "--until", "2100-01-01"),
        "show --before": ("show", "--before", str(middle)),
        "why, of a lost file": ("why", path(lost)),
        "why, of a moved file": ("why", path(moved)),
        "spans": ("spans",),
        "runs": ("runs",),
        "stats": ("stats",),
    }


def measure(events: int, kind: Kind) -> list[Figures]:
    """The figures of a group; what reads everything is run once."""
    media = CACHE / "log" / "media"
    media.mkdir(parents=True, exist_ok=True)
    database = made_database(f"log_{events}", kind, media, "logs", str(events))
    asked = partial(manage, site(database, media))
    sides: dict[str, Callable[[], Sample]] = {
        question: partial(asked, "audit_log", *arguments, *QUIET) for question, arguments in questions(events).items()
    }
    taken = in_turns(sides | {"check": partial(asked, "check")})
    start_up = taken.pop("check").seconds
    figures = [
        Figures(seconds=max(0.0, one.seconds - start_up), start_up=start_up, peak_mb=one.peak_mb, runs=one.runs)
        for one in taken.values()
    ]
    whole = [asked("audit_log", "verify", "--full", *QUIET), asked("audit_log", "export")]
    if events <= MOST_PRUNED:
        whole.append(pruned(events, kind))
    return figures + [rated(one, start_up, events) for one in whole]


def pruned(events: int, kind: Kind) -> Sample:
    """A prune of a copy of the log."""
    media = CACHE / "log" / "media"
    archive = CACHE / "archive"
    archive.mkdir(exist_ok=True)
    copy = made_database(f"log_{events}", kind, media, "logs", str(events)).copy("copy")
    try:
        return manage(
            site(copy, media), "audit_log", "prune", "--before", "2100-01-01", "--into", str(archive), *QUIET
        )
    finally:
        copy.drop()
        for file in archive.iterdir():
            file.unlink()


def rated(sample: Sample, start_up: float, events: int) -> Figures:
    seconds = max(0.0, sample.seconds - start_up)
    note = f"{events / seconds:,.0f} events/s" if seconds else ""
    return Figures(seconds=seconds, start_up=start_up, peak_mb=sample.peak_mb, note=note)
