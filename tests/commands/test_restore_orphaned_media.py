"""The command that undoes a clean-up: its text, its lines and its exit codes."""

import json
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from auditor.auditlog import store
from auditor.auditlog.events import FileMoved
from auditor.locks import Lock
from auditor.models import Event, Run, Tombstone
from auditor.removal.runs import CLEAN_UP
from deploy.gallery.models import Album, Photo, Rendition, Tag
from tests.commands.library import RULE, make_library
from tests.commands.programs import NAME as CLEAN_UP_COMMAND
from tests.makers import make_album, make_file, make_known, make_photo, real
from tests.removal.restoring import site_rows
from tests.running import Ran, manage, run

pytestmark = pytest.mark.django_db
NAME = "restore_orphaned_media"
A, B = "gallery.Photo:1", "gallery.Photo:2"


def cleaned(media: Path) -> Run:
    """Two photos with all that hangs on them, deleted by a clean-up; the file of the first is back."""
    make_file(media, "kept.jpg")
    tag = Tag.objects.create(name="sea")
    for number in (1, 2):
        photo = make_photo(f"photos/{number}.jpg", pk=number, album=make_album(f"Album {number}"))
        photo.tags.add(tag)
        Rendition.objects.create(pk=number, photo=photo, width=320, file="kept.jpg")
        Album.objects.filter(pk=photo.album_id).update(cover=photo)
    assert run(CLEAN_UP_COMMAND, "--force").code == 0
    make_file(media, "photos/1.jpg")
    return Run.objects.get()


def opening(of: Run, *, verb: str = "restore") -> str:
    return f"To {verb}: run {of.uid} of {timezone.localtime(of.finished_at):%Y-%m-%d %H:%M} by {of.user}\n"


PLANNED = f"""
{RULE}
RECORDS TO RESTORE:
{RULE}
Photos: 1 to restore
{RULE}

To restore (sample):
  - photos/1.jpg (gallery.Photo:1)

With them: 1 rendition, 1 tag link
Set again: 1 album cover

Stay away: 1 record
  - gallery.Photo:2 (photos/2.jpg: the file is missing)
"""
DONE = f"""
{RULE}
RESTORE COMPLETE
{RULE}
Photos restored: 1
Total restored: 1
{RULE}
"""


def events(ran: Ran) -> list[str]:
    return [json.loads(line)["event"] for line in ran.stdout.splitlines()]


def test_only_records_whose_file_is_back_come_back(media: Path) -> None:
    of = cleaned(media)

    ran = run(NAME, "--force")

    assert (ran.code, ran.stdout) == (4, opening(of) + PLANNED + DONE)
    assert list(Photo.objects.values_list("pk", flat=True)) == [1]
    assert list(Album.objects.order_by("name").values_list("cover", flat=True)) == [1, None]
    assert ran.events == [
        *("run.started", "restore.planned", "record.restorable", "restore.away"),
        *("record.restored", "restore.completed"),
    ]


def test_all_come_back_in_two_runs_and_the_third_finds_nothing(media: Path) -> None:
    cleaned(media)

    first, second, third = (run(NAME, "--force", *flags) for flags in ([], ["--with-missing-files"], []))

    assert (first.code, second.code, third.code) == (4, 0, 2)
    assert second.stdout.endswith("✓ Records restored!\n")
    assert third.stdout == (
        "CommandError: No run has anything to bring back.\n"
        "What a clean-up deletes can be brought back from then on; --list shows the runs.\n"
    )
    assert (Photo.objects.count(), Rendition.objects.count()) == (2, 2)
    assert set(Album.objects.values_list("cover", flat=True)) == {1, 2}


def test_dry_run_shows_the_same_and_writes_nothing(media: Path) -> None:
    of = cleaned(media)
    before, log = site_rows(), Event.objects.count()

    ran = run(NAME, "--dry-run")

    assert (ran.code, ran.stdout) == (4, opening(of) + PLANNED)
    assert (site_rows(), Event.objects.count()) == (before, log)
    assert not Tombstone.objects.exclude(restored_at=None).exists()


