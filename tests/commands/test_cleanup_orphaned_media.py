"""The summary, to the character of the command's page."""

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from auditor.models import Run
from auditor.orphans import registry
from deploy.gallery.models import Photo, Rendition, Video
from tests.commands.library import RULE, SCANNED, UNDO, anonymous, make_library, make_watched, shell
from tests.commands.programs import NAME
from tests.makers import make_album, make_file, make_known, make_photo, make_video
from tests.running import run
from tests.shapes.models import Pair, Profile

pytestmark = pytest.mark.django_db

FOUND_571 = f"""\
Scanning for orphaned media records...
Checking 414 photos...
Checking 157 videos...

{SCANNED}

{RULE}
ORPHANED RECORDS FOUND:
{RULE}
Photos: 414 orphaned out of 414 total
Videos: 157 orphaned out of 157 total
{RULE}

Orphaned Photos (sample):
  - photos/1000004108.jpg (Album: Evan Photos)
  - photos/1000004105.jpg (Album: Evan Photos)
  - photos/1000004102.jpg (Album: Evan Photos)
  - photos/1000004099.jpg (Album: Evan Photos)
  - photos/1000004096.jpg (Album: Evan Photos)
  - photos/1000004093.jpg (Album: Evan Photos)
  - photos/1000004090.jpg (Album: Evan Photos)
  - photos/1000004087.jpg (Album: Evan Photos)
  - photos/1000004084.jpg (Album: Evan Photos)
  - photos/1000004081.jpg (Album: Evan Photos)
  ... and 404 more

Orphaned Videos (sample):
  - videos/1000004108.mp4 (Album: Evan Photos)
  - videos/1000004105.mp4 (Album: Evan Photos)
  - videos/1000004102.mp4 (Album: Evan Photos)
  - videos/1000004099.mp4 (Album: Evan Photos)
  - videos/1000004096.mp4 (Album: Evan Photos)
  - videos/1000004093.mp4 (Album: Evan Photos)
  - videos/1000004090.mp4 (Album: Evan Photos)
  - videos/1000004087.mp4 (Album: Evan Photos)
  - videos/1000004084.mp4 (Album: Evan Photos)
  - videos/1000004081.mp4 (Album: Evan Photos)
  ... and 147 more

Affected albums:
  - Evan Photos: 414 photos, 157 videos
"""
DELETED_571 = f"""
{RULE}
CLEANUP COMPLETE
{RULE}
Photos deleted: 414
Videos deleted: 157
Total deleted: 571
{RULE}

{UNDO}
✓ Database cleaned successfully!
"""


def summary(photos: str, videos: str, *blocks: str, route: str = SCANNED) -> str:
    """The text of a run that deletes nothing, from the counts of its summary lines: "1 orphaned out of 2 total"."""
    totals = [line.split()[-2] for line in (photos, videos)]
    opening = f"Scanning for orphaned media records...\nChecking {totals[0]} photos...\nChecking {totals[1]} videos..."
    found = f"{RULE}\nORPHANED RECORDS FOUND:\n{RULE}\nPhotos: {photos}\nVideos: {videos}\n{RULE}"
    return "\n\n".join([opening, *([route] if route else []), found, *blocks]) + "\n"


def test_dry_run_shows_what_would_go(media: Path) -> None:
    make_library(media, photos=414, videos=157)

    ran = run(NAME, "--dry-run")

    assert (ran.code, ran.stdout) == (0, FOUND_571)
    assert (Photo.objects.count(), Video.objects.count()) == (414, 157)


@pytest.mark.parametrize("flag", ["--force", "--no-input", "--noinput"])
def test_force_deletes_without_asking(media: Path, flag: str) -> None:
    make_library(media, photos=414, videos=157)

    ran = run(NAME, flag)

    assert (ran.code, anonymous(ran.stdout)) == (0, FOUND_571 + DELETED_571)
    assert (Photo.objects.count(), Video.objects.count()) == (0, 0)


@pytest.mark.parametrize("flags", [["--dry-run"], ["--force"], ["--check"], []], ids=str)
def test_clean_database(media: Path, flags: list[str]) -> None:
    make_library(media, photos=100, videos=50, with_files=True)

    ran = run(NAME, *flags)

    clean = "✓ No orphaned records found! Database is clean."
    assert ran.stdout == summary("0 orphaned out of 100 total", "0 orphaned out of 50 total", clean)
    assert ran.code == 0


def test_empty_database_needs_no_media_folder() -> None:
    ran = run(NAME, "--dry-run")

    clean = "✓ No orphaned records found! Database is clean."
    assert ran.stdout == summary("0 orphaned out of 0 total", "0 orphaned out of 0 total", clean, route="")
    assert ran.code == 0


