"""Unused files from the first look to the trash, back, and to their end."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from auditor.auditlog import store
from auditor.catalogue_of_files import FileTrashed as TrashedLine
from auditor.models import Event, Run
from auditor.orphans.route import RouteKind
from auditor.removal.runs import one_run_at_a_time
from auditor.trash import TRASH
from auditor.usage import cleaning
from deploy.gallery.models import Photo
from tests.commands.library import RULE, anonymous
from tests.makers import make_album, make_file, make_known, make_photo, real
from tests.removal.rows import dump
from tests.running import run
from tests.usage.worlds import NAME, clean, files_below, in_trash, make_used, run_of

pytestmark = pytest.mark.django_db
LEFT = {"old/a.tif": b"a" * 2_500, "old/b.tif": b"b" * 500, "photos/left.jpg": b"12345"}


@pytest.fixture
def library(media: Path) -> Path:
    """One file that is used, and three that nobody names."""
    make_used(media)
    for name, content in LEFT.items():
        make_file(media, name, content)
    return media


def told(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(event.path, event.data) for event in Event.objects.filter(type=kind).order_by("position")]


def test_dry_run_shows_the_files_and_writes_nothing(library: Path) -> None:
    before, asked = (files_below(library), dump()), []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        ran = clean("--dry-run")

    assert (ran.code, ran.stdout) == (
        0,
        f"""\
Looking for files that no record names...

{RULE}
UNUSED FILES FOUND:
{RULE}
{real(library)}: 3 unused out of 4 files; 3.0 kB could be freed
{RULE}

Unused files (sample):
  - old/a.tif (2.5 kB)
  - old/b.tif (500 bytes)
  - photos/left.jpg (5 bytes)

By directory:
  - old: 2 files, 3.0 kB
  - photos: 1 file, 5 bytes

By type:
  - .tif: 2 files, 3.0 kB
  - .jpg: 1 file, 5 bytes
""",
    )
    assert (files_below(library), dump()) == before
    # How SQLite tells of columns; a savepoint writes nothing.
    reading = ("SELECT", "PRAGMA table_xinfo", "SAVEPOINT", "RELEASE SAVEPOINT")
    assert [sql for sql in asked if not sql.lstrip().startswith(reading)] == []
    assert not (library / TRASH).exists()


def test_files_go_to_the_trash_and_come_back_as_they_were(library: Path) -> None:
    before = {name: os.stat(library / name) for name in LEFT}

    gone = clean("--force")

    assert (gone.code, anonymous(gone.stdout).partition("CLEANUP COMPLETE")[2]) == (
        0,
        f"""
{RULE}
Files moved to the trash: 3 (3.0 kB)
{RULE}

To undo this: python manage.py cleanup_unused_files --restore RUN
To free the space after 30d: python manage.py cleanup_unused_files --empty-trash

