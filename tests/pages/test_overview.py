"""The overview: how each media folder is, what wants a person, and how much happens."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from auditor.answers.figures import hours
from auditor.auditlog import append_only, store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import SpanClosed
from auditor.models import Batch, Span
from auditor.pages import covering
from tests.answers.happening import append, at, deleted, root_of
from tests.commands.library import make_library, make_watched
from tests.makers import make_file, make_known, make_photo, real
from tests.pages.visiting import ADMIN, cleaned, text_of
from tests.running import run

pytestmark = pytest.mark.django_db


def overview(client: Client) -> str:
    return text_of(client.get(f"{ADMIN}/overview/"))


def recorded(batch: Batch, moment: datetime) -> None:
    """Makes it a batch that was recorded then."""
    with append_only.lifted("default"):
        Batch.objects.filter(pk=batch.pk).update(recorded_at=moment)


def test_a_covered_folder_says_since_when_and_how_complete_the_log_is(admin_client: Client, media: Path) -> None:
    make_library(media, photos=3, videos=1, with_files=True)
    make_watched(media, "photos/a.jpg", "photos/b.jpg")

    text = overview(admin_client)

    assert (
        f"covered {real(media)} The audit log is complete up to 0 s ago, 2 deletions since the last checkpoint."
        in text
    )
    assert re.search(r"Watched since \S+ \S+, for \d s Watermark \S+ \S+, \d s ago Last checkpoint", text)
    assert "Missing then 0 of 0 files that records name Deletions since 2" in text


def test_a_folder_that_nobody_watches_is_blind(admin_client: Client, media: Path) -> None:
    make_library(media, photos=1, videos=0, with_files=True)

    assert (
        f"blind {real(media)} No watcher has ever run for this folder (manage.py watch_media starts one)."
        in overview(admin_client)
    )


def test_a_closed_span_says_why_and_since_when_it_is_blind(admin_client: Client, media: Path) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    span = Span.objects.get()
    append(
        SpanClosed(
            root=span.root_id,
            occurred_at=span.covered_until,
            span=str(span.pk),
            covered_until=span.covered_until.isoformat(),
            reason=GapReason.OVERFLOW,
            detail="the kernel's queue overflowed",
        )
    )

    text = overview(admin_client)

    assert "No watcher is running, the last one was heard at" in text
    assert "Blind since" in text
    assert "(overflow: the kernel's queue overflowed)" in text


def test_a_silent_watcher_is_blind(admin_client: Client, media: Path, settings: LazySettings) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    Span.objects.update(covered_until=store.database_time("default") - timedelta(minutes=5))

    assert "The watcher was last heard 300 s ago, and 30 s are allowed." in overview(admin_client)


def test_a_watcher_that_has_not_compared_everything_is_catching_up(admin_client: Client, media: Path) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    Span.objects.get().checkpoints.all().delete()

    assert "catching up" in overview(admin_client)


def test_a_field_that_the_watcher_does_not_know_is_named(admin_client: Client, media: Path) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    checkpoint = Span.objects.get().checkpoints.get()
    checkpoint.fields.pop("gallery.Photo.image")
    checkpoint.save()

    text = overview(admin_client)

    assert "covered in part" in text
    assert "gallery.Photo.image: the watcher did not know this field when it compared everything" in text


def test_a_folder_that_is_not_there_is_blind_with_the_next_step(admin_client: Client, media: Path) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    media.rename(media.with_name("elsewhere"))

    text = overview(admin_client)

    assert f"blind {real(media)} The media root {real(media)} cannot be read: No such file or directory." in text
    assert "mount it or correct the setting" in text


def test_a_folder_that_no_field_uses_any_more_is_shown_as_well(
    admin_client: Client, media: Path, settings: LazySettings
) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media)
    settings.MEDIA_ROOT = str(make_file(media.with_name("new"), "a.jpg").parent)

    assert f"covered {real(media)} No record of this site names files here." in overview(admin_client)


def test_no_more_deletions_than_matter_are_counted(
    admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "MOST_DELETIONS", 3)
    make_library(media, photos=1, videos=0, with_files=True)
    make_watched(media, *(f"{number}.jpg" for number in range(5)))

    assert "Deletions since more than 3" in overview(admin_client)


def test_a_refused_run_is_seen_with_its_reason_and_its_next_step(admin_client: Client, media: Path) -> None:
    make_library(media, photos=3, videos=0)

    assert run("cleanup_orphaned_media", "--force", "--max-orphans", "1", "--log-format", "none").code == 6

    text = overview(admin_client)
    assert "Refused: cleanup_orphaned_media --force --max-orphans 1 3 of 3" in text
    assert "3 of 3 photos would be deleted, more than 1" in text
    assert "If the report above is right, run: python manage.py cleanup_orphaned_media --force --max-orphans 3" in text


def test_unknown_names_are_seen_with_their_reasons(admin_client: Client, media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    make_photo("../outside.jpg", pk=1)
    make_photo("gone.jpg", pk=2)

    run("cleanup_orphaned_media", "--force", "--log-format", "none")

    text = overview(admin_client)
    assert "1 unknown name in cleanup_orphaned_media: these records were kept" in text
    assert "gallery.Photo:1 ../outside.jpg (" in text


def test_what_the_last_check_has_found_is_told(admin_client: Client, media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    make_photo("gone.jpg")
    run("check_media_integrity", "--log-format", "none")

    assert "1 record whose file is missing" in overview(admin_client)


def test_the_last_runs_are_listed(admin_client: Client, media: Path) -> None:
    cleaned(media)

    assert "2 deleted, 4 along" in overview(admin_client)


def test_the_chart_and_its_table_say_the_same(admin_client: Client, media: Path) -> None:
    now = store.database_time("default")
    for hour, count in ((48, 7), (47, 1), (3, 5), (0, 2)):
        batch = append(*(deleted(root_of(media), f"{hour}/{number}.jpg") for number in range(count)))
        recorded(batch, now - timedelta(hours=hour))

    page = admin_client.get(f"{ADMIN}/overview/").content.decode()

    data = re.search(r'<script id="auditor-chart-data" type="application/json">(.*?)</script>', page)
    assert data is not None
    times, counts = json.loads(data[1])
    assert (len(times), sum(counts)) == (48, 8)


def test_hours_are_those_in_which_events_were_recorded(media: Path) -> None:
    root = root_of(media)
    for number, minutes in enumerate((10, 50, 70, 200)):
        recorded(append(deleted(root, f"{number}.jpg")), at(60 * minutes))

    found = hours(at(60 * 230), 4, using="default")

    assert found == [(at(0), 2), (at(3600), 1), (at(7200), 0), (at(10800), 1)]


def test_a_place_that_is_no_folder_is_told_of_without_asking_it(admin_client: Client, media: Path) -> None:
    store.register_root("s3://bucket/media", using="default")

    assert "not a folder s3://bucket/media It is no folder of this machine" in overview(admin_client)


def test_the_page_has_no_script_of_its_own_in_it(admin_client: Client, media: Path) -> None:
    page = admin_client.get(f"{ADMIN}/overview/").content.decode()

    assert [
        tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag and "application/json" not in tag
    ] == []
    assert re.findall(r'\son\w+="|<style| style="', page) == []
