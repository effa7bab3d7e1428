"""What is written down of rows of awkward shape, and at what cost."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from auditor.models import Run, Tombstone
from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.removal.tombstones import changed_row, form_of, from_payload, to_payload
from tests.makers import make_album, make_file, make_photo
from tests.removal.removing import RUN, kept, planned
from tests.removal.restoring import restored
from tests.shapes.models import Detail, Lock, Locked, Page, Part

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registered(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.txt")
    for model in ("shapes.Page", "shapes.Part"):
        monkeypatch.setitem(registry._registrations, model, Registration(model=model, primary=("file",)))


def written() -> list[tuple[str, str, str]]:
    return sorted(Tombstone.objects.values_list("kind", "model", "key"))


def test_key_of_two_columns_is_written_down_whole() -> None:
    Page.objects.create(book=3, number=7, file="pages/gone.pdf")

    planned("shapes.Page").execute()

    assert not Page.objects.exists()
    assert written() == [("orphan", "shapes.Page", "(3, 7)")]


def test_record_that_goes_along_is_no_orphan_though_it_is_of_the_same_model(media: Path) -> None:
    make_file(media, "parts/here.stl")
    whole = Part.objects.create(file="parts/gone.stl")
    part = Part.objects.create(file="parts/here.stl", whole=whole)

    outcome = planned("shapes.Part").execute()

    assert [(one.what, one.count) for one in outcome.taken] == [("shapes.Part", 1)]
    assert written() == [("cascade", "shapes.Part", str(part.pk)), ("orphan", "shapes.Part", str(whole.pk))]


def test_emptied_keys_are_read_together_and_not_one_by_one() -> None:
    for number in range(50):
        album = make_album(f"Album {number}")
        album.cover = make_photo(f"photos/{number}.jpg", album=album)
        album.save()
    plan = planned("gallery.Photo")

    with CaptureQueriesContext(connection) as queries:
        plan.execute()

    assert Tombstone.objects.filter(kind="emptied").count() == 50
    assert len(queries) < 60


def test_one_protected_record_does_not_make_the_others_go_one_by_one() -> None:
    records = [Locked.objects.create(file=f"locked/{number}") for number in range(64)]
    Lock.objects.create(target=records[40])
    plan = planned("shapes.Locked")

    with CaptureQueriesContext(connection) as queries:
        outcome = plan.execute()

    assert kept(outcome) == [("shapes.Locked", records[40].pk, "protected by shapes.Lock", False)]
    assert list(Locked.objects.all()) == [records[40]]
    assert len(queries) < 100


def test_picture_that_goes_along_is_not_opened_though_the_host_hears_of_it() -> None:
    Detail.objects.create(part=Part.objects.create(file="parts/gone.stl"))
    Detail.objects.update(image="details/gone.jpg")
    heard: list[str] = []

    def hear(instance: Detail, **_: Any) -> None:
        heard.append(instance.image.name)

    post_delete.connect(hear, sender=Detail)
    try:
        outcome = planned("shapes.Part").execute()
    finally:
        post_delete.disconnect(hear, sender=Detail)

    assert [(one.what, one.count) for one in outcome.taken] == [("shapes.Detail", 1)]
    assert heard == ["details/gone.jpg"]
    with pytest.raises(FileNotFoundError):
        Detail(image="details/gone.jpg")  # outside of a removal all is as it was


@pytest.mark.sqlite
@given(
    st.dictionaries(
        st.text(),
        st.none() | st.integers() | st.text() | st.binary() | st.floats(allow_nan=False),
        max_size=6,
    )
)
def test_stored_form_gives_back_every_value(row: dict[str, Any]) -> None:
    payload = to_payload(form_of(list(row)), list(row.values()))

    again = from_payload(payload)

    assert again == row
    assert [type(value) for value in again.values()] == [type(value) for value in row.values()]


def test_changed_row_is_restored_like_an_emptied_one() -> None:
    page = Page.objects.create(book=3, number=7, file="pages/new.pdf")
    run = Run.objects.create(uid=RUN.uid, command="", started_at=RUN.started_at, finished_at=RUN.started_at)
    keys = {"book": 3, "number": 7}
    changed_row(Tombstone.Kind.RELINKED, Page, keys, "file", "pages/old.pdf", "pages/new.pdf", run.uid).save()
    stone = Tombstone.objects.get()
    assert (stone.kind, stone.model, stone.key) == ("relinked", "shapes.Page", "(3, 7)")

    done = restored()

    page.refresh_from_db()
    assert page.file.name == "pages/old.pdf"
    assert [one.name.name for one in done.restored] == ["pages/old.pdf"]