@pytest.mark.parametrize(("answer", "code", "photos"), [("yes\n", 4, 1), ("no\n", 1, 0), ("y\n", 1, 0), ("", 1, 0)])
def test_it_asks(media: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, photos: int) -> None:
    of = cleaned(media)
    monkeypatch.setattr(sys, "stdin", StringIO(answer))

    ran = run(NAME)

    ending = DONE if photos else "Cancelled. Nothing was restored.\n"
    question = "\nRestore these database records? (yes/no): \n"
    assert (ran.code, ran.stdout) == (code, opening(of) + PLANNED + question + ending)
    assert Photo.objects.count() == photos


def test_one_record_by_its_name(media: Path) -> None:
    cleaned(media)

    ran = run(NAME, "--force", "--with-missing-files", "--only", "gallery.photo:2")

    assert ran.code == 0
    assert list(Photo.objects.values_list("pk", flat=True)) == [2]
    assert list(Rendition.objects.values_list("pk", flat=True)) == [2]


@pytest.mark.parametrize("flags", [["--only", A, B], ["--only", A, "--only", B]], ids=["one flag", "two flags"])
def test_several_records_by_their_names(media: Path, flags: list[str]) -> None:
    cleaned(media)

    ran = run(NAME, "--force", "--with-missing-files", *flags)

    assert ran.code == 0
    assert set(Photo.objects.values_list("pk", flat=True)) == {1, 2}


def test_id_of_a_run_behind_the_records_is_not_taken_for_one(media: Path) -> None:
    of = cleaned(media)

    ran = run(NAME, "--force", "--only", A, str(of.uid))

    assert (ran.code, ran.stdout) == (
        2,
        f"CommandError: --only takes records such as gallery.Photo:5, and '{of.uid}' is none.\n"
        "Put the id of the run before --only.\n",
    )
    assert not Photo.objects.exists()


def test_name_of_a_record_that_is_not_there(media: Path) -> None:
    cleaned(media)

    ran = run(NAME, "--force", "--only", "gallery.Photo:1", "gallery.Photo:9")

    assert ran.code == 2
    assert "CommandError: The run has no record gallery.photo:9 to bring back.\n" in ran.stdout
    assert not Photo.objects.exists()


def test_run_is_named_by_the_beginning_of_its_id(media: Path) -> None:
    of = cleaned(media)

    good, bad = run(NAME, str(of.uid)[:11], "--dry-run"), run(NAME, "zz", "--dry-run")

    assert (good.code, good.stdout) == (4, opening(of) + PLANNED)
    assert bad.code == 2
    assert "No runs with something to bring back have an id that begins with 'zz'." in bad.stdout


def test_runs_are_listed(media: Path) -> None:
    of = cleaned(media)

    ran = run(NAME, "--list")
    run(NAME, "--force", "--with-missing-files")
    empty = run(NAME, "--list")

    line = f"{of.uid}  {timezone.localtime(of.finished_at):%Y-%m-%d %H:%M}  2 records, 8 rows"
    title = "RUNS THAT CAN BE RESTORED:"
    assert (ran.code, ran.stdout) == (0, f"{RULE}\n{title}\n{RULE}\n{line}\n{RULE}\n")
    assert (empty.code, empty.stdout) == (0, "No run has anything to bring back.\n")


def test_older_run_that_waits_is_told_of_where_nothing_of_the_newest_can_come_back(media: Path) -> None:
    older = cleaned(media)
    make_photo("photos/3.jpg", pk=3)
    assert run(CLEAN_UP_COMMAND, "--force").code == 0
    newest = Run.objects.exclude(pk=older.pk).get()

    ran, by_name = run(NAME, "--force"), run(NAME, "--force", str(newest.uid))
    make_file(media, "photos/3.jpg")
    with_something = run(NAME, "--force")

    stays = "Stay away: 1 record\n  - gallery.Photo:3 (photos/3.jpg: the file is missing)\n"
    assert (ran.code, by_name.code, with_something.code) == (4, 4, 0)
    assert ran.stdout.endswith(f"{stays}\nOlder runs wait too: restore_orphaned_media --list\n")
    assert by_name.stdout.endswith(stays)
    assert "Older runs" not in with_something.stdout


def test_newest_run_that_waits_alone_tells_of_no_older_one(media: Path) -> None:
    cleaned(media)
    (media / "photos/1.jpg").unlink()

    ran = run(NAME, "--force")

    assert (ran.code, "Older runs" in ran.stdout) == (4, False)


