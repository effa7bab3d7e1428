"""What it costs to follow 100,000 moved files by the audit log, and to propose them without it.

A folder of 100,000 files was moved as one; then each file was moved once more by itself.
`python -m tests.benchmarks.moves` measures it once, on the site of its environment.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks.databases import Sqlite
from tests.benchmarks.libraries import site
from tests.benchmarks.measuring import module
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row

FILES = 100_000
IN_A_FOLDER = 1_000
FEW = 10
WAYS = (
    "moves traced by the log",
    "moves proposed by a walk",
    f"moves traced by the log, {FEW} orphans",
    f"moves proposed by a walk, {FEW} orphans",
)


def groups(_: Scope) -> Iterator[Group]:
    """One group, on SQLite."""
    rows = (Row(what=way, size=FILES, layout="directories of 1,000", database=Sqlite.label) for way in WAYS)
    yield Group(rows=tuple(rows), measure=compare)


def compare() -> list[Figures]:
    """The figures of the rows: each taken once."""
    database = Sqlite("moves")
    database.create()
    try:
        with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as folder:
            taken = module(site(database, Path(folder, "media")), "moves")
    finally:
        database.drop()
    return [Figures(seconds=taken[way]["seconds"], note=f"{taken[way]['moves']:,} found") for way in WAYS]


def measure() -> None:
    """Builds, measures, and prints what each way took, and how many moves it found, as JSON."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from auditor.auditlog import store
    from auditor.auditlog.events import DirectoryMoved, FileMoved
    from auditor.orphans.finder import find
    from auditor.orphans.moves import trace
    from auditor.orphans.plan import Fate, Plan
    from auditor.orphans.proposals import propose
    from auditor.orphans.registry import audited_models
    from auditor.orphans.route import RouteKind
    from auditor.orphans.survey import make_survey
    from deploy.gallery.models import Album, Photo

    call_command("migrate", verbosity=0, run_syncdb=True)
    album = Album.objects.create(name="Benchmark")
    names = [f"{number // IN_A_FOLDER:03}/{number:06}.jpg" for number in range(FILES)]
    for number, name in enumerate(names):
        path = os.path.join(settings.MEDIA_ROOT, "sorted", name)
        if number % IN_A_FOLDER == 0:
            os.makedirs(os.path.dirname(path))
        open(path, "w").close()
    Photo.objects.bulk_create([Photo(image=f"photos/{name}", album=album) for name in names], batch_size=500)
    audited = audited_models()
    plan = find(audited, make_survey(audited, using="default", wanted=RouteKind.SCAN))
    root = store.register_root(os.path.realpath(settings.MEDIA_ROOT), using="default")
    now = store.database_time("default")
    store.append([DirectoryMoved(root=root.pk, occurred_at=now, path="photos", to="inbox")], using="default")
    for some in store.chunks(names, store.BATCH):
        moves = [FileMoved(root=root.pk, occurred_at=now, path=f"inbox/{one}", to=f"sorted/{one}") for one in some]
        store.append(moves, using="default")

    def proposed(made: Plan) -> int:
        return sum(bool(orphan.moves) for _, orphan in propose(made, audited, using="default").orphans())

    def traced(made: Plan) -> int:
        return sum(orphan.fate is Fate.MOVED for _, orphan in trace(made, audited, using="default").orphans())

    few = plan.changed(lambda _, orphan: replace(orphan) if orphan.key <= FEW else None)
    ways = ((traced, plan), (proposed, plan), (traced, few), (proposed, few))
    print(json.dumps({way: timed(work, on) for way, (work, on) in zip(WAYS, ways, strict=True)}))


def timed(work: Callable[[Any], int], plan: object) -> dict[str, float]:
    """What a way took, and how many moves it found."""
    begun = time.perf_counter()
    moves = work(plan)
    return {"seconds": time.perf_counter() - begun, "moves": moves}


if __name__ == "__main__":
    measure()
