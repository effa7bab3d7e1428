"""What `--help` costs next to Django's own commands."""

import statistics
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.databases import CACHE, Sqlite
from tests.benchmarks.libraries import site
from tests.benchmarks.measuring import in_turns, manage
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

OURS = "cleanup_orphaned_media"
DJANGOS = ("migrate", "flush", "dumpdata", "createsuperuser", "collectstatic")


def groups(_: Scope) -> Iterator[Group]:
    """One row: no database is asked."""
    row = Row(
        what=f"manage.py {OURS} --help",
        to=f"--help of {len(DJANGOS)} of Django's",
        target=Target(ratio=1.05),
    )
    yield Group(rows=(row,), measure=measure)


def measure() -> list[Figures]:
    """The figures of the row; the reference is the median of Django's commands."""
    environment = site(Sqlite("none"), CACHE)
    results = in_turns({name: partial(manage, environment, name, "--help") for name in (OURS, *DJANGOS)})
    ours, djangos = results[OURS], statistics.median(results[name].seconds for name in DJANGOS)
    return [Figures(seconds=ours.seconds, ratio=ours.seconds / djangos, peak_mb=ours.peak_mb, runs=ours.runs)]