✓ Media folder cleaned successfully!
""",
    )
    assert (files_below(library), in_trash(library)) == ({"photos/used.jpg": b"content"}, LEFT)
    where = f"{TRASH}/{run_of(gone)}"
    assert told("file.trashed") == [
        (name, {"to": f"{where}/{name}", "size": len(content), "cause": "unused"}) for name, content in LEFT.items()
    ]

    back = clean("--restore", str(run_of(gone))[:8], "--force")

    assert (back.code, back.stdout.partition("RESTORE COMPLETE")[2]) == (
        0,
        f"\n{RULE}\nFiles put back: 3\n{RULE}\n\n✓ Files put back!\n",
    )
    assert files_below(library) == {"photos/used.jpg": b"content"} | LEFT
    after = {name: os.stat(library / name) for name in LEFT}
    assert [(one.st_ino, one.st_mtime_ns, one.st_mode) for one in after.values()] == [
        (one.st_ino, one.st_mtime_ns, one.st_mode) for one in before.values()
    ]
    assert not (library / TRASH).exists()
    assert sorted(told("file.untrashed")) == [
        (name, {"trashed_by": str(run_of(gone)), "cause": "restored"}) for name in LEFT
    ]
    assert Run.objects.filter(command=NAME).count() == 2


def test_events_of_a_run_are_sealed_and_counted(library: Path) -> None:
    ran = clean("--force")

    last = Event.objects.order_by("position").last()
    assert last
    assert (last.type, last.run_id, last.data["files"]) == (
        "run.completed",
        run_of(ran),
        {"trashed": 3, "untrashed": 0, "freed": 0},
    )


def test_question_takes_exactly_yes(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))

    ran = clean()

    assert (ran.code, ran.stdout.splitlines()[-1]) == (1, "Cancelled. Nothing was moved.")
    assert "WARNING: This will move these files out of the media folder, into its trash!" in ran.stdout
    assert files_below(library).keys() > LEFT.keys()

    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))
    assert clean().code == 0
    assert in_trash(library) == LEFT


def test_delete_removes_the_files_at_the_end(library: Path) -> None:
    ran = clean("--force", "--delete")

    assert (ran.code, "Files deleted: 3 (3.0 kB)" in ran.stdout) == (0, True)
    assert files_below(library) == {"photos/used.jpg": b"content"}
    assert not (library / TRASH).exists()
    assert [path for path, _ in told("file.freed")] == list(LEFT)


def test_trash_is_listed_and_emptied_when_it_is_old(library: Path) -> None:
    gone = clean("--force")
    listed = clean("--list-trash")
    young = clean("--empty-trash", "--force")
    assert in_trash(library) == LEFT
    Run.objects.update(finished_at=store.database_time("default") - timedelta(days=31))

    old = clean("--empty-trash", "--force")

    line = f"{run_of(gone)}  TIME UTC  3 files, 3.0 kB  {real(library)}"
    assert (listed.stdout.splitlines()[3].partition("  ")[0], line.partition("  ")[0]) == (str(run_of(gone)),) * 2
    assert ("None" in young.stdout, old.stdout.partition("TRASH EMPTIED")[2]) == (
        True,
        f"\n{RULE}\nFiles deleted: 3 (3.0 kB)\n{RULE}\n",
    )
    assert (in_trash(library), (library / TRASH).exists()) == ({}, False)
    assert [data["trashed_by"] for _, data in told("file.freed")] == [str(run_of(gone))] * 3


@pytest.mark.parametrize("flags", [("--restore", ""), ("--empty-trash", "--older-than", "0")])
def test_file_that_leaves_the_trash_meanwhile_is_told_of(
    library: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    gone = run_of(clean("--force"))
    Run.objects.update(finished_at=store.database_time("default") - timedelta(days=1))
    honest = cleaning.binned

    def binned(roots: Any, run: Any = None) -> Iterator[Any]:
        for one in list(honest(roots, run)):
            if one.place.endswith(b"a.tif"):
                os.unlink(one.place)
            yield one

    monkeypatch.setattr(cleaning, "binned", binned)

    ran = clean(*(flag or str(gone) for flag in flags), "--force")

    assert "it is gone" in ran.stdout
    assert in_trash(library) == {}


def test_list_of_the_trash_names_the_next_steps(library: Path) -> None:
    gone = run_of(clean("--force"))

    known = clean("--list-trash")
    Run.objects.all().delete()
    unknown = clean("--list-trash")

    assert known.stdout.splitlines()[-2:] == [
        f"To put files back: python manage.py cleanup_unused_files --restore {gone}",
        "To free the space after 30d: python manage.py cleanup_unused_files --empty-trash",
    ]
    assert f"{gone}  of another database  3 files, 3.0 kB" in unknown.stdout
    assert "delete their folder in .media-trash by hand." in unknown.stdout
    assert clean("--empty-trash", "--older-than", "0", "--force").code == 0
    assert in_trash(library) == LEFT
    assert clean("--restore", str(gone), "--force").code == 0
    assert in_trash(library) == {}


def test_file_in_the_trash_that_a_record_names_by_now_is_not_emptied(library: Path) -> None:
    gone = clean("--force")
    make_photo("old/a.tif")

    ran = clean("--empty-trash", "--older-than", "0", "--force")

    assert (ran.code, in_trash(library)) == (4, {"old/a.tif": LEFT["old/a.tif"]})
    assert "- old/a.tif (a record names it by now)" in ran.stdout
    assert clean("--restore", str(run_of(gone)), "--force").code == 0
    assert (library / "old/a.tif").exists()


def test_file_in_the_trash_that_a_text_mentions_by_now_is_not_emptied(library: Path) -> None:
    clean("--force")
    make_album("see /media/old/a.tif")

    ran = clean("--empty-trash", "--older-than", "0", "--force")

    assert (ran.code, in_trash(library)) == (4, {"old/a.tif": LEFT["old/a.tif"]})
    assert "- old/a.tif (a text mentions it by now)" in ran.stdout


def test_file_that_a_record_names_where_it_is_in_the_trash_is_not_emptied(library: Path) -> None:
    gone = clean("--force")
    make_photo(f"{TRASH}/{run_of(gone)}/old/a.tif")
    make_file(library, "old/a.tif", b"newer")

    assert clean("--empty-trash", "--older-than", "0", "--force").code == 4
    assert in_trash(library) == {"old/a.tif": LEFT["old/a.tif"]}


def test_restore_never_overwrites(library: Path) -> None:
    gone = clean("--force")
    make_file(library, "old/a.tif", b"newer")

    ran = clean("--restore", str(run_of(gone)), "--force")

    assert (ran.code, "- old/a.tif (another file has its place)" in ran.stdout) == (4, True)
    assert (library / "old/a.tif").read_bytes() == b"newer"
    assert in_trash(library) == {"old/a.tif": LEFT["old/a.tif"]}
    assert [data["cause"] for path, data in told("file.trashed") if path == "old/a.tif"] == ["unused", "still_there"]


def test_check_exits_with_3_if_there_are_unused_files(library: Path) -> None:
    assert clean("--check").code == 3
    clean("--force")
    assert clean("--check").code == 0


def test_all_names_are_listed_if_that_is_wanted(library: Path) -> None:
    for number in range(20):
        make_file(library, f"many/{number:02}.bin")

    few, every = clean("--dry-run"), clean("--dry-run", "--list")

    assert ("many/19.bin" in few.stdout, "... and 13 more" in few.stdout) == (False, True)
    assert every.stdout.count("  - many/") == 20


def test_json_tells_every_file(library: Path) -> None:
    make_file(library, ".hidden")

    ran = clean("--force", "--json", "--log-format", "none")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]

    assert [line["event"] for line in lines] == [
        "run.started",
        "unused.planned",
        *["file.unused"] * 3,
        *["file.trashed"] * 3,
        "files.completed",
    ]
    planned = {name: lines[1][name] for name in ("files", "named", "unused", "bytes", "kept")}
    assert planned == {"files": 5, "named": 1, "unused": 3, "bytes": 3_005, "kept": {"hidden": 1}}
    assert (lines[-1]["trashed_total"], lines[-1]["exit_code"]) == (3, 0)
    assert lines[5]["to"].endswith("/old/a.tif")
    assert TrashedLine.event in {line["event"] for line in lines}


def test_name_that_is_not_utf8_goes_and_comes_back(library: Path) -> None:
    path = os.fsencode(library) + b"/old/\xff\xfe.bin"
    with open(path, "wb") as file:
        file.write(b"odd")

    gone = clean("--force")
    assert (gone.code, os.path.exists(path), r"- old/\xff\xfe.bin (3 bytes)" in gone.stdout) == (0, False, True)
    clean("--restore", str(run_of(gone)), "--force")

    assert os.path.exists(path)


def test_folder_in_which_nobody_names_a_file_is_refused(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Photo.objects.all().delete()

    dry, forced = clean("--dry-run"), clean("--force")

    assert (dry.code, forced.code) == (0, 5)
    assert "Not one file in" in dry.stdout
    assert forced.log[-1]["message"] == (
        f"Not one of the 4 files in {real(library)} is named by a record, so nothing was moved."
    )
    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))
    assert (clean().code, len(in_trash(library))) == (0, 4)


def test_unknown_folder_in_which_nobody_names_a_file_is_refused_to_a_person_as_well(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "a.bin")
    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))

    ran = clean()

    assert (ran.code, "register_media_root" in ran.log[-1]["hint"]) == (5, True)


def test_folder_is_registered_when_it_is_met(media: Path) -> None:
    make_photo("photos/used.jpg", media=media)
    make_file(media, "a.bin")

    ran = clean("--force")

    assert (ran.code, "Media folder: registered" in ran.stdout, (media / ".media-root").exists()) == (0, True, True)


@pytest.mark.parametrize("lost", ["marker", "folder"])
def test_folder_that_is_not_the_known_one_is_refused(library: Path, lost: str) -> None:
    if lost == "marker":
        (library / ".media-root").unlink()
    else:
        library.rename(library.with_name("away"))

    assert clean("--force").code == 5


def test_site_without_a_folder_is_refused(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "never-made")

    assert clean("--dry-run").code == 5


@pytest.mark.parametrize(("limit", "code"), [("2", 6), ("3", 0), ("50%", 6), ("75%", 0)])
def test_more_files_than_the_limit_move_nothing(library: Path, settings: LazySettings, limit: str, code: int) -> None:
    settings.AUDITOR_MAX_UNUSED = limit

    ran = clean("--force")

    assert (ran.code, bool(in_trash(library))) == (code, code == 0)
    if code:
        assert ran.log[-1]["message"] == f"3 of 4 files would be moved, more than {limit}: nothing was moved."
        assert clean("--force", "--max-files", "3").code == 0


def test_one_run_is_at_work_at_a_time(library: Path) -> None:
    with one_run_at_a_time("default"):
        assert (clean("--force").code, clean("--dry-run").code) == (7, 0)


@pytest.mark.parametrize(
    "flags",
    [
        ("--dry-run", "--force"),
        ("--check", "--force"),
        ("--restore", "", "--force"),
        ("--restore", "-", "--force"),
        ("--restore", "x", "--empty-trash"),
        ("--restore", "x", "--delete"),
        ("--older-than", "3d"),
        ("--json",),
        ("--keep", ""),
        ("--max-files", "many"),
        ("--min-age", "soon"),
        ("--min-age", ""),
        ("--empty-trash", "--older-than", "never", "--force"),
        ("--empty-trash", "--older-than", "", "--force"),
        ("--restore", "abc", "--force"),
        ("--database", "nowhere", "--dry-run"),
    ],
)
def test_flags_that_can_mean_nothing_are_refused(library: Path, flags: tuple[str, ...]) -> None:
    ran = run(NAME, *flags)

    assert (ran.code, files_below(library).keys() > LEFT.keys()) == (2, True)


def test_directory_that_cannot_be_read_is_told(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, closed = os.scandir, os.fsencode(real(library / "old"))

    def scandir(path: Any) -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return honest(path)

    monkeypatch.setattr(os, "scandir", scandir)

    ran = clean("--force")

    assert (ran.code, in_trash(library)) == (4, {"photos/left.jpg": b"12345"})
    assert "  - old (EACCES: Permission denied)" in ran.stdout


def test_database_that_is_silent_ends_the_run(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.utils import OperationalError  # noqa: PLC0415

    def silent(*_: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr("auditor.usage.reading.references.read_all", silent)

    ran = clean("--force")

    assert (ran.code, files_below(library).keys() > LEFT.keys()) == (1, True)
    assert ran.log[-1]["message"] == (
        "The database 'default' cannot be asked which files its records name: connection refused. Nothing was moved."
    )


def test_wrong_clean_up_of_records_is_survived_by_their_files(media: Path) -> None:
    """An empty folder stood in for the right one, and all records went; the files are kept, and the records return."""
    names = [f"photos/{number}.jpg" for number in range(20)]
    for name in names:
        make_photo(name, media=media, thumbnail=f"thumbnails/{name[7:]}")
        make_file(media, f"thumbnails/{name[7:]}")
    make_known(media)
    before = files_below(media)
    marker = (media / ".media-root").read_bytes()
    media.rename(media.with_name("right"))
    make_file(media, ".media-root", marker)  # copied with the folder, but without the files
    wiped = run("cleanup_orphaned_media", "--force", "--route", RouteKind.SCAN.value)
    assert (wiped.code, Photo.objects.count()) == (0, 0)
    (media / ".media-root").unlink()
    media.rmdir()
    media.with_name("right").rename(media)

    second = clean("--force")
    third = clean("--force", "--delete")
    back = run("restore_orphaned_media", "--force")

    assert (second.code, third.code, back.code) == (0, 0, 0)
    assert "40 named in what a clean-up deleted" in second.stdout
    assert (files_below(media), Photo.objects.count()) == (before, 20)
    assert "0 unused out of 40 files" in clean("--dry-run").stdout
