"""The lists: what can be asked for, page by page, and that no table is counted."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from auditor.auditlog.events import FileMoved
from auditor.models import Run, Tombstone
from auditor.pages import listing
from tests.answers.happening import RUN, append, at, deleted, ran, root_of, watched
from tests.pages.visiting import ADMIN, cells_of, cleaned, text_of

pytestmark = pytest.mark.django_db


def positions(client: Client, **asked: str) -> list[int]:
    """The positions that the list of events shows."""
    return [int(row[0]) for row in cells_of(client.get(f"{ADMIN}/event/", asked))]


def fault(client: Client, name: str, **asked: str) -> str:
    found = re.search(
        r'<p class="errornote" role="alert">(.*?)</p>', client.get(f"{ADMIN}/{name}/", asked).content.decode()
    )
    return found[1].replace("<br>", " ").replace("&#x27;", "'") if found else ""


def test_events_are_listed_newest_first(admin_client: Client, media: Path) -> None:
    root = root_of(media)
    append(deleted(root, "photos/a.jpg", 131))
    append(FileMoved(root=root.pk, path="b.jpg", to="c.jpg", occurred_at=at(140)))

    assert cells_of(admin_client.get(f"{ADMIN}/event/")) == [
        ["2", "2026-03-01 10:02:20", "file.moved", "b.jpg", "-> c.jpg"],
        ["1", "2026-03-01 10:02:11", "file.deleted", "photos/a.jpg", "(unlinked)"],
    ]


def test_events_are_found_by_name_prefix_run_type_folder_and_time(
    admin_client: Client, media: Path, tmp_path: Path
) -> None:
    root, other = root_of(media), root_of(tmp_path / "other")
    append(deleted(root, "photos/a.jpg"), deleted(root, "photos/b.jpg"), deleted(other, "photos/a.jpg"))
    append(FileMoved(root=root.pk, path="photos/a.jpg", to="c.jpg", occurred_at=at(1)))
    append(deleted(root, "photos*", run=RUN))

    assert positions(admin_client, q="photos/a.jpg") == [4, 3, 1]
    assert positions(admin_client, q="photos/*") == [4, 3, 2, 1]
    assert positions(admin_client, q=str(RUN)) == [5]
    assert positions(admin_client, type="file.moved") == [4]
    assert positions(admin_client, root=str(other.pk)) == [3]
    assert positions(admin_client, q="photos/*", root=str(root.pk), type="file.deleted") == [2, 1]
    assert positions(admin_client, since="1h") == [5, 4, 3, 2, 1]
    assert positions(admin_client, until="2026-01-01") == []


def test_what_can_mean_nothing_is_told_in_a_sentence(admin_client: Client, media: Path) -> None:
    root_of(media)

    assert fault(admin_client, "event", since="soon") == (
        "Since must be a time such as 2026-03-01, '2026-03-01 10:00' or 2h, not 'soon'. "
        "Write it as year-month-day, with hours and minutes if you like, or as a length of time."
    )
    assert fault(admin_client, "event", before="-1") == "'-1' is no position. Leave it out to see the newest page."
    assert fault(admin_client, "event", root="9" * 30) == (
        f"'{'9' * 30}' is no position. Leave it out to see the newest page."
    )
    assert fault(admin_client, "event", q="a\0b") == "No name has a NUL in it. Leave it out."
    assert fault(admin_client, "event", q=str(RUN), root="1") == (
        "What a run wrote is listed for all media folders together. Choose all folders."
    )
    assert (
        fault(admin_client, "run", q="ff") == "No runs have an id that begins with 'ff'. audit_log runs shows the ids."
    )
    assert fault(admin_client, "tombstone", q="x").startswith("'x' is neither a record nor a run.")


def test_what_is_asked_for_stays_in_the_form(admin_client: Client, media: Path) -> None:
    root_of(media)

    page = admin_client.get(f"{ADMIN}/event/", {"q": '"><b>', "type": "file.moved"}).content.decode()

    assert 'value="&quot;&gt;&lt;b&gt;"' in page
    assert '<option value="file.moved" selected>' in page


def test_pages_follow_one_another_without_a_hole(
    admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.pages.events.ROWS", 2)
    root = root_of(media)
    append(*(deleted(root, f"a/{number}.jpg") for number in range(5)), deleted(root, "b.jpg"))

    seen, address = [], f"{ADMIN}/event/?q=a/*"
    while address:
        page = admin_client.get(address)
        seen += [row[0] for row in cells_of(page)]
        older = re.search(r'<a href="([^"]*)" rel="next">', page.content.decode())
        address = f"{ADMIN}/event/{older[1].replace('&amp;', '&')}" if older else ""

    assert seen == ["5", "4", "3", "2", "1"]
    assert "Newest" in text_of(page)


def test_spans_are_listed_with_the_gaps_between_them(admin_client: Client, media: Path) -> None:
    root = root_of(media)
    watched(root, 0, 60, reason="overflow", span=UUID(int=1))
    watched(root, 120, 180, reason="stopped", span=UUID(int=2))

    rows = cells_of(admin_client.get(f"{ADMIN}/span/"))

    assert [row[:4] for row in rows[1:]] == [
        ["covered", "2026-03-01 10:02:00", "2026-03-01 10:03:00", "1 min"],
        ["blind", "2026-03-01 10:01:00", "2026-03-01 10:02:00", "1 min"],
        ["covered", "2026-03-01 10:00:00", "2026-03-01 10:01:00", "1 min"],
    ]
    assert [row[4] for row in rows] == ["it was stopped", "", "overflow", ""]
    assert (rows[0][0], rows[0][2]) == ("blind", "now")


def test_a_later_page_of_spans_begins_with_the_gap_before_the_last_one(
    admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.pages.spans.ROWS", 1)
    root = root_of(media)
    watched(root, 0, 60, reason="overflow", span=UUID(int=1))
    watched(root, 120, 180, reason="stopped", span=UUID(int=2))

    rows = cells_of(admin_client.get(f"{ADMIN}/span/", {"root": str(root.pk), "before": "3"}))

    assert [row[:3] for row in rows] == [
        ["blind", "2026-03-01 10:01:00", "2026-03-01 10:02:00"],
        ["covered", "2026-03-01 10:00:00", "2026-03-01 10:01:00"],
    ]


def test_runs_are_listed_and_found_by_the_beginning_of_their_id(admin_client: Client, media: Path) -> None:
    run = cleaned(media)
    ran(RUN, "cleanup_unused_files", 0)

    rows = cells_of(admin_client.get(f"{ADMIN}/run/"))

    assert [row[1:4] for row in rows] == [
        ["cleanup_orphaned_media", run.user, "2 deleted, 4 along"],
        ["cleanup_unused_files", "anna", "not completed"],
    ]
    assert cells_of(admin_client.get(f"{ADMIN}/run/", {"q": str(RUN)[:6]})) == rows[1:]
    assert cells_of(admin_client.get(f"{ADMIN}/run/", {"before": str(run.uid)})) == rows[1:]


def test_tombstones_are_found_by_record_and_by_run(admin_client: Client, media: Path) -> None:
    run = cleaned(media)

    every = cells_of(admin_client.get(f"{ADMIN}/tombstone/"))

    assert len(every) == Tombstone.objects.count()
    assert cells_of(admin_client.get(f"{ADMIN}/tombstone/", {"q": str(run.uid)})) == every
    assert cells_of(admin_client.get(f"{ADMIN}/tombstone/", {"q": "gallery.Photo:1"})) == [
        ["gallery.Photo:1", "deleted, as its file was gone", str(run.uid)[:8], "waits to be brought back"]
    ]
    assert cells_of(admin_client.get(f"{ADMIN}/tombstone/", {"q": "gallery.Photo:9"})) == []


def test_pages_of_tombstones_follow_one_another(
    admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned(media)
    every = cells_of(admin_client.get(f"{ADMIN}/tombstone/"))
    monkeypatch.setattr("auditor.pages.tombstones.ROWS", 3)
    last = Tombstone.objects.order_by("-id")[2].pk

    first = admin_client.get(f"{ADMIN}/tombstone/")

    assert (cells_of(first), f"before={last}" in first.content.decode()) == (every[:3], True)
    assert cells_of(admin_client.get(f"{ADMIN}/tombstone/", {"before": str(last)})) == every[3:6]


@pytest.mark.parametrize("name", ["event", "overview", "run", "span", "tombstone"])
def test_no_table_is_counted_and_no_query_is_added_by_a_longer_log(
    admin_client: Client, media: Path, name: str
) -> None:
    cleaned(media)
    root = root_of(media)
    watched(root, 0, 60, reason="overflow")
    admin_client.get(f"{ADMIN}/{name}/")  # which fills the caches of Django

    with CaptureQueriesContext(
        connection,
    ) as short:
        admin_client.get(f"{ADMIN}/{name}/")
    append(*(deleted(root, f"{number}.jpg") for number in range(listing.ROWS + 10)))
    Tombstone.objects.bulk_create(
        Tombstone(run=Run.objects.get(), kind="orphan", model="gallery.Tag", key=str(number), payload="{}", sha256="")
        for number in range(listing.ROWS + 10)
    )
    with CaptureQueriesContext(connection) as long:
        admin_client.get(f"{ADMIN}/{name}/")

    assert len(long) <= len(short) + 2  # the batches are halved once more
    counting = [one["sql"] for one in long if "COUNT(" in one["sql"].upper()]
    assert [sql for sql in counting if "LIMIT" not in sql.upper()] == []
