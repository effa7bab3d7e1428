"""From references and disk to a Plan, by either route."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auditor.auditlog import store
from auditor.auditlog.events import SpanOpened
from auditor.errors import AuditorError, ExitCode
from auditor.models import Root
from auditor.orphans import references
from auditor.orphans.disk import identity
from auditor.orphans.finder import find
from auditor.orphans.plan import Finding, Group, Orphan, Plan, Unknown
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind, RouteReason
from auditor.orphans.survey import make_survey
from tests.makers import make_album, make_file, make_photo, make_video, real
from tests.shapes.models import Archived, Contract, Invoice, Measured, Pair, Profile
from watcher.census import take_census

pytestmark = pytest.mark.django_db

EVAN = Group(kind="Album", kinds="Albums", name="Evan Photos")


def planned(*only: str, wanted: RouteKind = RouteKind.AUTO) -> Plan:
    audited = audited_models(only)
    return find(audited, make_survey(audited, using="default", wanted=wanted))


def finding(plan: Plan, model: str) -> Finding:
    return next(one for one in plan.findings if one.model == model)


def watch(media: Path) -> Root:
    """A root that the log vouches for, as a watcher leaves it after its first checkpoint."""
    root, span = store.register_root(real(media), using="default"), uuid4()
    opened = SpanOpened(
        root=root.pk,
        occurred_at=store.database_time("default"),
        span=str(span),
        identity=identity(root.path),
    )
    store.append([opened], using="default")
    for events in take_census(root, span, using="default"):
        store.append(events, using="default")
    store.move_watermark(span, store.database_time("default"), using="default")
    return root


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


def test_absent_folder_of_a_model_that_nobody_named_is_reported(media: Path) -> None:
    Archived.objects.create(file="old.zip")

    found = finding(planned(), "shapes.Archived")

    assert found.unchecked == {
        "file": "The media root /nonexistent/elsewhere cannot be read: No such file or directory"
    }


def test_absent_folder_of_a_named_model_is_refused(media: Path) -> None:
    Archived.objects.create(file="old.zip")

    with pytest.raises(AuditorError) as caught:
        planned("shapes.Archived")

    assert caught.value.exit_code is ExitCode.REFUSED_ROOT
    assert caught.value.message == "The media root /nonexistent/elsewhere cannot be read: No such file or directory."


def test_folder_that_no_record_needs_may_be_absent(media: Path) -> None:
    assert finding(planned("shapes.Archived"), "shapes.Archived").unchecked == {}


def test_log_that_cannot_vouch_is_an_error_where_it_is_asked_for(media: Path) -> None:
    make_photo("photos/here.jpg", media=media)

    with pytest.raises(AuditorError) as caught:
        planned(wanted=RouteKind.LOG)

    assert caught.value.message == (
        "The audit log cannot answer for gallery.Photo.image: "
        "no watcher has ever run for this folder (manage.py watch_media starts one)."
    )
    assert caught.value.exit_code is ExitCode.FAILED


def test_each_field_takes_its_own_route(media: Path) -> None:
    make_photo("photos/here.jpg", media=media)
    paper = Invoice.objects.create(scan="invoices/gone.pdf")
    watch(media)
    photo = make_photo("photos/new.jpg")

    plan = planned("gallery.Photo", "shapes.Invoice")

    reasons = {name: route.reason for name, route in plan.routes[real(media)].items()}
    assert reasons["gallery.Photo.image"] is RouteReason.COVERED
    assert reasons["shapes.Invoice.scan"] is RouteReason.KEY_NOT_INCREASING
    assert [orphan.key for orphan in finding(plan, "gallery.Photo").orphans] == [photo.pk]
    assert [orphan.key for orphan in finding(plan, "shapes.Invoice").orphans] == [paper.pk]


def test_log_route_looks_at_no_file_that_the_log_vouches_for(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        make_photo(f"photos/{number}.jpg", media=media)
    watch(media)
    looked: list[Any] = []
    monkeypatch.setattr("auditor.orphans.finder.look_now", lambda _root, name: looked.append(name))

    assert finding(planned("gallery.Photo"), "gallery.Photo").orphans == ()

    assert looked == []


def test_finding_only_reads(media: Path) -> None:
    make_photo("photos/gone.jpg", album=make_album("Street"))
    watch(media)

    with CaptureQueriesContext(connection) as queries:
        planned()

    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
