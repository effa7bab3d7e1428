"""Everything is gone: all records are orphans, told as text and as JSON, and deleted."""

import shutil
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.databases import CACHE, Kind
from tests.benchmarks.libraries import Layout, library, site
from tests.benchmarks.measuring import NotMeasuredError, Sample, manage
from tests.benchmarks.scan import checked
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

COMMAND = "cleanup_orphaned_media"
MEDIA = CACHE / "gone" / "media"
TARGET = Target(peak_mb=2_000, growth=15)  # from a tenth of the records: n log n is below, n² is 100
WAYS = ("told as text", "told as JSON", "deleted")


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a library."""
    for kind in scope.kinds:
        for size in scope.sizes:
            rows = (Row(what=f"all gone, {way}", size=size, database=kind.label, target=TARGET) for way in WAYS)
            yield Group(rows=tuple(rows), measure=partial(measure, kind, size))


def measure(kind: Kind, size: int) -> list[Figures]:
    """The figures of the rows, each taken once, in a media folder that holds nothing but its marker."""
    shutil.rmtree(MEDIA, ignore_errors=True)
    MEDIA.mkdir(parents=True)
    with library(size, Layout.FOLDERS, kind).copied() as copy:
        environment = site(copy.database, MEDIA)
        manage(environment, "register_media_root", "--replace", str(MEDIA))
        check = manage(environment, "check")
        found = f"Photos: {size} orphaned out of {size} total"
        text = checked(manage(environment, COMMAND, "--dry-run", "--log-format", "none"), found, "the text")
        json = manage(environment, COMMAND, "--dry-run", "--json", "--log-format", "none")
        if json.lines < size:
            raise NotMeasuredError(f"the JSON has {json.lines:,} lines for {size:,} orphans")
        deleted = manage(environment, COMMAND, "--force", "--log-format", "none")
        checked(deleted, f"Total deleted: {size}", "the deletion")
    return [_figures(sample, check) for sample in (text, json, deleted)]


def _figures(sample: Sample, check: Sample) -> Figures:
    return Figures(seconds=sample.seconds - check.seconds, start_up=check.seconds, peak_mb=sample.peak_mb)
