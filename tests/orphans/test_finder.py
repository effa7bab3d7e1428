"""From references and disk to a Plan, by the full scan."""

from pathlib import Path

import pytest
from django.core.files.storage import InMemoryStorage

from auditor.orphans import references
from auditor.orphans.finder import find
from auditor.orphans.plan import Finding, Orphan, Unknown
from auditor.orphans.registry import audited_models
from auditor.orphans.storages import NO_ADAPTER
from auditor.orphans.survey import make_survey
from deploy.gallery.models import Photo
from tests.makers import make_file, make_photo, make_video
from tests.orphans.planning import EVAN, finding, keys, planned
from tests.shapes.models import Archived, Contract, Invoice, Measured, Pair, Profile

pytestmark = pytest.mark.django_db


def test_records_without_their_file_are_orphans_with_their_group(media: Path) -> None:
    gone = make_photo("photos/gone.jpg")
    make_photo("photos/here.jpg", media=media)
    make_video("videos/here.mp4", media=media)

    plan = planned()

    assert finding(plan, "gallery.Photo") == Finding(
        model="gallery.Photo",
        label="Photos",
        label_of_one="Photo",
        total=2,
        named=True,
        has_primary=True,
        orphans=(Orphan(gone.pk, (("image", "photos/gone.jpg"),), EVAN),),
    )
    assert finding(plan, "gallery.Video").orphans == ()
    assert plan.unknown == ()


def test_missing_thumbnail_is_counted_and_condemns_nobody(media: Path) -> None:
    make_photo("photos/here.jpg", media=media, thumbnail="thumbnails/gone.jpg")

    found = finding(planned(), "gallery.Photo")

    assert (found.orphans, found.derived_missing) == ((), {"thumbnail": 1})


def test_empty_name_is_no_reference(media: Path) -> None:
    Profile.objects.create(name="nobody")
    make_photo("photos/here.jpg", media=media, thumbnail="")

    plan = planned()

    assert [one for one in plan.findings if one.orphans or one.derived_missing] == []


def test_one_of_two_files_missing_makes_an_orphan_that_names_it(media: Path) -> None:
    make_file(media, "pairs/left")
    pair = Pair.objects.create(left="pairs/left", right="pairs/right")

    assert finding(planned("shapes.Pair"), "shapes.Pair").orphans == (Orphan(pair.pk, (("right", "pairs/right"),)),)


def test_record_with_an_unknown_primary_file_is_kept_and_listed(media: Path) -> None:
    pair = Pair.objects.create(left="pairs/gone", right="../outside")

    plan = planned("shapes.Pair")

    assert finding(plan, "shapes.Pair").orphans == ()
    assert plan.unknown == (Unknown("shapes.Pair", pair.pk, "right", "../outside", "the name leaves the media root"),)


def test_model_with_dimension_fields_is_read_without_opening_a_file(media: Path) -> None:
    measured = Measured.objects.create()
    Measured.objects.update(image="measured/gone.png")  # an instance with a name would open the file

    assert finding(planned("shapes.Measured"), "shapes.Measured").orphans == (
        Orphan(measured.pk, (("image", "measured/gone.png"),)),
    )


def test_child_of_several_tables_is_an_orphan_by_its_parents_file(media: Path) -> None:
    contract = Contract.objects.create(title="Lease", file="documents/gone.pdf")

    plan = planned("shapes.Contract")

    assert [orphan.key for orphan in finding(plan, "shapes.Contract").orphans] == [contract.pk]


def test_many_records_are_read_in_several_queries_and_none_twice(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "READ_CHUNK", 3)
    keys = [make_photo(f"photos/{number}.jpg").pk for number in range(10)]
    papers = sorted(str(Invoice.objects.create(scan=f"invoices/{number}").pk) for number in range(7))

    plan = planned("gallery.Photo", "shapes.Invoice")

    assert [orphan.key for orphan in finding(plan, "gallery.Photo").orphans] == keys
    assert sorted(str(orphan.key) for orphan in finding(plan, "shapes.Invoice").orphans) == papers


def test_records_that_the_default_manager_hides_are_audited(archive: Path) -> None:
    sealed = Archived.objects.create(file="gone.zip", is_sealed=True)

    plan = planned("shapes.Archived")

    assert finding(plan, "shapes.Archived").total == 1
    assert keys(plan, "shapes.Archived") == [sealed.pk]


def test_record_is_kept_if_one_of_its_primary_files_cannot_be_checked(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pair._meta.get_field("right"), "storage", InMemoryStorage())
    make_file(media, "pairs/there")
    gone = Pair.objects.create(left="pairs/gone", right="pairs/right")
    alone = Pair.objects.create(left="pairs/gone", right="")
    Pair.objects.create(left="pairs/there", right="pairs/right")

    plan = planned("shapes.Pair")

    assert keys(plan, "shapes.Pair") == [alone.pk]
    assert plan.unknown == (
        Unknown(
            "shapes.Pair",
            gone.pk,
            "right",
            "pairs/right",
            f"InMemoryStorage keeps its files in no local folder, {NO_ADAPTER}",
        ),
    )


def test_both_files_missing_are_both_named(media: Path) -> None:
    pair = Pair.objects.create(left="pairs/l", right="pairs/r")

    assert finding(planned("shapes.Pair"), "shapes.Pair").orphans == (
        Orphan(pair.pk, (("left", "pairs/l"), ("right", "pairs/r"))),
    )


def test_unknown_thumbnail_does_not_save_a_record_without_its_image(media: Path) -> None:
    photo = make_photo("photos/gone.jpg", thumbnail="../thumbnail.jpg")

    plan = planned()

    assert keys(plan, "gallery.Photo") == [photo.pk]
    assert plan.unknown == (
        Unknown("gallery.Photo", photo.pk, "thumbnail", "../thumbnail.jpg", "the name leaves the media root"),
    )


def test_optional_file_that_is_missing_is_counted_without_a_registration(media: Path) -> None:
    Profile.objects.create(name="Evan", avatar="avatars/gone.png")

    found = finding(planned(), "shapes.Profile")

    assert (found.has_primary, found.orphans, found.derived_missing) == (False, (), {"avatar": 1})


def test_progress_is_told_how_many_records_were_read(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "READ_CHUNK", 3)
    for number in range(5):
        make_photo(f"photos/{number}.jpg", media=media)
    make_video(media=media)
    told: list[int] = []
    audited = audited_models()

    find(audited, make_survey(audited, using="default"), progress=told.append)

    assert told == [3, 2, 1]


def test_record_is_an_orphan_whatever_its_derived_file_is_kept_in(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Photo._meta.get_field("thumbnail"), "storage", InMemoryStorage())
    photo = make_photo("photos/gone.jpg", thumbnail="thumbnails/a.jpg")

    plan = planned()

    assert (keys(plan, "gallery.Photo"), plan.unknown) == ([photo.pk], ())