def test_conflict_stops_everything_until_it_is_to_be_skipped(media: Path) -> None:
    cleaned(media)
    make_photo("photos/other.jpg", pk=1)

    stopped = run(NAME, "--force", "--with-missing-files")
    assert (stopped.code, Photo.objects.count()) == (1, 1)
    skipped = run(NAME, "--force", "--with-missing-files", "--skip-conflicts")

    told = "Conflicts: 1 row\n  - gallery.Photo:1: another record has its key\n"
    assert stopped.stdout.endswith(f"\n{told}\n1 conflict, so nothing was restored.\n")
    assert (skipped.code, Photo.objects.count()) == (4, 2)
    assert told in skipped.stdout


@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_lines_on_stdout(media: Path, flag: str) -> None:
    of = cleaned(media)
    make_photo("photos/other.jpg", pk=2)

    ran = run(NAME, flag, "--json", "--with-missing-files", "--skip-conflicts")

    written = [json.loads(line) for line in ran.stdout.splitlines()]
    names = ["run.started", "restore.planned", "record.restorable", "restore.conflict"]
    is_dry = flag == "--dry-run"
    assert events(ran) == [*names, *([] if is_dry else ["record.restored"]), "restore.completed"]
    assert written[1] | EXPECTED_PLAN == written[1] | {"restored_run": str(of.uid)}
    assert (written[-1]["exit_code"], written[-1]["restored"]) == (4, {} if is_dry else {"gallery.Photo": 1})
    assert ran.stderr == ""


def relinked_and_gone(media: Path) -> Run:
    """Two photos that a run pointed at new files, one of which is deleted since."""
    for name in ("a.jpg", "b.jpg"):
        make_photo(f"photos/{name}", media=media)
    moves = [(f"photos/{name}", f"moved-{name}") for name in ("a.jpg", "b.jpg")]
    for old, new in moves:
        (media / old).rename(media / new)
    root, now = store.register_root(real(media), using="default"), store.database_time("default")
    store.append([FileMoved(root=root.pk, path=old, to=new, occurred_at=now) for old, new in moves], using="default")
    make_known(media)
    assert run(CLEAN_UP_COMMAND, "--force", "--relink").code == 0
    Photo.objects.get(image="moved-a.jpg").delete()
    return Run.objects.get()


def test_relinked_record_that_is_gone_is_told_and_not_said_to_be_back(media: Path) -> None:
    of = relinked_and_gone(media)
    gone = Tombstone.objects.order_by("id").values_list("key", flat=True)[0]

    ran = run(NAME, "--force", "--with-missing-files")

    left = f"Left as it is: 1 row\n  - gallery.Photo:{gone} (the row is gone)\n"
    assert ran.code == 4
    assert ran.stdout.endswith(f"Photos restored: 1\nTotal restored: 1\n{RULE}\n\n{left}")
    assert ran.events[-3:] == ["restore.away", "record.restored", "restore.completed"]
    assert Tombstone.objects.get(run=of, restored_at=None).key == gone
    assert run(NAME, "--force", "--with-missing-files").stdout.endswith(f"Total restored: 0\n{RULE}\n\n{left}")


EXPECTED_PLAN: dict[str, Any] = {
    "records": {"gallery.Photo": 1},
    "along": {"gallery.Photo_tags": 1, "gallery.Rendition": 1},
    "keys": {"gallery.Album.cover_id": 1},
    "away_total": 0,
    "conflicts_total": 1,
}


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--json"], "--json cannot ask for a confirmation."),
        (["--dry-run", "--force"], "--dry-run and --force contradict each other."),
        (["--erase", "--skip-conflicts"], "--erase and --skip-conflicts contradict each other."),
        (["--database", "other"], "There is no database 'other' in DATABASES."),
    ],
    ids=str,
)
def test_flags_that_make_no_sense(flags: list[str], sentence: str) -> None:
    ran = run(NAME, *flags)

    assert ran.code == 2
    assert sentence in ran.stdout


def test_another_run_at_work_keeps_it_out(media: Path) -> None:
    cleaned(media)
    lock = Lock(CLEAN_UP, using="default")
    assert lock.acquire()
    try:
        ran = run(NAME, "--force")
    finally:
        lock.release()

    assert ran.code == 7
    assert "CommandError: Another clean-up or restore is at work on this database: " in ran.stdout
    assert not Photo.objects.exists()


