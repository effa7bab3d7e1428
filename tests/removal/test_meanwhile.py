"""What changed between the plan and the deletion: the last look decides, and says what it saw."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models.signals import post_delete

from auditor.errors import AuditorError, ExitCode
from deploy.gallery.models import Album, Photo
from tests.commands.library import RULE, UNDO, Person, anonymous
from tests.commands.programs import NAME
from tests.makers import make_file, make_known, make_photo, make_video
from tests.removal.removing import deleted, kept, planned
from tests.removal.rows import dump
from tests.running import run
from tests.shapes.models import Pair

pytestmark = pytest.mark.django_db
WENT_ON = """\
Photos deleted: {deleted}
Videos deleted: 0
Total deleted: {deleted}
"""


@pytest.fixture
def two_orphans(media: Path) -> Path:
    make_file(media, "photos/kept.jpg")
    make_photo("photos/1.jpg", pk=1)
    make_photo("photos/2.jpg", pk=2)
    return media


def rename_record(media: Path) -> None:
    Photo.objects.filter(pk=1).update(image="photos/new.jpg")


def empty_record(media: Path) -> None:
    Photo.objects.filter(pk=1).update(image="")


def bring_file_back(media: Path) -> None:
    make_file(media, "photos/1.jpg")


def delete_record(media: Path) -> None:
    Photo.objects.get(pk=1).delete()


def leave_the_root(media: Path) -> None:
    (media / "photos").rename(media.with_name("outside"))
    (media / "photos").symlink_to(media.with_name("outside"))


@pytest.mark.parametrize(
    ("meanwhile", "reason", "code"),
    [
        (rename_record, "the record has got another file", 0),
        (empty_record, "the record has got another file", 0),
        (bring_file_back, "the file is back", 0),
        (delete_record, "the record is gone already", 0),
        (leave_the_root, "a symlink leads out of the media root", 4),
    ],
)
def test_record_that_changed_meanwhile_is_kept_and_the_rest_goes(
    two_orphans: Path,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[Path], None],
    reason: str,
    code: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Person("yes\n", meanwhile=lambda: meanwhile(two_orphans)))

    ran = run(NAME)

    told = [(line["key"], line["path"], line["reason"]) for line in ran.log if line["event"] == "record.kept"]
    if meanwhile is leave_the_root:
        lines, went = [f"  - photos/{number}.jpg ({reason})" for number in (1, 2)], 0
        assert told == [("1", "photos/1.jpg", reason), ("2", "photos/2.jpg", reason)]
    else:
        lines, went = [f"  - photos/1.jpg ({reason})"], 1
        assert told == [("1", "photos/1.jpg", reason)]
        assert not Photo.objects.filter(pk=2).exists()
    noun = "record" if len(lines) == 1 else "records"
    counts = WENT_ON.format(deleted=went)
    complete = f"\n{RULE}\nCLEANUP COMPLETE\n{RULE}\n{counts}{RULE}\n\nKept: {len(lines)} {noun}\n"
    end = f"\n\n{UNDO}" if went else "\n"
    said = anonymous(ran.stdout)
    assert said[said.index(f"\n{RULE}\nCLEANUP") :] == complete + "\n".join(lines) + end
    assert (ran.code, Photo.objects.filter(pk=1).exists()) == (code, meanwhile is not delete_record)
    assert (ran.log[-1]["deleted_total"], ran.log[-1]["kept_total"]) == (went, len(lines))


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_file_that_cannot_be_looked_at_meanwhile_keeps_its_record(
    two_orphans: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    lstat = os.lstat

    def failing(path: Any, **rest: Any) -> os.stat_result:
        if str(path).endswith("photos/1.jpg"):
            raise OSError(error, os.strerror(error))
        return lstat(path, **rest)

    plan = planned()
    monkeypatch.setattr(os, "lstat", failing)

    outcome = plan.execute()

    reason = f"{errno.errorcode[error]}: {os.strerror(error)}"
    assert kept(outcome) == [("gallery.Photo", 1, reason, False)]
    assert deleted(outcome) == [("gallery.Photo", 2, 1)]
    assert list(Photo.objects.values_list("pk", flat=True)) == [1]


def test_one_of_two_missing_files_that_came_back_keeps_the_record(media: Path) -> None:
    make_file(media, "kept.bin")
    pair = Pair.objects.create(left="pairs/l.bin", right="pairs/r.bin")
    plan = planned("shapes.Pair")
    make_file(media, "pairs/r.bin")

    outcome = plan.execute()

    assert kept(outcome) == [("shapes.Pair", pair.pk, "the file is back", True)]
    assert (deleted(outcome), list(Pair.objects.all())) == ([], [pair])


def test_more_than_ten_kept_records_are_counted(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.jpg")
    for number in range(12):
        make_photo(f"photos/{number}.jpg")
    back = Person("yes\n", meanwhile=lambda: [make_file(media, f"photos/{number}.jpg") for number in range(12)])
    monkeypatch.setattr(sys, "stdin", back)

    ran = run(NAME)

    assert ran.stdout.endswith("  - photos/9.jpg (the file is back)\n  ... and 2 more\n")
    assert (ran.code, ran.events.count("record.kept"), Photo.objects.count()) == (0, 12, 12)


def test_record_that_a_signal_of_the_host_takes_first_is_not_deleted_twice(media: Path) -> None:
    make_file(media, "kept.jpg")
    photo, video = make_photo("photos/1.jpg"), make_video("videos/1.mp4")
    plan = planned()

    def clear_empty_albums(**_: Any) -> None:
        Album.objects.filter(photos=None).delete()

    post_delete.connect(clear_empty_albums, sender=Photo)
    try:
        outcome = plan.execute()
    finally:
        post_delete.disconnect(clear_empty_albums, sender=Photo)

    assert deleted(outcome) == [("gallery.Photo", photo.pk, 1)]
    assert kept(outcome) == [("gallery.Video", video.pk, "the record is gone already", True)]


def replace(media: Path) -> None:
    media.rename(media.with_name("another"))
    media.mkdir()


def remove_root(media: Path) -> None:
    media.rename(media.with_name("another"))


REPLACED = "The media root {} is not the folder it was a moment ago, so nothing was deleted."
GONE = "The media root {} cannot be read: No such file or directory."


@pytest.mark.parametrize(("change", "message"), [(replace, REPLACED), (remove_root, GONE)])
def test_root_that_changed_before_the_deletion_deletes_nothing(
    two_orphans: Path, change: Callable[[Path], None], message: str
) -> None:
    plan = planned()
    before = dump()
    change(two_orphans)

    with pytest.raises(AuditorError) as refused:
        plan.execute()

    assert (refused.value.message, refused.value.exit_code) == (message.format(two_orphans), ExitCode.REFUSED_ROOT)
    assert dump() == before


@pytest.mark.parametrize(("change", "message"), [(replace, REPLACED), (remove_root, GONE)])
def test_root_that_changed_during_the_deletion_deletes_nothing(
    two_orphans: Path, change: Callable[[Path], None], message: str
) -> None:
    plan = planned()
    before = dump()

    with pytest.raises(AuditorError) as refused:
        plan.execute(progress=lambda _: change(two_orphans))

    assert (refused.value.message, refused.value.exit_code) == (message.format(two_orphans), ExitCode.REFUSED_ROOT)
    assert dump() == before


def test_root_that_changed_while_somebody_thought_about_the_answer(
    two_orphans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_known(two_orphans)
    monkeypatch.setattr(sys, "stdin", Person("yes\n", meanwhile=lambda: replace(two_orphans)))

    ran = run(NAME)

    assert (ran.code, ran.events[-1], Photo.objects.count()) == (5, "run.failed", 2)
    assert ran.stdout.endswith(
        f"CommandError: The media root {two_orphans} has lost its marker: "
        "this is what an unmounted volume looks like.\n"
        "Mount what belongs there. "
        f"If this folder is meant, run: python manage.py register_media_root --replace {two_orphans}\n"
    )
