"""What a person, a program and a spreadsheet are given."""

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import AuditorError
from auditor.integrity import table
from auditor.integrity.findings import Finding, Kind, Reported
from auditor.integrity.sizes import bytes_of
from auditor.usage import registry
from auditor.wording import sized
from tests.commands.programs import program
from tests.integrity.checking import NAME, check, found, kinds, make_sound, without_keys
from tests.makers import make_file, make_photo, make_video, real
from tests.running import run

pytestmark = pytest.mark.django_db
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def make_broken(media: Path) -> None:
    """A bit of everything."""
    make_sound(media, "photos/a.jpg")
    for number in range(12):
        make_photo(f"photos/gone{number:02}.jpg")
    make_photo("../x.jpg")
    make_video("videos/a.mp4", media=media, thumbnail="thumbnails/gone.jpg")
    make_file(media, "tmp/=1+1.bin", b"x" * 2_000)
    make_file(media, "tmp/line\nbreak\x1b[31m.bin")
    make_file(media, ".htaccess")


TEXT = """\
Checking the integrity of the media library...
Checking 14 photos...
Checking 1 videos...

======================================================================
MEDIA INTEGRITY:
======================================================================
Errors: 12
Warnings: 2
Notes: 2
======================================================================

Error: 12 records whose file is missing{history}
  - photos/gone00.jpg (gallery.Photo:KEY image)
  - photos/gone01.jpg (gallery.Photo:KEY image)
  - photos/gone02.jpg (gallery.Photo:KEY image)
  - photos/gone03.jpg (gallery.Photo:KEY image)
  - photos/gone04.jpg (gallery.Photo:KEY image)
  - photos/gone05.jpg (gallery.Photo:KEY image)
  - photos/gone06.jpg (gallery.Photo:KEY image)
  - photos/gone07.jpg (gallery.Photo:KEY image)
  - photos/gone08.jpg (gallery.Photo:KEY image)
  - photos/gone09.jpg (gallery.Photo:KEY image)
  ... and 2 more (--list shows all)

Warning: 1 name that could not be judged{history}
  - ../x.jpg (gallery.Photo:KEY image): the name leaves the media root

Warning: 1 record whose optional or derived file is missing{history}
  - thumbnails/gone.jpg (gallery.Video:KEY thumbnail)

Note: 2 files that nothing names, 2.0 kB

Library:
  Photos: 14 records, 1 file, 7 bytes, 12 orphaned, 1 unknown
  Videos: 1 record, 1 file, 7 bytes
  On disk: 5 files, 2.0 kB, 2 unused

Largest albums:
  - Evan Photos: 14 photos, 1 video, 14 bytes

Kept, though no record names them: 1 file
  - 1 hidden: its name, or that of its folder, begins with a dot
"""


def test_summary_of_a_first_and_of_a_second_run(media: Path) -> None:
    make_broken(media)

    first, second = check(), check()

    assert without_keys(first.stdout) == TEXT.format(history="")
    assert without_keys(TIME.sub("TIME", second.stdout)) == TEXT.format(history=", open since TIME")


def test_list_shows_every_finding_and_names_are_shown_safely(media: Path) -> None:
    make_broken(media)

    shown = without_keys(check("--list").stdout)

    assert "  - photos/gone11.jpg (gallery.Photo:KEY image)\n\n" in shown
    assert "  - tmp/=1+1.bin: 2.0 kB\n  - tmp/line\\nbreak\\x1b[31m.bin: 7 bytes\n" in shown


def test_json_on_stdout_holds_all_that_was_found(media: Path) -> None:
    make_broken(media)

    ran = check("--json", "--list")

    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.stderr == ""
    assert {line["event"] for line in lines} == {
        "run.started",
        "finding.found",
        "model.measured",
        "group.measured",
        "check.completed",
    }
    assert [line["path"] for line in lines if line.get("kind") == "unused"] == [
        "tmp/=1+1.bin",
        "tmp/line\nbreak\x1b[31m.bin",
    ]
    facts = {name: lines[-1][name] for name in ("exit_code", "errors", "warnings", "notes", "unused_bytes", "files")}
    assert facts == {"exit_code": 0, "errors": 12, "warnings": 2, "notes": 2, "unused_bytes": 2_007, "files": 5}
    assert lines[-1]["findings"] == {"missing": 12, "unknown": 1, "derived_missing": 1, "unused": 2}


