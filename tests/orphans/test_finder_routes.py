"""From references and disk to a Plan, by the log, and by both."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auditor.errors import AuditorError, ExitCode
from auditor.journal.columns import Column
from auditor.models import Candidate, UncheckedReference
from auditor.orphans import registry
from auditor.orphans.finder import find
from auditor.orphans.plan import Finding, Orphan, Unknown
from auditor.orphans.registry import Registration, audited_models
from auditor.orphans.route import RouteKind, RouteReason
from auditor.orphans.survey import make_survey
from deploy.gallery.models import Photo
from tests.makers import make_album, make_file, make_photo, real
from tests.orphans.planning import EVAN, finding, keys, planned, watch
from tests.shapes.models import Archived, Exhibit, Invoice, Measured, Page, Pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def only_photos_are_journaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the keys of all other models were of a kind that cannot be journaled."""
    monkeypatch.setattr(Column, "has_known_keys", property(lambda column: column.model is Photo))


def test_log_that_cannot_vouch_is_an_error_where_it_is_asked_for(media: Path) -> None:
    make_photo("photos/here.jpg", media=media)

    with pytest.raises(AuditorError) as caught:
        planned(wanted=RouteKind.LOG)

    assert caught.value.message == (
        "The audit log cannot answer for gallery.Photo.image: "
        "no watcher has ever run for this folder (manage.py watch_media starts one)."
    )
    assert caught.value.exit_code is ExitCode.FAILED


def test_each_field_takes_its_own_route(media: Path, only_photos_are_journaled: None) -> None:
    make_photo("photos/here.jpg", media=media)
    paper = Invoice.objects.create(scan="invoices/gone.pdf")
    watch(media)
    photo = make_photo("photos/new.jpg")

    plan = planned("gallery.Photo", "shapes.Invoice")

    reasons = {name: route.reason for name, route in plan.routes[real(media)].items()}
    assert reasons["gallery.Photo.image"] is RouteReason.COVERED
    assert reasons["shapes.Invoice.scan"] is RouteReason.NOT_JOURNALED
    assert [orphan.key for orphan in finding(plan, "gallery.Photo").orphans] == [photo.pk]
    assert [orphan.key for orphan in finding(plan, "shapes.Invoice").orphans] == [paper.pk]


