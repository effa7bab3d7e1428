"""What comes back of a run, and that it is what was there."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.db.models import JSONField, Value

from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.removal.restore_plan import Wish
from deploy.gallery.models import Rendition
from tests.makers import make_file, make_photo
from tests.removal.removing import planned
from tests.removal.restoring import restored, site_rows, waiting
from tests.removal.test_all_or_nothing import make_gallery
from tests.shapes.models import Exhibit, Lease, Profile, Remark, Room, Showing, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registered(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.bin")
    exhibits = Registration(model="shapes.Exhibit", primary=("file",))
    monkeypatch.setitem(registry._registrations, "shapes.Exhibit", exhibits)


def test_gallery_is_as_it_was(media: Path) -> None:
    make_gallery(media, photos=3)
    before = site_rows()
    planned("gallery.Photo", "gallery.Video").execute()
    assert site_rows() != before

    restored()

    assert site_rows() == before
    assert waiting() == []


@pytest.mark.parametrize("taker", ["photo", "rendition"])
def test_file_that_another_record_names_now_is_not_its_file(media: Path, taker: str) -> None:
    gone, other = make_photo("photos/a.jpg"), make_photo("photos/b.jpg")
    planned("gallery.Photo").execute()
    upload = make_photo("photos/a.jpg" if taker == "photo" else "kept.bin")
    Rendition.objects.create(photo=upload, width=320, file="photos/a.jpg" if taker == "rendition" else "kept.bin")
    for name in ("photos/a.jpg", "photos/b.jpg"):
        make_file(media, name)

    done, all_the_same = restored(Wish()), restored(number=3)

    assert [one.row.key for one in done.restored] == [str(other.pk)]
    told = [(f"gallery.Photo:{gone.pk}", "another record names photos/a.jpg now")]
    assert [(str(one.row), one.reason) for one in done.plan.away] == told
    assert [one.row.key for one in all_the_same.restored] == [str(gone.pk)]


def test_two_records_of_one_file_come_back_together(media: Path) -> None:
    for _ in range(2):
        make_photo("photos/a.jpg")
    before = site_rows()
    planned("gallery.Photo").execute()
    make_file(media, "photos/a.jpg")

    restored(Wish())

    assert site_rows() == before


def make_museum() -> None:
    spare = Exhibit.objects.create(code="spare", file="kept.bin")
    base = Exhibit.objects.create(
        code="ärm'1\n",
        file="exhibits/1.bin",
        facts={"a": None, "b": 1.5},
        price=Decimal("12345678.1234"),
        weight=float("inf"),
        pattern=bytes(range(256)),
        lasts=timedelta(days=-3, microseconds=7),
        is_fragile=True,
        twin=spare,
    )
    json_null = Value(None, JSONField())
    Exhibit.objects.create(code="2", file="exhibits/2.bin", facts=json_null, base=base, weight=-0.0)
    Exhibit.objects.create(code="3", file="kept.bin", twin=base, weight=0.1 + 0.2)
    Exhibit.objects.filter(code="2").update(base="2")
    room = Room.objects.create(name="North")
    for place, exhibit in enumerate(Exhibit.objects.order_by("code")):
        showing = Showing.objects.create(room=room, exhibit=exhibit, place=place)
        Ticket.objects.create(exhibit=exhibit, showing=showing, seat=uuid4())
        Remark.objects.create(about=exhibit, text=exhibit.code)


def test_columns_that_are_hard_to_keep_and_keys_of_every_kind_are_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_museum()
    before = site_rows()
    planned("shapes.Exhibit").execute()
    assert sorted(Exhibit.objects.values_list("code", flat=True)) == ["3", "spare"]

    restored()

    assert site_rows() == before


@pytest.mark.parametrize("named", ["shapes.Document", "shapes.Contract", "shapes.Lease"])
def test_record_of_three_tables_is_as_it_was(media: Path, named: str) -> None:
    landlord = Profile.objects.create(name="Ann")
    lease = Lease.objects.create(title="gone", file="documents/gone.pdf", signed=True, landlord=landlord)
    Remark.objects.create(about=lease, text="a lease")
    before = site_rows()

    planned(named).execute()
    assert not Lease.objects.exists()

    restored()

    assert site_rows() == before