def test_what_was_kept_is_erased_and_cannot_be_restored(media: Path) -> None:
    of = cleaned(media)

    ran = run(NAME, "--erase", "--force", "--only", "gallery.Photo:1")

    shown = f"{RULE}\nTOMBSTONES TO ERASE:\n{RULE}\nPhotos: 1 to erase\nRows in all: 4\n{RULE}\n"
    warning = "⚠️  WARNING: What is erased can never be restored!\n"
    done = f"{RULE}\nERASING COMPLETE\n{RULE}\nRows erased: 4\n{RULE}\n"
    assert (ran.code, ran.stdout) == (0, f"{opening(of, verb='erase')}\n{shown}\n{warning}\n{done}")
    erased = Tombstone.objects.exclude(erased_at=None)
    assert set(erased.values_list("payload", flat=True)) == {""}
    assert all(len(sha256) == 64 for sha256 in erased.values_list("sha256", flat=True))
    assert Event.objects.latest("position").type == "tombstone.erased"
    assert run(NAME, "--force", "--only", A).code == 1
    ran = run(NAME, "--force", "--with-missing-files")
    assert ran.code == 4
    assert "Stay away: 1 record\n  - gallery.Photo:1 (what was kept of it was erased)\n" in ran.stdout
    assert list(Photo.objects.values_list("pk", flat=True)) == [2]


def test_what_was_kept_of_restored_records_can_be_erased_and_is_listed_no_more(media: Path) -> None:
    of = cleaned(media)
    assert run(NAME, "--force", "--with-missing-files").code == 0

    one = run(NAME, str(of.uid), "--erase", "--force", "--only", B)
    listed, rest, nothing = run(NAME, "--list"), run(NAME, "--erase", "--force"), run(NAME, "--erase", "--force")

    assert (one.code, listed.stdout) == (0, "No run has anything to bring back.\n")
    assert one.stdout.endswith(f"Rows erased: 4\n{RULE}\n")
    assert "Photos: 1 to erase\nRows in all: 4\n" in rest.stdout
    assert not Tombstone.objects.exclude(payload="").exists()
    assert (nothing.code, nothing.stdout) == (
        2,
        "CommandError: No run has anything to erase.\n"
        "What a clean-up deletes can be erased from then on; --list shows the runs.\n",
    )


def test_record_that_was_erased_is_not_there_to_be_erased(media: Path) -> None:
    cleaned(media)
    run(NAME, "--erase", "--force", "--only", A)

    ran = run(NAME, "--erase", "--force", "--only", A)

    assert ran.code == 2
    assert "CommandError: The run has no record gallery.photo:1 to erase.\n" in ran.stdout


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_programs_delete_and_bring_back(media: Path) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    photo = make_photo("photos/a.jpg", media=media)
    photo.tags.add(Tag.objects.create(name="sea"))
    before = site_rows()
    (media / "photos/a.jpg").rename(media / "backup.jpg")
    assert manage(CLEAN_UP_COMMAND, "--force").code == 0
    assert not Photo.objects.exists()
    assert manage(NAME, "--force").code == 4
    (media / "backup.jpg").rename(media / "photos/a.jpg")

    ran = manage(NAME, "--force")

    assert ran.code == 0
    assert ran.stdout.endswith("✓ Records restored!\n")
    assert site_rows() == before


@pytest.mark.django_db(transaction=True)
def test_a_clean_up_erases_what_is_older_than_the_site_wants_it(media: Path, settings: LazySettings) -> None:
    settings.AUDITOR_TOMBSTONE_DAYS = 30
    make_library(media, photos=1, videos=1)
    run(CLEAN_UP_COMMAND, "--force", "--model", "gallery.Photo")
    Run.objects.update(finished_at=store.database_time("default") - timedelta(days=31))

    run(CLEAN_UP_COMMAND, "--force", "--model", "gallery.Video")

    assert dict(Tombstone.objects.filter(erased_at=None).values_list("model", "kind")) == {"gallery.Video": "orphan"}
    assert dict(Tombstone.objects.filter(payload="").values_list("model", "kind")) == {"gallery.Photo": "orphan"}
