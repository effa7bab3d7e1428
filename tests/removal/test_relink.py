"""Records are pointed at the new names of their files, all at once, and only where that still is right."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db.models.signals import post_save

from auditor.auditlog import store
from auditor.auditlog.events import Event, RecordRelinked, RunCompleted, from_stored
from auditor.models import Tombstone
from auditor.orphans.moves import decide
from auditor.orphans.plan import Evidence, Fate, Finding, Move, Orphan
from auditor.wishes import RelinkWanted
from deploy.gallery.models import Photo, Rendition, Video
from tests.makers import make_file, make_photo, make_video
from tests.removal.removing import RUN, Planned, deleted, kept, planned
from tests.removal.rows import dump
from tests.shapes.models import Contract, Document, Measured, Pair, Passport, Voucher

pytestmark = pytest.mark.django_db


def relinked(media: Path, *models: str, **to: str) -> Planned:
    """A plan in which the missing files of these fields were seen moving; the files are there."""
    made = planned(*models)

    def move(_: Finding, orphan: Orphan) -> Orphan:
        moves = tuple(Move(one, name, to[one], Evidence.SEEN) for one, name in orphan.missing if one in to)
        is_whole = len(moves) == len(orphan.missing)
        return replace(orphan, moves=moves, fate=Fate.MOVED if is_whole else Fate.DELETE)

    for name in to.values():
        make_file(media, name)
    return Planned(decide(made.plan.changed(move), RelinkWanted.SEEN), made.audited)


def logged() -> list[Event | None]:
    return [from_stored(stored) for _, stored in store.read(using="default")]


def test_relinked_record_holds_the_new_name_and_nothing_else_has_changed(media: Path) -> None:
    make_file(media, "kept.jpg")
    other = make_photo("kept.jpg")
    photo = make_photo("photos/a.jpg", thumbnail="thumbnails/a.jpg")
    plan = relinked(media, image="b.jpg")
    saved: list[Any] = []
    post_save.connect(saved.append, sender=Photo)
    try:
        outcome = plan.execute()
    finally:
        post_save.disconnect(saved.append, sender=Photo)

    assert [(one.model, one.orphan.key, one.position) for one in outcome.relinked] == [("gallery.Photo", photo.pk, 1)]
    assert (outcome.deleted, outcome.kept, saved) == ((), (), [])
    columns = ("pk", "image", "thumbnail", "album", "uploaded_at")
    assert list(Photo.objects.order_by("pk").values_list(*columns)) == [
        (other.pk, "kept.jpg", "", other.album_id, other.uploaded_at),
        (photo.pk, "b.jpg", "thumbnails/a.jpg", photo.album_id, photo.uploaded_at),
    ]


def test_relink_is_written_down_and_told(media: Path) -> None:
    make_file(media, "kept.jpg")
    photo = make_photo("photos/a.jpg")

    relinked(media, image="b.jpg").execute()

    event, completed = logged()
    assert isinstance(event, RecordRelinked)
    assert isinstance(completed, RunCompleted)
    told = (event.run_id, event.model, event.key, event.field, event.path, event.to)
    assert told == (RUN.uid, "gallery.Photo", str(photo.pk), "image", "photos/a.jpg", "b.jpg")
    assert completed.relinked == {"gallery.Photo": 1}
    [stone] = Tombstone.objects.all()
    assert (stone.kind, stone.model, stone.key) == ("relinked", "gallery.Photo", str(photo.pk))
    row = {"key": {"id": photo.pk}, "column": "image", "old": "photos/a.jpg", "new": "b.jpg"}
    assert json.loads(stone.payload) == row


def test_column_of_a_parent_is_changed_in_the_table_of_the_parent(media: Path) -> None:
    make_file(media, "kept.jpg")
    Document.objects.create(title="Other", file="kept.jpg")
    contract = Contract.objects.create(title="Lease", file="documents/a.pdf")

    outcome = relinked(media, "shapes.Contract", file="b.pdf").execute()

    assert [one.orphan.key for one in outcome.relinked] == [contract.pk]
    assert list(Document.objects.order_by("pk").values_list("title", "file")) == [
        ("Other", "kept.jpg"),
        ("Lease", "b.pdf"),
    ]
    assert Tombstone.objects.get().model == "shapes.Document"


def test_two_files_of_a_record_are_relinked_together(media: Path) -> None:
    make_file(media, "kept.jpg")
    pair = Pair.objects.create(left="pairs/l", right="pairs/r")

    outcome = relinked(media, "shapes.Pair", left="l", right="r").execute()

    assert [one.position for one in outcome.relinked] == [1]
    assert Pair.objects.values_list("left", "right").get(pk=pair.pk) == ("l", "r")
    assert [(one.path, one.to) for one in logged()[:2] if isinstance(one, RecordRelinked)] == [
        ("pairs/l", "l"),
        ("pairs/r", "r"),
    ]


def test_image_with_stored_dimensions_is_not_opened(media: Path) -> None:
    make_file(media, "kept.jpg")
    measured = Measured(image="measured/a.jpg", width=3, height=4)
    Measured.objects.bulk_create([measured])

    relinked(media, "shapes.Measured", image="no-image").execute()

    assert Measured.objects.values_list("image", "width", "height").get() == ("no-image", 3, 4)


def test_others_are_deleted_in_the_same_run(media: Path) -> None:
    make_file(media, "kept.jpg")
    photo, video = make_photo("photos/a.jpg"), make_video("videos/a.mp4")

    outcome = relinked(media, image="b.jpg").execute()

    assert deleted(outcome) == [("gallery.Video", video.pk, 1)]
    assert [(one.orphan.key, one.position) for one in outcome.relinked] == [(photo.pk, 2)]
    assert (Photo.objects.count(), Video.objects.count()) == (1, 0)


def remove_new(media: Path) -> None:
    (media / "b.jpg").unlink()


def new_is_a_folder(media: Path) -> None:
    remove_new(media)
    (media / "b.jpg").mkdir()


def new_is_a_symlink(media: Path) -> None:
    remove_new(media)
    (media / "b.jpg").symlink_to(media / "kept.jpg")


def bring_old_back(media: Path) -> None:
    make_file(media, "photos/a.jpg")


def name_another(media: Path) -> None:
    Photo.objects.update(image="kept.jpg")


def delete_record(media: Path) -> None:
    Photo.objects.all().delete()


@pytest.mark.parametrize(
    ("meanwhile", "reason", "is_settled"),
    [
        (remove_new, "the file is not at b.jpg any more", False),
        (new_is_a_folder, "the file is not at b.jpg any more", False),
        (new_is_a_symlink, "the file is not at b.jpg any more", False),
        (bring_old_back, "the file is back", True),
        (name_another, "the record has got another file", True),
        (delete_record, "the record is gone already", True),
    ],
)
def test_what_changed_meanwhile_is_not_relinked(
    media: Path, meanwhile: Callable[[Path], None], reason: str, is_settled: bool
) -> None:
    make_file(media, "kept.jpg")
    photo = make_photo("photos/a.jpg")
    plan = relinked(media, image="b.jpg")
    meanwhile(media)
    before = dump()["gallery_photo"]

    outcome = plan.execute()

    assert kept(outcome) == [("gallery.Photo", photo.pk, reason, is_settled)]
    assert (outcome.relinked, outcome.deleted) == ((), ())
    assert dump()["gallery_photo"] == before
    assert not Tombstone.objects.exists()


def test_old_file_that_cannot_be_looked_at_keeps_the_name(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.jpg")
    photo = make_photo("photos/a.jpg")
    plan = relinked(media, image="b.jpg")
    lstat = os.lstat

    def failing(path: Any, **rest: Any) -> os.stat_result:
        if str(path).endswith("photos/a.jpg"):
            raise PermissionError(13, "Permission denied")
        return lstat(path, **rest)

    monkeypatch.setattr(os, "lstat", failing)

    assert kept(plan.execute()) == [("gallery.Photo", photo.pk, "EACCES: Permission denied", False)]


def test_second_column_that_cannot_be_changed_leaves_the_first_as_it_was(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "kept.jpg")
    pair = Pair.objects.create(left="pairs/l", right="pairs/r")
    plan = relinked(media, "shapes.Pair", left="l", right="r")
    # Rows are locked: only a trigger of the database can still get in between the two.
    monkeypatch.setattr("auditor.removal.relink.changed_note", lambda *_: Pair.objects.update(right="new"))

    outcome = plan.execute()

    assert kept(outcome) == [("shapes.Pair", pair.pk, "the record has got another file", True)]
    assert Pair.objects.values_list("left", "right").get() == ("pairs/l", "pairs/r")


def test_orphan_of_which_only_one_file_was_moved_is_deleted(media: Path) -> None:
    make_file(media, "kept.jpg")
    pair = Pair.objects.create(left="pairs/l", right="pairs/r")

    outcome = relinked(media, "shapes.Pair", left="l").execute()

    assert deleted(outcome) == [("shapes.Pair", pair.pk, 1)]


def test_record_that_goes_with_a_deleted_one_is_not_relinked(media: Path) -> None:
    make_file(media, "kept.jpg")
    photo = make_photo("photos/a.jpg")
    rendition = Rendition.objects.create(photo=photo, width=640, file="renditions/a.jpg")

    outcome = relinked(media, "gallery.Rendition", "gallery.Photo", file="b.jpg").execute()

    assert deleted(outcome) == [("gallery.Photo", photo.pk, 1)]
    assert kept(outcome) == [("gallery.Rendition", rendition.pk, "the record is gone already", True)]


@pytest.mark.parametrize("model", [Passport, Voucher])
def test_name_that_another_record_took_meanwhile_is_refused_by_the_database(media: Path, model: Any) -> None:
    make_file(media, "kept.jpg")
    first = model.objects.create(scan="a.pdf")
    second = model.objects.create(scan="c.pdf")
    plan = relinked(media, model._meta.label, scan="b.pdf")

    outcome = plan.execute()

    reason = "the database refuses the new name: another record may hold it"
    assert [one.orphan.key for one in outcome.relinked] == [first.pk]
    assert kept(outcome) == [(model._meta.label, second.pk, reason, False)]
    assert list(model.objects.order_by("pk").values_list("scan", flat=True)) == ["b.pdf", "c.pdf"]