def test_log_route_looks_at_no_file_that_the_log_vouches_for(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        make_photo(f"photos/{number}.jpg", media=media)
    watch(media)
    looked: list[Any] = []
    monkeypatch.setattr("auditor.orphans.disk.look_at", looked.append)
    monkeypatch.setattr("os.listdir", looked.append)

    assert finding(planned("gallery.Photo"), "gallery.Photo").orphans == ()

    assert looked == []


def test_finding_only_reads(media: Path) -> None:
    make_photo("photos/gone.jpg", album=make_album("Street"))
    watch(media)

    with CaptureQueriesContext(connection) as queries:
        planned()

    # PostgreSQL gives many rows by a cursor, which it is told of as DECLARE.
    assert {query["sql"].split()[0] for query in queries} - {"DECLARE"} == {"SELECT"}


def test_a_root_that_is_not_watched_is_scanned_beside_one_that_is(media: Path, archive: Path) -> None:
    make_photo("photos/a.jpg", media=media)
    archived = Archived.objects.create(file="gone.zip")
    watch(media)

    plan = planned("gallery.Photo", "shapes.Archived")

    reasons = {name: route.reason for routes in plan.routes.values() for name, route in routes.items()}
    assert reasons == {
        "gallery.Photo.image": RouteReason.COVERED,
        "gallery.Photo.thumbnail": RouteReason.COVERED,
        "shapes.Archived.file": RouteReason.NEVER_WATCHED,
    }
    assert keys(plan, "shapes.Archived") == [archived.pk]


def test_log_route_finds_what_is_missing_and_what_is_unknown(media: Path) -> None:
    (media / "link").symlink_to("/nonexistent")
    make_file(media, "thumbnails/a.jpg")
    kept = make_photo("photos/a.jpg", media=media, thumbnail="thumbnails/gone.jpg")
    odd = make_photo("link/b.jpg")
    watch(media)
    gone = make_photo("photos/c.jpg", thumbnail="thumbnails/a.jpg")

    plan = planned(wanted=RouteKind.LOG)

    assert kept.pk not in keys(plan, "gallery.Photo")
    assert finding(plan, "gallery.Photo") == Finding(
        model="gallery.Photo",
        label="Photos",
        label_of_one="Photo",
        total=3,
        named=True,
        has_primary=True,
        orphans=(Orphan(gone.pk, (("image", "photos/c.jpg"),), EVAN),),
        derived_missing={"thumbnail": 1},
    )
    assert plan.unknown == (
        Unknown("gallery.Photo", odd.pk, "image", "link/b.jpg", "a symlink leads out of the media root"),
    )


def test_log_route_reads_a_model_with_dimension_fields_without_opening_a_file(media: Path) -> None:
    watch(media)
    measured = Measured.objects.create()
    Measured.objects.update(image="measured/gone.png")

    assert keys(planned("shapes.Measured", wanted=RouteKind.LOG), "shapes.Measured") == [measured.pk]


def test_field_that_the_checkpoint_did_not_know_is_scanned_beside_one_that_it_knew(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "pairs/there")
    with monkeypatch.context() as before:
        before.setitem(registry._registrations, "shapes.Pair", Registration(model="shapes.Pair", primary=("left",)))
        both = Pair.objects.create(left="pairs/gone", right="pairs/gone")
        left = Pair.objects.create(left="pairs/gone", right="pairs/there")
        right = Pair.objects.create(left="pairs/there", right="pairs/gone")
        doubtful = Pair.objects.create(left="pairs/gone", right="../there")
        watch(media)

    plan = planned("shapes.Pair")

    assert {name: route.reason for name, route in plan.routes[real(media)].items()} == {
        "shapes.Pair.left": RouteReason.COVERED,
        "shapes.Pair.right": RouteReason.FIELD_NOT_SEEN,
    }
    assert finding(plan, "shapes.Pair").orphans == (
        Orphan(both.pk, (("left", "pairs/gone"), ("right", "pairs/gone"))),
        Orphan(left.pk, (("left", "pairs/gone"),)),
        Orphan(right.pk, (("right", "pairs/gone"),)),
    )
    assert [(one.key, one.field) for one in plan.unknown] == [(doubtful.pk, "right")]


def test_log_asked_for_is_an_error_only_for_models_that_the_report_is_about(
    media: Path, only_photos_are_journaled: None
) -> None:
    make_photo("photos/a.jpg", media=media)
    Invoice.objects.create(scan="invoices/gone.pdf")
    watch(media)

    plan = planned("gallery.Photo", wanted=RouteKind.LOG)

    assert finding(plan, "shapes.Invoice").unchecked == {
        "scan": "The audit log cannot answer for shapes.Invoice.scan: "
        "nothing writes down which records change (manage.py reference_journal says why)"
    }
    with pytest.raises(AuditorError):
        planned("shapes.Invoice", wanted=RouteKind.LOG)


def test_scan_asked_for_is_a_scan_while_the_log_is_open(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)
    watch(media)

    plan = planned("gallery.Photo", wanted=RouteKind.SCAN)

    assert {route.reason for routes in plan.routes.values() for route in routes.values()} == {RouteReason.ASKED}


def test_other_folder_in_the_roots_place_closes_the_log(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)
    watch(media)
    media.rename(media.with_name("before"))

    make_file(media, "photos/a.jpg")

    plan = planned("gallery.Photo")
    assert {route.reason for routes in plan.routes.values() for route in routes.values()} == {
        RouteReason.ROOT_REPLACED
    }


def test_log_route_answers_for_fields_in_two_roots(
    media: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pair._meta.get_field("right"), "storage", FileSystemStorage(location=archive))
    for folder in (media, archive):
        make_file(folder, "there")
    left = Pair.objects.create(left="gone", right="there")
    right = Pair.objects.create(left="there", right="gone")
    Pair.objects.create(left="there", right="there")
    for folder in (media, archive):
        watch(folder)

    plan = planned("shapes.Pair", wanted=RouteKind.LOG)

    assert finding(plan, "shapes.Pair").orphans == (
        Orphan(left.pk, (("left", "gone"),)),
        Orphan(right.pk, (("right", "gone"),)),
    )


def test_log_route_neither_reads_all_records_nor_walks_the_root(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = make_photo("photos/gone.jpg")
    watch(media)
    told: list[int] = []
    audited = audited_models(["gallery.Photo"])
    survey = make_survey(audited, using="default", wanted=RouteKind.LOG)

    plan = find(audited, survey, progress=told.append)

    assert (keys(plan, "gallery.Photo"), told, plan.unproven) == ([photo.pk], [], ())


# What may be left of a table whose model had other keys.
STALE_KEYS = ["17", "-3", str(2**63), "9" * 40, "1b4e28ba-2fa1-41d2-883f-0016d3cca427", '["1","2"]', "a/b", "[", ""]


@pytest.mark.parametrize("rows", [Candidate, UncheckedReference])
def test_keys_from_before_a_model_got_other_keys_are_passed_over(
    media: Path, rows: type[Candidate] | type[UncheckedReference], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("shapes.Page", "shapes.Exhibit"):
        monkeypatch.setitem(registry._registrations, name, Registration(model=name, primary=("file",)))
    watch(media)
    made = [
        make_photo("gone.jpg"),
        Invoice.objects.create(scan="gone.pdf"),
        Page.objects.create(book=3, number=4, file="gone.jpg"),
        Exhibit.objects.create(code="x", file="gone.jpg"),
    ]
    for one, field in zip(made, ("image", "scan", "file", "file"), strict=True):
        rows.objects.bulk_create(rows(field=f"{one._meta.label}.{field}", key=key) for key in STALE_KEYS)

    plan = planned(*(one._meta.label for one in made), wanted=RouteKind.LOG)

    assert [keys(plan, one._meta.label) for one in made] == [[one.pk] for one in made]


def test_the_greatest_keys_are_found(media: Path) -> None:
    watch(media)
    Pair.objects.bulk_create(Pair(pk=key, left="gone", right="gone") for key in (2**63 - 1, -(2**63)))

    assert sorted(keys(planned("shapes.Pair", wanted=RouteKind.LOG), "shapes.Pair")) == [-(2**63), 2**63 - 1]
