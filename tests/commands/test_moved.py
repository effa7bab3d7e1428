"""A file that was moved is not lost: its record stays, and can be pointed at it."""

from pathlib import Path

import pytest

from auditor.auditlog import store
from auditor.auditlog.events import DirectoryMoved, FileDeleted, FileMoved
from deploy.gallery.models import Photo, Video
from tests.commands.library import Person, make_library, make_watched, shell
from tests.makers import make_file, real

pytestmark = pytest.mark.django_db
GONE = "photos/1000004105.jpg"
OLD, NEW = "photos/1000004108.jpg", "archive/1000004108.jpg"


def moved(media: Path, old: str, new: str) -> None:
    """A move that the watcher heard of."""
    (media / new).parent.mkdir(parents=True, exist_ok=True)
    (media / old).rename(media / new)
    root = store.register_root(real(media), using="default")
    now = store.database_time("default")
    kind = DirectoryMoved if (media / new).is_dir() else FileMoved
    store.append([kind(root=root.pk, path=old, to=new, occurred_at=now)], using="default")


@pytest.fixture
def watched(media: Path) -> Path:
    """Two photos and a video with their files, one of which was moved and another one deleted."""
    make_library(media, photos=2, videos=1, with_files=True)
    make_watched(media)
    moved(media, OLD, NEW)
    (media / GONE).unlink()
    root, now = store.register_root(real(media), using="default"), store.database_time("default")
    store.append([FileDeleted(root=root.pk, path=GONE, occurred_at=now, cause="unlinked")], using="default")
    return media


def names() -> list[str]:
    return sorted([*Photo.objects.values_list("image", flat=True), *Video.objects.values_list("video", flat=True)])


@pytest.mark.parametrize("route", ["log", "scan"])
def test_the_record_of_a_moved_file_stays_and_the_move_is_told(watched: Path, route: str) -> None:
    ran = shell("--force", "--route", route)

    assert {line["route"] for line in ran.log if line["event"] == "route.chosen"} == {route}
    assert (ran.code, names()) == (4, [OLD, "videos/1000004108.mp4"])
    assert "Photos: 2 orphaned out of 2 total\n" in ran.stdout
    assert f"\nMoved, and kept: 1 record (--relink uses the new names)\n  - {OLD}, moved to {NEW}\n" in ran.stdout
    [told] = [line for line in ran.log if line["event"] == "orphan.found" and line["path"] == OLD]
    assert (told["fate"], told["moved_to"], told["evidence"]) == ("moved", NEW, "seen")


def test_relink_points_the_record_at_the_file_and_deletes_only_what_is_lost(watched: Path) -> None:
    ran = shell("--force", "--relink", "--route", "scan")

    assert (ran.code, names()) == (0, [NEW, "videos/1000004108.mp4"])
    assert f"\nRelinked: 1 record\n  - {OLD}, moved to {NEW}\n" in ran.stdout
    assert (ran.log[-1]["relinked_total"], ran.log[-1]["deleted_total"]) == (1, 1)
    assert shell("--check", "--route", "scan").code == 0


def test_a_person_is_told_what_a_relink_does_before_it_is_done(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Person("yes\n"))

    ran = shell("--relink", "--path", OLD, "--route", "scan")

    warning = "⚠️  WARNING: This will change the file names in these database records!\nAre you sure"
    assert (ran.code, ran.stdout.count(warning), ran.stdout.count("permanently delete")) == (0, 1, 0)
    assert names() == [NEW, GONE, "videos/1000004108.mp4"]


def test_moved_records_go_as_well_if_that_is_asked_for(watched: Path) -> None:
    ran = shell("--force", "--delete-moved", "--route", "scan")

    assert (ran.code, names(), (watched / NEW).exists()) == (0, ["videos/1000004108.mp4"], True)


def test_a_folder_that_was_moved_takes_its_records_along(watched: Path) -> None:
    moved(watched, "videos", "films")

    shell("--force", "--relink", "--route", "scan")

    assert names() == [NEW, "films/1000004108.mp4"]


def test_a_record_whose_file_seems_to_be_elsewhere_is_kept_and_the_name_is_proposed(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    make_file(media, "elsewhere/1000004108.jpg")

    looked = shell("--force")
    relinked = shell("--force", "--relink=proposed")

    assert (
        "\nFound elsewhere, and kept: 1 record (--relink=proposed uses the names that were found)\n"
        f"  - {OLD}, same name as elsewhere/1000004108.jpg\n" in looked.stdout
    )
    assert (looked.code, relinked.code, names()) == (4, 0, ["elsewhere/1000004108.jpg"])


def test_a_whole_folder_that_was_renamed_while_nobody_watched_loses_no_record(media: Path) -> None:
    make_library(media, photos=20, videos=0, with_files=True)
    (media / "photos").rename(media / "fotos")

    ran = shell("--force")

    assert (ran.code, Photo.objects.count(), ran.log[-1]["deleted_total"]) == (4, 20, 0)


def test_a_relink_of_what_was_seen_does_not_believe_what_was_only_found(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    make_file(media, "elsewhere/1000004108.jpg")

    ran = shell("--force", "--relink")

    assert (ran.code, names()) == (4, [OLD])


def test_what_was_only_found_goes_as_well_if_that_is_asked_for(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    make_file(media, "elsewhere/1000004108.jpg")

    ran = shell("--force", "--delete-moved")

    assert (ran.code, names()) == (0, [])