def test_check_shows_the_same_and_exits_with_3_for_orphans(media: Path) -> None:
    make_library(media, photos=414, videos=157)

    ran = run(NAME, "--check")

    assert (ran.code, ran.stdout) == (3, FOUND_571)
    assert Photo.objects.count() == 414


def test_ten_orphans_are_shown_without_more(media: Path) -> None:
    make_library(media, photos=10, videos=0)

    shown = run(NAME, "--dry-run").stdout

    assert shown.count("  - photos/") == 10
    assert "more" not in shown


def test_affected_albums_are_counted_by_name(media: Path) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    make_photo("photos/1.jpg", album=make_album("Zermatt"))
    make_photo("photos/2.jpg", album=make_album("Aix"))
    make_video("videos/3.mp4", album=make_album("Aix"))
    Video.objects.create(video="videos/4.mp4")

    ran = run(NAME, "--dry-run")

    assert ran.stdout == summary(
        "2 orphaned out of 2 total",
        "2 orphaned out of 2 total",
        "Orphaned Photos (sample):\n  - photos/1.jpg (Album: Zermatt)\n  - photos/2.jpg (Album: Aix)",
        "Orphaned Videos (sample):\n  - videos/3.mp4 (Album: Aix)\n  - videos/4.mp4",
        "Affected albums:\n  - Aix: 1 photo, 1 video\n  - Zermatt: 1 photo",
    )


def test_missing_thumbnail_is_reported_and_condemns_no_record(media: Path) -> None:
    make_photo("photos/a.jpg", media=media, thumbnail="thumbnails/a.jpg")
    make_known(media)

    ran = run(NAME, "--force")

    assert ran.stdout == summary(
        "0 orphaned out of 1 total",
        "0 orphaned out of 0 total",
        "Derived files missing (not deleted for that): Photos thumbnail: 1",
        "✓ No orphaned records found! Database is clean.",
    )
    assert (ran.code, Photo.objects.count()) == (0, 1)


