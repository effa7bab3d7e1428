"""What an orphan belongs to."""

from pathlib import Path

import pytest

from auditor import keys
from auditor.orphans import registry
from auditor.orphans.plan import Group
from auditor.orphans.registry import Registration
from deploy.gallery.models import Album
from tests.makers import make_album, make_photo
from tests.orphans.planning import finding, planned
from tests.shapes.models import Archived, Contract, Profile

pytestmark = pytest.mark.django_db


def test_group_is_the_first_foreign_key_that_is_set(archive: Path) -> None:
    profile = Profile.objects.create(name="Evan")
    contract = Contract.objects.create(title="Lease", file="lease.pdf")
    Archived.objects.create(file="0.zip", profile=profile, contract=contract)
    Archived.objects.create(file="1.zip", contract=contract)
    Archived.objects.create(file="2.zip")

    orphans = finding(planned("shapes.Archived"), "shapes.Archived").orphans

    assert [orphan.group for orphan in orphans] == [
        Group(kind="Profile", kinds="Profiles", name=str(profile)),
        Group(kind="Contract", kinds="Contracts", name=str(contract)),
        None,
    ]


def test_group_may_be_a_plain_column(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = Registration(model="shapes.Profile", primary=("avatar",), group="name")
    monkeypatch.setitem(registry._registrations, "shapes.Profile", registration)
    Profile.objects.create(name="Evan", avatar="avatars/gone.png")

    orphans = finding(planned("shapes.Profile"), "shapes.Profile").orphans

    assert [str(orphan.group) for orphan in orphans] == ["Name: Evan"]


def test_group_whose_name_cannot_be_told_is_told_by_its_key(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = make_photo("photos/gone.jpg")

    def fail(_: Album) -> str:
        raise ValueError("no cover")

    monkeypatch.setattr(Album, "__str__", fail)

    orphans = finding(planned(), "gallery.Photo").orphans

    assert [str(orphan.group) for orphan in orphans] == [f"Album: #{photo.album_id}"]


def test_many_orphans_have_their_groups(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "NUMBERS", 40)
    albums = [make_album(f"Album {number}") for number in range(2 * keys.NUMBERS + 10)]
    for album in albums:
        make_photo(f"photos/{album.pk}.jpg", album=album)

    orphans = finding(planned(), "gallery.Photo").orphans

    assert [orphan.group.name for orphan in orphans if orphan.group] == [album.name for album in albums]


def test_parent_of_a_child_in_several_tables_is_no_group(media: Path) -> None:
    Contract.objects.create(title="Lease", file="documents/gone.pdf")

    orphans = finding(planned("shapes.Contract"), "shapes.Contract").orphans

    assert [orphan.group for orphan in orphans] == [None]
