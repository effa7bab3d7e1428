"""What the journal costs the host's own writes: `python -m tests.benchmarks.writes with|without`.

The journal is what the triggers on the table keep; without them, nothing is kept.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

from tests.benchmarks.databases import CACHE, Kind
from tests.benchmarks.libraries import Layout, library
from tests.benchmarks.measuring import Sample, in_turns, side
from tests.benchmarks.scan import figures
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target
from tests.benchmarks.watched_site import running_watcher

WRITTEN = 10_000
LIBRARY = 10_000
WHAT = "the host's bulk_create() of 10,000 rows"
WITHOUT, WITH = f"{WHAT}, without the journal", f"{WHAT}, with it"
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass",
}


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a database."""
    for kind in scope.kinds:
        yield Group(
            rows=(
                Row(what=WITHOUT, size=LIBRARY, database=kind.label),
                Row(what=WITH, size=LIBRARY, database=kind.label, to="without", target=Target(ratio=1.3)),
            ),
            measure=partial(compare, kind),
        )


def compare(kind: Kind) -> list[Figures]:
    """The figures of the rows, in a library that a watcher has compared once."""
    with library(LIBRARY, Layout.FOLDERS, kind).copied() as copy:
        with running_watcher(copy.environment(), CACHE / "watcher.log"):
            pass  # it makes its first checkpoint, and whatever it needs for the journal
        triggers: list[int] = []

        def write(name: str) -> Sample:
            sample = side(copy.environment(), "writes", name)
            triggers.append(json.loads(sample.text)["triggers"])
            return sample

        results = in_turns({name: partial(write, name) for name in ("without", "with")})
    without, with_it = results["without"], results["with"]
    measured = figures(with_it, with_it.seconds / without.seconds)
    if not max(triggers):
        return [figures(without), Figures(seconds=with_it.seconds, runs=with_it.runs, note="there is no journal")]
    return [figures(without), measured]


def main(name: str) -> None:
    """Writes once, with the triggers or without, and prints what it took as JSON."""
    import django

    django.setup()
    from django.db import transaction

    from deploy.gallery.models import Album, Photo

    album, unique = Album.objects.all()[0], uuid4().hex
    photos = [Photo(image=f"new/{unique}-{number}.jpg", album=album) for number in range(WRITTEN)]
    with triggers(Photo._meta.db_table, are_on=name == "with") as count:
        begun = time.perf_counter()
        with transaction.atomic():
            Photo.objects.bulk_create(photos)
        seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "triggers": count}))


@contextmanager
def triggers(table: str, *, are_on: bool) -> Iterator[int]:
    """How many triggers the table has; unless they are to be on, they are not there until the end."""
    from django.db import connection

    from auditor.journal import triggers as journal
    from auditor.orphans.journaled import audited_columns

    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS[connection.vendor], [table])
        count = len(cursor.fetchall())
    if not are_on:
        journal.remove(using="default")
    yield count
    if not are_on:
        journal.install(audited_columns("default"), using="default")


if __name__ == "__main__":
    main(sys.argv[1])