def test_other_models_are_mentioned_and_never_deleted(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    Rendition.objects.create(photo=photo, width=320, file="renditions/a.jpg")
    Pair.objects.create(left="pairs/l.bin", right="pairs/r.bin")
    Profile.objects.create(name="Ann", avatar="avatars/ann.jpg")
    make_known(media)

    ran = run(NAME, "--force")

    assert ran.stdout == summary(
        "0 orphaned out of 1 total",
        "0 orphaned out of 0 total",
        "Also missing (reported only, never deleted):\n"
        "  - gallery.Rendition.file: 1 missing out of 1 record\n"
        "  - shapes.Pair.left: 1 missing out of 1 record\n"
        "  - shapes.Pair.right: 1 missing out of 1 record\n"
        "  - shapes.Profile.avatar: 1 missing out of 1 record",
        "✓ No orphaned records found! Database is clean.",
    )
    assert (ran.code, Rendition.objects.count(), Pair.objects.count(), Profile.objects.count()) == (0, 1, 1, 1)


def test_model_flag_names_one_model_in_place_of_the_settings(media: Path) -> None:
    make_library(media, photos=2, videos=1)

    ran = run(NAME, "--force", "--model", "gallery.Video")

    assert (
        anonymous(ran.stdout)
        == f"""\
Scanning for orphaned media records...
Checking 1 videos...

{SCANNED}

{RULE}
ORPHANED RECORDS FOUND:
{RULE}
Videos: 1 orphaned out of 1 total
{RULE}

Orphaned Videos (sample):
  - videos/1000004108.mp4 (Album: Evan Photos)

Affected albums:
  - Evan Photos: 1 video

Also missing (reported only, never deleted):
  - gallery.Photo.image: 2 missing out of 2 records

{RULE}
CLEANUP COMPLETE
{RULE}
Videos deleted: 1
Total deleted: 1
{RULE}

{UNDO}
✓ Database cleaned successfully!
"""
    )
    assert (ran.code, Photo.objects.count(), Video.objects.count()) == (0, 2, 0)


@pytest.fixture
def nothing_named(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that lists the app, and said nothing else yet."""
    settings.AUDITOR_MODELS = []
    monkeypatch.setattr(registry, "_registrations", {})


def test_without_any_named_model_everything_is_reported_with_the_line_to_add(media: Path, nothing_named: None) -> None:
    make_library(media, photos=2, videos=0)
    Pair.objects.create(left="pairs/l.bin", right="pairs/r.bin")

    ran = run(NAME, "--dry-run")

    assert (
        ran.stdout
        == f"""\
Scanning for orphaned media records...
Checking 2 photos...
Checking 0 renditions...
Checking 0 videos...
Checking 0 archiveds...
Checking 0 documents...
Checking 0 invoices...
Checking 0 lockeds...
Checking 0 measureds...
Checking 1 pairs...
Checking 0 passports...
Checking 0 vouchers...

{SCANNED}

{RULE}
ORPHANED RECORDS FOUND:
{RULE}
Photos: 2 orphaned out of 2 total
Renditions: 0 orphaned out of 0 total
Videos: 0 orphaned out of 0 total
Archiveds: 0 orphaned out of 0 total
Documents: 0 orphaned out of 0 total
Invoices: 0 orphaned out of 0 total
Lockeds: 0 orphaned out of 0 total
Measureds: 0 orphaned out of 0 total
Pairs: 1 orphaned out of 1 total
Passports: 0 orphaned out of 0 total
Vouchers: 0 orphaned out of 0 total
{RULE}

Orphaned Photos (sample):
  - photos/1000004108.jpg (Album: Evan Photos)
  - photos/1000004105.jpg (Album: Evan Photos)

Orphaned Pairs (sample):
  - pairs/l.bin

Affected albums:
  - Evan Photos: 2 photos

No model is named for deletion. To allow it, add to your settings:
  AUDITOR_MODELS = ["gallery.Photo", "shapes.Pair"]
"""
    )
    assert ran.code == 0


@pytest.mark.parametrize("flags", [["--force"], []], ids=str)
def test_without_any_named_model_nothing_is_deleted(media: Path, nothing_named: None, flags: list[str]) -> None:
    make_library(media, photos=2, videos=0)

    ran = shell(*flags)

    models = ["gallery.Photo", "gallery.Rendition", "gallery.Video", "shapes.Archived", "shapes.Document"]
    models += ["shapes.Invoice", "shapes.Locked", "shapes.Measured", "shapes.Pair"]
    models += ["shapes.Passport", "shapes.Voucher"]
    line = ", ".join(f'"{model}"' for model in models)
    assert ran.stdout == (
        "CommandError: No model is named for deletion, so nothing can be deleted.\n"
        f"Add to your settings: AUDITOR_MODELS = [{line}]\n"
        "Or look first, with --dry-run.\n"
    )
    assert (ran.code, ran.events, Photo.objects.count()) == (2, ["run.failed"], 2)


@pytest.mark.parametrize("flag", ["auto", "log"])
def test_audit_log_answers_where_a_watcher_vouches_for_it(media: Path, flag: str) -> None:
    make_library(media, photos=2, videos=1, with_files=True)
    (media / "photos/1000004105.jpg").unlink()
    make_watched(media, "photos/1000004105.jpg")

    ran = run(NAME, "--dry-run", "--route", flag)

    assert ran.stdout == summary(
        "1 orphaned out of 2 total",
        "0 orphaned out of 1 total",
        "Orphaned Photos (sample):\n  - photos/1000004105.jpg (Album: Evan Photos)",
        "Affected albums:\n  - Evan Photos: 1 photo",
        route="Audit log: complete up to 0 s ago, 1 deletion since the last checkpoint",
    )
    assert ran.code == 0


def test_scan_asked_for_scans_although_the_log_could_answer(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    make_watched(media)

    ran = run(NAME, "--dry-run", "--route", "scan")

    assert ran.stdout == summary(
        "1 orphaned out of 1 total",
        "0 orphaned out of 0 total",
        "Orphaned Photos (sample):\n  - photos/1000004108.jpg (Album: Evan Photos)",
        "Affected albums:\n  - Evan Photos: 1 photo",
        route="Full disk scan: asked for with --route scan",
    )


def test_hostile_names_are_written_out(media: Path) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    make_photo("photos/\x1b[2Jnew\nline\u202egpj.exe\x9b.jpg", album=make_album("\x1b]0;title\x07\u2066Aix"))
    make_photo("../\x1b[1m")

    ran = run(NAME, "--dry-run")

    assert ran.stdout == summary(
        "1 orphaned out of 2 total",
        "0 orphaned out of 0 total",
        r"Orphaned Photos (sample):"
        "\n"
        r"  - photos/\x1b[2Jnew\nline\u202egpj.exe\x9b.jpg (Album: \x1b]0;title\x07\u2066Aix)",
        "Affected albums:\n" r"  - \x1b]0;title\x07\u2066Aix: 1 photo",
        "Unknown: 1 name could not be judged; the records stay\n" r"  - ../\x1b[1m (the name leaves the media root)",
    )
    assert ran.code == 4


def test_user_without_a_name_may_delete_as_well(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=1, videos=0)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54_321)  # as containers run under a number of their own

    ran = run(NAME, "--force")

    assert (ran.code, Run.objects.get().user) == (0, "uid 54321")
