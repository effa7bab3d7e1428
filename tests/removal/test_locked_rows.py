"""What is written down is what goes: a row that hangs on an orphan cannot change between the two."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_delete

from auditor.models import Tombstone
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag
from tests.makers import make_file, make_photo
from tests.removal.removing import planned

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

CHANGES = {
    "gallery_rendition": "width = 999",
    "gallery_photo_tags": "tag_id = (SELECT max(id) FROM gallery_tag)",
    "gallery_customalbum_photos": "customalbum_id = (SELECT max(id) FROM gallery_customalbum)",
    "gallery_album": "name = 'Changed', cover_id = NULL",
}


def change_what_nobody_holds() -> dict[str, int]:
    """From a connection of its own: how many rows of each table it could change."""
    other: Any = connection.copy()
    try:
        with other.cursor() as cursor:
            return {table: changed(cursor, table, change) for table, change in CHANGES.items()}
    finally:
        other.close()


def changed(cursor: Any, table: str, change: str) -> int:
    free = f"SELECT id FROM {table} FOR UPDATE SKIP LOCKED"
    cursor.execute(f"UPDATE {table} SET {change} WHERE id IN ({free})")
    return int(cursor.rowcount)


@contextmanager
def just_before_the_delete(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Acts when all is written down and nothing is deleted yet; what that gave."""
    gave: list[Any] = []

    def receive(**_: Any) -> None:
        gave.append(act())

    pre_delete.connect(receive, sender=Photo)
    try:
        yield gave
    finally:
        pre_delete.disconnect(receive, sender=Photo)


def test_nobody_changes_a_row_that_is_written_down_and_not_yet_deleted(media: Path) -> None:
    make_file(media, "photos/kept.jpg")
    photo = make_photo("photos/1.jpg", pk=1)
    Rendition.objects.create(photo=photo, width=320, file="renditions/1.jpg")
    photo.tags.add(Tag.objects.create(name="red"))
    Tag.objects.create(name="blue")
    CustomAlbum.objects.create(name="Best").photos.add(photo)
    CustomAlbum.objects.create(name="Empty")
    Album.objects.update(cover=photo)

    with just_before_the_delete(change_what_nobody_holds) as gave:
        planned().execute()

    assert gave == [dict.fromkeys(CHANGES, 0)]
    assert sorted(Tombstone.objects.values_list("kind", "model")) == [
        ("cascade", "gallery.CustomAlbum_photos"),
        ("cascade", "gallery.Photo_tags"),
        ("cascade", "gallery.Rendition"),
        ("emptied", "gallery.Album"),
        ("orphan", "gallery.Photo"),
    ]
