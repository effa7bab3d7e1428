"""A run is all or nothing: whatever happens, and whenever, the database is as before or as after."""

import random
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_delete
from django.db.utils import OperationalError

from auditor.models import Event, Run, Tombstone
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from tests.makers import make_album, make_file
from tests.removal.interrupting import Interruption, interrupted_at
from tests.removal.killing import Killer
from tests.removal.removing import planned
from tests.removal.rows import dump
from tests.watcher.waiting import wait_until


def make_gallery(media: Path, *, photos: int) -> None:
    """Orphans with everything that can hang on them, and as many videos."""
    make_file(media, "kept.jpg")
    album, chosen, (tag, _) = make_album(), CustomAlbum.objects.create(), Tag.objects.get_or_create(name="sea")
    for number in range(photos):
        photo = Photo.objects.create(image=f"photos/{number}.jpg", album=album)
        video = Video.objects.create(video=f"videos/{number}.mp4", album=album)
        Rendition.objects.create(photo=photo, width=320, file=f"renditions/{number}.jpg")
        photo.tags.add(tag)
        chosen.photos.add(photo)
        chosen.videos.add(video)
    Album.objects.update(cover=photo)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("disk full"), Interruption()], ids=["error", "interrupt"])
def test_error_at_any_statement_leaves_every_table_as_it_was(media: Path, error: BaseException) -> None:
    make_gallery(media, photos=2)
    plan, before, statement = planned(), dump(), 0

    while interrupted_at(statement, error, plan.execute):
        assert dump() == before, f"statement {statement}"
        statement += 1

    assert statement > 30
    assert (Photo.objects.count(), Video.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_error_at_the_commit_leaves_every_table_as_it_was(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_gallery(media, photos=2)
    plan, before = planned(), dump()

    def fail() -> None:
        raise OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", fail)
        with pytest.raises(OperationalError):
            plan.execute()

    assert dump() == before


@pytest.mark.django_db(transaction=True)
def test_signal_of_the_host_that_fails_leaves_every_table_as_it_was(media: Path) -> None:
    make_gallery(media, photos=2)
    plan, before = planned(), dump()

    def fail(**_: Any) -> None:
        raise RuntimeError("the host's own")

    post_delete.connect(fail, sender=Video)
    try:
        with pytest.raises(RuntimeError, match="the host's own"):
            plan.execute()
    finally:
        post_delete.disconnect(fail, sender=Video)

    assert dump() == before


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_run_that_is_killed_at_a_random_moment_is_whole_or_never_was(media: Path) -> None:
    chance, ends = random.Random(2), {"before": 0, "after": 0}
    make_gallery(media, photos=20)
    counted = counts()

    with Killer() as killer:
        undisturbed = killer.run()
        assert changes(counted) == WHOLE
        for moment in [0.0, *(chance.uniform(0, undisturbed) for _ in range(10))]:
            if not Photo.objects.exists():
                make_gallery(media, photos=20)
            before, counted = dump(), counts()
            killer.run(kill_after=moment)
            until_nobody_is_connected()
            end = "after" if changes(counted) == WHOLE else "before"
            ends[end] += 1
            assert end == "after" or dump() == before

    assert ends["before"] > 0


TABLES: list[type[Model]] = [Photo, Video, Rendition, Photo.tags.through, Run, Tombstone, Event]
# 20 of each gallery row, 20 links to each custom album, and the cover that was emptied.
WHOLE = [-20, -20, -20, -20, 1, 121, 41]


def counts() -> list[int]:
    return [model._base_manager.count() for model in TABLES]


def changes(before: list[int]) -> list[int]:
    return [now - then for now, then in zip(counts(), before, strict=True)]


def until_nobody_is_connected() -> None:
    """PostgreSQL learns of a client's death only when it next speaks to it, and may commit until then."""
    if connection.vendor == "postgresql":
        wait_until(lambda: not others_connected())


def others_connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])