def test_csv_on_stdout_can_be_read_and_runs_nothing_in_a_spreadsheet(media: Path) -> None:
    make_broken(media)
    photo = make_photo("=cmd|' /C calc'!A0.jpg")

    ran = check("--format", "csv", "--list")

    rows = list(csv.DictReader(StringIO(ran.stdout)))
    assert tuple(rows[0]) == table.COLUMNS
    assert [row["path"] for row in rows if row["kind"] == "unused"] == [
        "tmp/=1+1.bin",
        "tmp/line\\nbreak\\x1b[31m.bin",
    ]
    assert rows[1] == {
        "severity": "error",
        "kind": "missing",
        "root": real(media),
        "path": "'=cmd|' /C calc'!A0.jpg",
        "model": "gallery.Photo",
        "key": str(photo.pk),
        "field": "image",
        "detail": "",
        "state": "first_look",
        "found_at": "",
    }
    assert [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))] == []


def test_csv_says_what_was_not_looked_at(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media)
    monkeypatch.setattr(registry, "_hooks", [lambda: 1 / 0])

    (row,) = csv.DictReader(StringIO(check("--format", "csv").stdout))

    assert (row["kind"], row["path"], row["severity"]) == ("not_looked_at", "unused files", "")
    assert "cannot say which files are in use" in row["detail"]


@pytest.mark.parametrize("start", "=+-@＝＋－＠")
def test_cell_that_would_be_a_formula_is_quoted(start: str) -> None:
    sheet = StringIO()

    one = Reported(finding=Finding(kind=Kind.MISSING, root="/m", path=f"{start}1", key=f"{start}2"))
    table.write([one], {}, sheet)

    assert [row["path"] + row["key"] for row in csv.DictReader(StringIO(sheet.getvalue()))] == [f"'{start}1'{start}2"]


@pytest.mark.live
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_name_that_stdout_cannot_encode_does_not_end_the_command(media: Path, tmp_path: Path) -> None:
    make_sound(media)
    make_photo("photos/Ärger.jpg")

    with program(NAME, stderr=tmp_path / "log", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C") as running:
        code = running.end()

    assert (code, "photos/\\xc4rger.jpg" in running.said) == (0, True)


def test_model_and_path_narrow_what_is_found(media: Path) -> None:
    make_broken(media)

    videos, tenth = check("--model", "gallery.video"), check("--path", "photos/gone1")

    assert kinds(videos) == {"derived_missing": 1}
    assert [path for _, path, _ in found(tenth)] == ["photos/gone10.jpg", "photos/gone11.jpg"]
    assert "Videos: 1 record, 1 file, 7 bytes\n" in videos.stdout
    assert "  Photos: " not in videos.stdout


USAGE = {
    ("--for", "30m"): "--for is about the reading of files.",
    ("--rate", "50MB"): "--rate is about the reading of files.",
    ("--json", "--format", "csv"): "--json and --format csv contradict each other.",
    ("--path", "/photos"): "--path '/photos' selects nothing: names are relative to the media folder.",
    ("--path", ""): "--path '' selects nothing: names are relative to the media folder.",
    ("--model", "gallery.Album"): "--model gallery.Album: no such model has a file field here.",
    ("--deep", "--rate", "fast"): "--rate must be a number of bytes such as 500kB, 50MB or 1GB, not 'fast'.",
    ("--deep", "--for", "long"): "--for must be a length of time such as 90s, 30m, 12h, 7d or 2w, not 'long'.",
    ("--database", "other"): "There is no database 'other' in DATABASES.",
}


@pytest.mark.parametrize("arguments", USAGE)
def test_wrong_usage_ends_with_2_and_says_why(media: Path, arguments: tuple[str, ...]) -> None:
    ran = run(NAME, *arguments, "--log-format", "none")

    assert (ran.code, USAGE[arguments] in ran.stdout) == (2, True)


@pytest.mark.parametrize(
    ("text", "number"), [("500kB", 500_000), ("50MB", 50_000_000), ("2G", 2_000_000_000), ("1 B", 1), ("7", 7)]
)
def test_sizes_are_read_as_people_write_them(text: str, number: int) -> None:
    assert bytes_of(text, of="--rate") == number


@pytest.mark.parametrize("text", ["", "MB", "0", "0kB", "-5MB", "5TB", "1.5MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(AuditorError, match="--rate must be a number of bytes"):
        bytes_of(text, of="--rate")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (3_100_000_000, "3.1 GB"),
    ],
)
def test_sizes_are_shown_as_people_read_them(number: int, text: str) -> None:
    assert sized(number) == text


def test_help_promises_that_nothing_is_changed() -> None:
    from auditor.management.commands.check_media_integrity import Command  # noqa: PLC0415

    text: Any = Command.help
    assert text.endswith("It changes no file and no record.")
