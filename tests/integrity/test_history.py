"""What is new, what is open and what has healed; and never more than was looked at."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from auditor.integrity.history import one_check_at_a_time
from auditor.models import Checksum, IntegrityCheck, OpenFinding, Root
from deploy.gallery.models import Photo
from tests.integrity.checking import check, found, healed, lines, make_sound, states
from tests.makers import make_file, make_photo, make_video, real
from tests.removal.rows import dump
from tests.running import run

pytestmark = pytest.mark.django_db


def test_first_look_finds_nothing_new_and_later_ones_tell_new_from_open(media: Path) -> None:
    make_sound(media)
    make_photo("photos/1.jpg")

    first = check()
    make_photo("photos/2.jpg")
    second = check()
    third = check()

    assert states(first) == {"photos/1.jpg": "first_look"}
    assert states(second) == {"photos/1.jpg": "open", "photos/2.jpg": "new"}
    assert states(third) == {"photos/1.jpg": "open", "photos/2.jpg": "open"}
    assert healed(third) == []


def test_finding_heals_when_its_file_is_back_and_when_its_record_is_gone(media: Path) -> None:
    make_sound(media)
    back, gone = make_photo("photos/back.jpg"), make_photo("photos/gone.jpg")
    check()
    make_file(media, str(back.image))
    gone.delete()

    ran = check()

    assert healed(ran) == [("missing", "photos/back.jpg"), ("missing", "photos/gone.jpg")]
    assert (found(ran), OpenFinding.objects.count()) == ([], 0)


@pytest.mark.parametrize("narrow", [("--path", "videos/"), ("--model", "gallery.Video")])
def test_what_was_not_looked_at_has_not_healed(media: Path, narrow: tuple[str, str]) -> None:
    make_sound(media)
    photo = make_photo("photos/a.jpg")
    check()
    make_file(media, str(photo.image))

    narrowed, whole = check(*narrow), check()

    assert (healed(narrowed), healed(whole)) == ([], [("missing", "photos/a.jpg")])


def test_what_no_earlier_run_has_looked_for_is_not_new(media: Path) -> None:
    make_sound(media)
    make_photo("photos/a.jpg")
    make_video("videos/a.mp4")

    check("--path", "videos/")

    assert states(check()) == {"photos/a.jpg": "first_look", "videos/a.mp4": "open"}


def test_name_that_becomes_unknown_has_not_healed(media: Path) -> None:
    make_sound(media)
    make_photo("volume/a.jpg")
    check()
    Root.objects.update(mounts=["volume"])

    ran = check()

    assert found(ran) == [("unknown", "volume/a.jpg", "the file system at volume is not mounted")]
    assert (healed(ran), ran.log[-1]["still_open"]) == ([], 1)


def test_findings_of_a_folder_that_is_away_have_not_healed(media: Path, settings: LazySettings) -> None:
    make_sound(media)
    make_photo("photos/a.jpg")
    check()
    media.rename(media.with_name("elsewhere"))

    assert check().code == 5
    assert OpenFinding.objects.count() == 1


def test_findings_of_a_folder_that_no_field_uses_any_more_are_settled(media: Path, settings: LazySettings) -> None:
    make_sound(media)
    make_photo("photos/a.jpg")
    check()
    moved = media.rename(media.with_name("elsewhere"))
    settings.MEDIA_ROOT = str(moved)

    ran = check()

    assert (ran.code, healed(ran), ran.log[-1]["still_open"]) == (0, [("missing", "photos/a.jpg")], 0)
    assert [one.root for one in OpenFinding.objects.all()] == [real(moved)]


def test_unreadable_directory_heals_when_it_can_be_listed(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415

    make_sound(media)
    make_video("videos/a.mp4", media=media)
    honest = os.scandir

    def refusing(path: Any = ".") -> Any:
        if str(path).endswith("/videos/"):
            raise PermissionError(13, "Permission denied")
        return honest(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refusing)
        check()

    assert healed(check()) == [("unreadable", "videos/")]


def test_number_of_unused_files_is_compared_with_the_last_check(media: Path) -> None:
    make_sound(media)
    make_file(media, "tmp/a.bin")
    check()
    make_file(media, "tmp/b.bin")
    make_file(media, "tmp/c.bin")

    ran = check()

    assert "Note: 3 files that nothing names, 21 bytes; 2 more than on " in ran.stdout
    assert OpenFinding.objects.count() == 0


def test_a_check_writes_only_to_its_own_tables_and_touches_no_file(media: Path) -> None:
    make_sound(media)
    make_photo("photos/gone.jpg")
    make_file(media, "tmp/a.bin")
    before = dump()
    files = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in media.rglob("*") if path.is_file()}

    check("--deep", "--checksums")

    changed = {table for table, rows in dump().items() if rows != before.get(table)}
    assert changed == {"auditor_checksum", "auditor_openfinding", "auditor_integritycheck"}
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in media.rglob("*") if path.is_file()} == files


def test_only_the_latest_checks_are_kept(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.integrity.history.CHECKS_KEPT", 2)
    make_sound(media)

    uids = [line["run_id"] for _ in range(4) for line in lines(check(), "check.completed")]

    assert sorted(str(one.uid) for one in IntegrityCheck.objects.all()) == sorted(uids[-2:])


def test_number_of_queries_does_not_grow_with_the_records(media: Path, django_assert_num_queries: Any) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    make_sound(media)
    make_photo("photos/gone.jpg")
    check()
    with CaptureQueriesContext(
        connection,
    ) as few:
        check()
    album = Photo.objects.all()[0].album
    for number in range(300):
        make_file(media, f"photos/{number}.jpg")
    Photo.objects.bulk_create(Photo(image=f"photos/{number}.jpg", album=album) for number in range(300))

    with django_assert_num_queries(len(few)):
        check()


def test_one_check_is_at_work_at_a_time(media: Path) -> None:
    make_sound(media)

    with one_check_at_a_time("default"):
        second = check("--checksums")
        beside = run("cleanup_orphaned_media", "--force", "--route", "scan")

    assert (second.code, beside.code, IntegrityCheck.objects.count(), Checksum.objects.count()) == (7, 0, 0, 0)
    assert second.log[-1]["message"].startswith("Another check is at work on this database: ")
    assert check("--checksums").code == 0
