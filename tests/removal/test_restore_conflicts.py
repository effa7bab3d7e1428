"""What stands in the way of a restore, and that nothing is done in its way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Concat

from auditor.models import Run, Tombstone
from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.removal.restore_plan import Wish
from auditor.removal.tombstones import digest
from auditor.removal.written import Clash
from deploy.gallery.models import Album, Photo, Rendition
from tests.makers import make_album, make_file, make_photo
from tests.removal.removing import planned
from tests.removal.restoring import EVERYTHING, clashes, restored, waiting
from tests.removal.rows import dump
from tests.shapes.models import Exhibit, Remark, Room, Showing, Ticket

pytestmark = pytest.mark.django_db
SKIPPING = Wish(with_missing_files=True, skip_conflicts=True)


@pytest.fixture(autouse=True)
def registered(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.bin")
    exhibits = Registration(model="shapes.Exhibit", primary=("file",))
    monkeypatch.setitem(registry._registrations, "shapes.Exhibit", exhibits)


def make_two_photos() -> tuple[Photo, Photo]:
    """Two orphans in two albums, each with a rendition; they are gone."""
    photos = [make_photo(f"photos/{name}.jpg", album=make_album(name)) for name in ("a", "b")]
    for photo in photos:
        Rendition.objects.create(photo=photo, width=320, file="renditions/x.jpg")
    planned("gallery.Photo").execute()
    return photos[0], photos[1]


def assert_only_the_other_comes(told: list[tuple[str, Clash, str]], other: Any, *, left: int) -> None:
    """First nothing happens at all, then all that has no conflict comes back."""
    before = dump()
    blocked = restored()
    assert (clashes(blocked.plan.conflicts), blocked.restored, dump() == before) == (told, (), True)

    skipped = restored(SKIPPING)

    assert clashes(skipped.plan.conflicts) == told
    assert [one.row.key for one in skipped.restored] == [str(other.pk)]
    assert len(waiting()) == left


def test_key_that_another_record_has() -> None:
    one, other = make_two_photos()
    make_photo("photos/new.jpg", pk=one.pk)

    told = [(f"gallery.Photo:{one.pk}", Clash.KEY_TAKEN, "another record has its key")]
    assert_only_the_other_comes(told, other, left=2)

    assert Rendition.objects.get().photo == other


def test_target_of_a_key_that_is_gone() -> None:
    one, other = make_two_photos()
    Album.objects.filter(pk=one.album_id).delete()

    reason = f"its album_id points to gallery.Album:{one.album_id}, which is gone"
    assert_only_the_other_comes([(f"gallery.Photo:{one.pk}", Clash.TARGET_GONE, reason)], other, left=2)


def test_payload_that_was_changed_is_never_restored() -> None:
    one, other = make_two_photos()
    mine = Tombstone.objects.filter(model="gallery.Photo", key=str(one.pk))
    assert mine.update(payload=Concat(F("payload"), Value(" "))) == 1

    reason = "what was kept of it has been changed: its SHA-256 does not fit"
    assert_only_the_other_comes([(f"gallery.Photo:{one.pk}", Clash.TAMPERED, reason)], other, left=2)


def erase_of(model: str, *, key: object) -> None:
    mine = Tombstone.objects.filter(model=model, key=str(key))
    assert mine.update(payload="", erased_at=Run.objects.get().finished_at) == 1


def test_payload_that_was_erased_is_a_conflict_only_of_a_record_that_is_named() -> None:
    one, other = make_two_photos()
    erase_of("gallery.Photo", key=one.pk)
    name = f"gallery.Photo:{one.pk}"

    named = restored(replace(EVERYTHING, only=(name,)))
    all_of_it = restored()

    told = (name, Clash.ERASED, "what was kept of it has been erased")
    assert (clashes(named.plan.conflicts), named.plan.is_blocked, named.restored) == ([told], True, ())
    away = [(str(row.row), row.reason) for row in all_of_it.plan.away]
    assert (all_of_it.plan.conflicts, away) == ((), [(name, "what was kept of it was erased")])
    assert [row.row.key for row in all_of_it.restored] == [str(other.pk)]
    assert Rendition.objects.get().photo == other


def test_erased_row_that_went_along_blocks_neither_the_others_nor_its_record() -> None:
    one, other = make_two_photos()
    [erased] = Tombstone.objects.filter(model="gallery.Rendition").order_by("id")[:1]
    erase_of("gallery.Rendition", key=erased.key)

    done = [restored(), restored(number=3)]

    assert [(each.plan.conflicts, each.plan.away) for each in done] == [((), ()), ((), ())]
    assert {row.row.key for row in done[0].restored} == {str(one.pk), str(other.pk)}
    assert waiting() == [("gallery.Rendition", erased.key)]
    assert Rendition.objects.count() == 1


def make_two_exhibits() -> tuple[Exhibit, Exhibit]:
    """Two orphans, each shown at a place, with a valid ticket to a seat and a remark; they are gone."""
    Exhibit.objects.create(code="spare", file="kept.bin")
    room = Room.objects.create(name="North")
    exhibits = [Exhibit.objects.create(code=code, file=f"gone/{code}") for code in ("a", "b")]
    for place, exhibit in enumerate(exhibits):
        Showing.objects.create(room=room, exhibit=exhibit, place=place)
        Remark.objects.create(about=exhibit, text=exhibit.code)
    planned("shapes.Exhibit").execute()
    return exhibits[0], exhibits[1]


def test_value_of_a_unique_field_that_another_record_has() -> None:
    make_two_exhibits()
    Remark.objects.create(about=Room.objects.get(), text="a")

    blocked, skipped = restored(), restored(SKIPPING)

    [told] = clashes(blocked.plan.conflicts)
    assert (told[0].split(":")[0], *told[1:]) == ("shapes.Remark", Clash.NOT_UNIQUE, "another record has its text")
    assert blocked.restored == ()
    assert [one.row.key for one in skipped.restored] == ["a", "b"]
    assert set(Remark.objects.values_list("key", "text")) == {("b", "b"), (str(Room.objects.get().pk), "a")}


def test_values_that_are_unique_together_and_that_another_record_has() -> None:
    make_two_exhibits()
    spare = Exhibit.objects.get()
    Showing.objects.create(room=Room.objects.get(), exhibit=spare, place=0)

    blocked, skipped = restored(), restored(SKIPPING)

    [told] = clashes(blocked.plan.conflicts)
    assert told[1:] == (Clash.NOT_UNIQUE, "another record has its room_id, place")
    assert [one.row.key for one in skipped.restored] == ["a", "b"]
    assert sorted(Showing.objects.values_list("exhibit", "place")) == [("b", 1), ("spare", 0)]


def make_ticket_that_goes() -> Any:
    """A ticket that goes with its exhibit: by a cascade that only this test has."""
    seat = uuid4()
    exhibit = Exhibit.objects.create(code="a", file="gone/a")
    ticket = Ticket.objects.create(exhibit=exhibit, seat=seat)
    with changed(Ticket._meta.get_field("exhibit").remote_field, on_delete=models.CASCADE):
        planned("shapes.Exhibit").execute()
    assert not Ticket.objects.exists()
    return ticket


@contextmanager
def changed(thing: Any, **attributes: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in attributes.items():
            patch.setattr(thing, name, value)
        yield


@pytest.mark.parametrize("is_valid", [True, False])
def test_what_only_the_database_can_tell_is_a_conflict_of_the_row_that_it_refuses(is_valid: bool) -> None:
    ticket = make_ticket_that_goes()
    spare = Exhibit.objects.create(code="spare", file="kept.bin")
    Ticket.objects.create(exhibit=spare, seat=ticket.seat, is_valid=is_valid)
    before = dump()

    done = restored()

    if is_valid:
        [told] = clashes(done.plan.conflicts)
        assert told[:2] == (f"shapes.Ticket:{ticket.pk}", Clash.REFUSED)
        assert told[2].startswith("the database refuses it: ")
        assert dump() == before
        assert [one.row.key for one in restored(SKIPPING).restored] == ["a"]
        assert not Ticket.objects.filter(pk=ticket.pk).exists()
    else:
        assert done.plan.conflicts == ()
        assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_model_that_no_app_has_any_more() -> None:
    make_two_exhibits()
    Tombstone.objects.filter(model="shapes.Remark").update(model="notes.Remark")

    blocked, skipped = restored(), restored(SKIPPING)

    assert {told[1:] for told in clashes(blocked.plan.conflicts)} == {
        (Clash.MODEL_GONE, "no installed app has its model any more")
    }
    assert (len(blocked.restored), len(skipped.restored), Remark.objects.count()) == (0, 2, 0)


def test_table_that_is_gone() -> None:
    make_two_photos()
    with changed(Rendition._meta, db_table="elsewhere"):
        blocked, skipped = restored(), restored(SKIPPING)

    assert {(one, reason) for _, one, reason in clashes(blocked.plan.conflicts)} == {
        (Clash.TABLE_GONE, "there is no table elsewhere")
    }
    assert (len(blocked.restored), len(skipped.restored)) == (0, 2)
    assert not Rendition.objects.exists()


def write_down_as_before_a_migration(label: str, *, without: str = "", with_one_more: str = "") -> None:
    """The tombstones of a model as a run would have written them when its table had other columns."""
    for stone in Tombstone.objects.filter(model=label):
        row = json.loads(stone.payload)
        row.pop(without, None)
        stone.payload = json.dumps(row | ({with_one_more: 1} if with_one_more else {}))
        stone.sha256 = digest(stone.payload)
        stone.save()


def test_column_that_was_removed_since() -> None:
    make_two_photos()
    write_down_as_before_a_migration("gallery.Rendition", with_one_more="height")

    blocked, skipped = restored(), restored(SKIPPING)

    reasons = {told[1:] for told in clashes(blocked.plan.conflicts)}
    assert reasons == {(Clash.COLUMN_GONE, "its table has no column height any more")}
    assert (len(blocked.restored), len(skipped.restored), Rendition.objects.count()) == (0, 2, 0)


@pytest.mark.parametrize(
    ("column", "value"), [("price", Decimal(0)), ("is_fragile", None), ("lasts", timedelta())], ids=str
)
def test_column_that_was_added_since_gets_its_default_once_that_is_wanted(column: str, value: Any) -> None:
    make_two_exhibits()
    write_down_as_before_a_migration("shapes.Exhibit", without=column)
    before = dump()

    blocked = restored()
    assert dump() == before
    skipped = restored(SKIPPING)

    reason = f"its table has a new column {column}, and its default is used"
    told = [(f"shapes.Exhibit:{code}", Clash.COLUMN_ADDED, reason) for code in ("a", "b")]
    assert clashes(blocked.plan.conflicts) == clashes(skipped.plan.conflicts) == told
    assert list(Exhibit.objects.order_by("code").values_list("code", column))[:2] == [("a", value), ("b", value)]
    assert waiting() == []


def test_column_without_a_default_that_was_added_since_keeps_its_rows_away() -> None:
    make_two_exhibits()
    write_down_as_before_a_migration("shapes.Showing", without="place")

    skipped = restored(SKIPPING)

    reasons = {told[1:] for told in clashes(skipped.plan.conflicts)}
    assert reasons == {(Clash.COLUMN_ADDED, "its table has a new column place, and it has no default")}
    assert (len(skipped.restored), Showing.objects.count(), len(waiting())) == (2, 0, 2)


def test_key_that_somebody_has_set_since_is_left_as_it_is() -> None:
    photo, spare = make_photo("photos/a.jpg"), make_photo("kept.bin")
    first, second = (make_album(name) for name in ("first", "second"))
    Album.objects.filter(pk__in=[first.pk, second.pk]).update(cover=photo)
    planned("gallery.Photo").execute()
    Album.objects.filter(pk=first.pk).update(cover=spare)

    done = restored()

    told = [(f"gallery.Album:{first.pk}", "its cover_id was set by somebody since")]
    assert [(str(one.row), one.reason) for one in done.left] == told
    assert done.plan.away == done.left
    covers = dict(Album.objects.filter(pk__in=[first.pk, second.pk]).values_list("name", "cover"))
    assert covers == {"first": spare.pk, "second": photo.pk}
    assert waiting() == [("gallery.Album", str(first.pk))]
