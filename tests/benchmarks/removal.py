"""A clean-up's deletion against `QuerySet.delete()` of the same rows, and its undoing.

The clean-up looks at every file again, writes every row down and appends to the audit log; the other only deletes.
Each run is on a copy of one database: `python -m tests.benchmarks.removal fill|plain|ours`.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from uuid import uuid4

from tests.benchmarks.building import build
from tests.benchmarks.databases import CACHE, Database, Kind
from tests.benchmarks.libraries import made_database, site
from tests.benchmarks.measuring import Sample, in_turns, side
from tests.benchmarks.scan import figures
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target

ORPHANS = 10_000  # with 2 renditions, 2 tags and a custom album each; every tenth is a cover
MEDIA = CACHE / "removal" / "media"
KEPT = "photos/kept.jpg"
PLAIN, OURS, RESTORE = "QuerySet.delete()", "deletion by the clean-up", "its undoing"


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a database."""
    for kind in scope.kinds:
        yield Group(
            rows=(
                Row(what=PLAIN, size=ORPHANS, database=kind.label),
                Row(what=OURS, size=ORPHANS, database=kind.label, to=PLAIN, target=Target(ratio=2.5)),
                Row(what=RESTORE, size=ORPHANS, database=kind.label, to=PLAIN),
            ),
            measure=partial(compare, kind),
        )


def compare(kind: Kind) -> list[Figures]:
    """The figures of the rows."""
    (MEDIA / KEPT).parent.mkdir(parents=True, exist_ok=True)
    (MEDIA / KEPT).touch()
    database = made_database("removal", kind, MEDIA, "removal", "fill")
    restored: list[float] = []

    def ours() -> Sample:
        sample = on_a_copy(database, "ours")
        restored.append(json.loads(sample.text)["restore"])
        return sample

    results = in_turns({PLAIN: partial(on_a_copy, database, "plain"), OURS: ours})
    plain, removal = results[PLAIN], results[OURS]
    back = statistics.median(restored[-removal.runs :])
    return [
        figures(plain),
        figures(removal, removal.seconds / plain.seconds),
        Figures(seconds=back, ratio=back / plain.seconds, runs=removal.runs),
    ]


def on_a_copy(database: Database, name: str) -> Sample:
    """One run of one side."""
    copy = database.copy("copy")
    try:
        return side(site(copy, MEDIA), "removal", name)
    finally:
        copy.drop()


def fill() -> None:
    """The library: as many records as are orphans, and one whose file is there."""
    from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag

    albums = Album.objects.bulk_create([Album(name=f"Album {number}") for number in range(ORPHANS // 10)])
    tags = Tag.objects.bulk_create([Tag(name=f"tag {number}") for number in range(20)])
    chosen = CustomAlbum.objects.create(name="Best")
    photos = Photo.objects.bulk_create(
        [Photo(image=f"photos/{number:06}.jpg", album=albums[number // 10]) for number in range(ORPHANS)]
    )
    Photo.objects.create(image=KEPT, album=albums[0])
    Rendition.objects.bulk_create(
        [Rendition(photo=photo, width=width, file="renditions/x.jpg") for photo in photos for width in (320, 640)]
    )
    pairs = [(photo, tags[(number + shift) % 20]) for number, photo in enumerate(photos) for shift in (0, 1)]
    Photo.tags.through.objects.bulk_create([Photo.tags.through(photo=photo, tag=tag) for photo, tag in pairs])
    links = CustomAlbum.photos.through
    links.objects.bulk_create([links(customalbum=chosen, photo=photo) for photo in photos])
    for album, cover in zip(albums, photos[::10], strict=True):
        album.cover = cover
    Album.objects.bulk_update(albums, ["cover"], batch_size=500)


def plain() -> Callable[[], dict[str, float]]:
    """What Django does on its own."""
    from django.db import transaction

    from deploy.gallery.models import Photo

    def work() -> dict[str, float]:
        begun = time.perf_counter()
        with transaction.atomic():
            Photo.objects.exclude(image=KEPT).delete()
        return {"seconds": time.perf_counter() - begun}

    return work


def ours() -> Callable[[], dict[str, float]]:
    """What the command does once it is confirmed, and then its undoing."""
    from auditor.auditlog import store
    from auditor.orphans.finder import find
    from auditor.orphans.registry import audited_models
    from auditor.orphans.survey import make_survey
    from auditor.removal.remove import remove
    from auditor.removal.restore import restore
    from auditor.removal.restore_plan import Wish
    from auditor.removal.runs import RunFacts

    def facts() -> RunFacts:
        return RunFacts(uid=uuid4(), command="benchmark", user="", started_at=store.database_time("default"))

    audited = audited_models(["gallery.Photo"])
    plan = find(audited, make_survey(audited, using="default"))
    assert plan.orphans_total() == ORPHANS

    def work() -> dict[str, float]:
        run, begun = facts(), time.perf_counter()
        outcome = remove(plan, audited, run, using="default")
        removed = time.perf_counter()
        assert len(outcome.deleted) == ORPHANS
        restored = restore(run.uid, Wish(with_missing_files=True), facts(), using="default")
        assert len(restored.restored) == ORPHANS
        return {"seconds": removed - begun, "restore": time.perf_counter() - removed}

    return work


def measure(make: Callable[[], Callable[[], dict[str, float]]]) -> None:
    """Runs one side, all it needs being imported and found, and prints what it took as JSON."""
    import django

    django.setup()
    print(json.dumps(make()()))


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        build(fill)
    else:
        measure({"plain": plain, "ours": ours}[sys.argv[1]])
