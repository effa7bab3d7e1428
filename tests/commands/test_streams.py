"""Which stream carries what: the summary, JSON lines, console lines, the progress bar."""

import itertools
import json
import re
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.core.management import call_command

from auditor.orphans.registry import audited_models
from deploy.gallery.models import Photo
from tests.commands.library import Terminal, make_library, make_watched, shell
from tests.commands.programs import NAME, at_terminal
from tests.conftest import line_faults
from tests.makers import make_file, make_known, make_photo, real
from tests.running import run

RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def facts(text: str) -> list[dict[str, Any]]:
    """The JSON lines of a text without what differs from run to run; they share one run_id."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert [fault for line in text.splitlines() for fault in line_faults(line)] == []
    assert len({line["run_id"] for line in lines}) == 1
    varying = ("timestamp", "run_id", "duration_ms")
    return [{name: line[name] for name in line if name not in varying} for line in lines]


def expected(media: Path, *, dry_run: bool) -> list[dict[str, Any]]:
    """Every line of a run over one orphan, one missing thumbnail, one unknown name and one orphan of another model."""
    common = {"level": "info", "schema": "media-auditor/1"}
    warning = common | {"level": "warning"}
    none = {one.id: 0 for one in audited_models() if not one.named}
    orphan = {"model": "gallery.Photo", "key": "1", "field": "image", "path": "photos/gone.jpg"}
    scanned = {"event": "route.chosen", "root": real(media), "route": "scan", "reason": "never_watched"}
    fields = ["gallery.Photo.image", "gallery.Photo.thumbnail", "gallery.Rendition.file"]
    found = [
        common
        | {"event": "run.started", "command": NAME, "version": "0.1.0", "database": "default", "dry_run": dry_run},
        common | scanned | {"fields": fields, "deletions": 0},
        common | {"event": "orphan.found"} | orphan | {"group": "Album: Evan Photos", "named": True, "fate": "delete"},
        common
        | {"event": "orphan.found", "model": "gallery.Rendition", "key": "1", "field": "file"}
        | {"path": "renditions/gone.jpg", "group": "Photo: here.jpg", "named": False},
        common | {"event": "derived.missing", "model": "gallery.Photo", "field": "thumbnail", "missing": 1},
        warning
        | {"event": "name.unknown", "model": "gallery.Photo", "key": "3", "field": "image", "path": "../x.jpg"}
        | {"reason": "the name leaves the media root"},
    ]
    deleted = common | {"event": "record.deleted"} | orphan | {"position": 2}  # after `names.doubted`
    completed = common | {
        "event": "run.completed",
        "command": NAME,
        "dry_run": dry_run,
        "exit_code": 4,
        "checked": {"gallery.Photo": 3, "gallery.Video": 0} | none | {"gallery.Rendition": 1},
        "orphans": {"gallery.Photo": 1, "gallery.Video": 0} | none | {"gallery.Rendition": 1},
        "deleted": {} if dry_run else {"gallery.Photo": 1},
        "kept": {},
        "orphans_total": 1,
        "deleted_total": 0 if dry_run else 1,
        "kept_total": 0,
        "unknown_total": 1,
        "derived_missing_total": 1,
        "relinked_total": 0,
        "acknowledged_total": 0,
        "unselected_total": 0,
        "limit_exceeded": False,
    }
    return [*found, *([] if dry_run else [deleted]), completed]


@pytest.fixture
def mixed(media: Path) -> Path:
    """One orphan, one missing thumbnail, one unknown name and one orphan of another model."""
    make_photo("photos/gone.jpg", pk=1)
    here = make_photo("photos/here.jpg", pk=2, media=media, thumbnail="thumbnails/gone.jpg")
    make_photo("../x.jpg", pk=3)
    here.renditions.create(pk=1, width=320, file="renditions/gone.jpg")
    make_known(media)
    return media


@pytest.mark.django_db
@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_json_is_alone_on_stdout_and_stderr_is_empty(mixed: Path, flag: str) -> None:
    ran = shell(flag, "--json")

    assert (ran.code, ran.stderr) == (4, "")
    assert facts(ran.stdout) == expected(mixed, dry_run=flag == "--dry-run")


@pytest.mark.django_db
@pytest.mark.parametrize("flags", [[], ["--log-format", "json"], ["--log-format", "auto"]], ids=str)
def test_stderr_that_is_no_terminal_carries_json(mixed: Path, flags: list[str]) -> None:
    ran = shell("--dry-run", *flags)

    assert facts(ran.stderr) == expected(mixed, dry_run=True)
    assert ran.stdout.startswith("Scanning for orphaned media records...\n")


@pytest.mark.django_db
def test_json_on_both_streams_is_the_same(mixed: Path) -> None:
    ran = shell("--dry-run", "--json", "--log-format", "json")

    assert facts(ran.stdout) == facts(ran.stderr) == expected(mixed, dry_run=True)


@pytest.mark.django_db
def test_json_asked_for_on_a_terminal_is_json(mixed: Path) -> None:
    ran = shell("--dry-run", "--log-format", "json", stderr=Terminal())

    assert facts(ran.stderr) == expected(mixed, dry_run=True)


@pytest.mark.django_db
def test_no_log_asked_for_leaves_stderr_empty(mixed: Path) -> None:
    assert shell("--dry-run", "--log-format", "none").stderr == ""


@pytest.mark.django_db
def test_failure_without_a_log_is_a_sentence_on_stderr(media: Path) -> None:
    ran = shell("--dry-run", "--log-format", "none", "--route", "log", "--model", "nothing")

    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "CommandError: 'nothing' is not a model name of the form 'app.Model'.\nName a model as 'app.Model'.\n"
    )


@pytest.mark.django_db
def test_console_lines_are_for_the_eye(mixed: Path) -> None:
    ran = shell("--dry-run", "--log-format", "console")

    shown = [line[line.index("[") :] for line in ran.stderr.splitlines()]
    assert [line.partition("] ")[2].split()[0] for line in shown] == [
        "run.started",
        "route.chosen",
        "orphan.found",
        "orphan.found",
        "derived.missing",
        "name.unknown",
        "run.completed",
    ]
    assert shown[5] == (
        "[warning  ] name.unknown                   field='image' key='3' model='gallery.Photo' path='../x.jpg' "
        "reason='the name leaves the media root'"
    )


@pytest.mark.django_db
def test_terminal_shows_the_summary_and_no_log_beside_it(mixed: Path) -> None:
    ran = shell("--dry-run", stderr=Terminal())

    assert (ran.code, ran.stderr) == (4, "")
    assert ran.stdout == shell("--dry-run").stdout


@pytest.mark.django_db
def test_json_file_is_appended_to_beside_everything_else(mixed: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("what was there\n")

    ran = shell("--dry-run", "--json-into", str(log))

    kept, _, added = log.read_text().partition("\n")
    assert (kept, facts(added)) == ("what was there", expected(mixed, dry_run=True))
    assert facts(ran.stderr) == expected(mixed, dry_run=True)
    assert ran.stdout == shell("--dry-run").stdout


@pytest.mark.django_db
def test_json_file_of_the_settings_has_every_run(mixed: Path, tmp_path: Path, settings: LazySettings) -> None:
    settings.AUDITOR_JSON_INTO = str(tmp_path / "log.jsonl")

    ran = shell("--dry-run", "--log-format", "none", "--json-into", settings.AUDITOR_JSON_INTO)

    assert (ran.stderr, facts((tmp_path / "log.jsonl").read_text())) == ("", expected(mixed, dry_run=True))


@pytest.mark.django_db
def test_json_file_is_told_of_a_failure(media: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"

    ran = shell("--dry-run", "--force", "--json-into", str(log), "--log-format", "none")

    assert (ran.code, [line["event"] for line in facts(log.read_text())]) == (2, ["run.failed"])


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminal_without_unicode_gets_the_whole_summary(media: Path, encoding: str) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    make_photo("photos/é北.jpg")
    stdout = TextIOWrapper(BytesIO(), encoding=encoding)

    call_command(NAME, "--force", stdout=stdout, stderr=StringIO())

    stdout.seek(0)
    shown = stdout.read()
    name = "\\xe9\\u5317" if encoding == "ascii" else "é\\u5317"
    assert f"  - photos/{name}.jpg (Album: Evan Photos)\n" in shown
    assert shown.endswith("\n\\u2713 Database cleaned successfully!\n")


@pytest.mark.django_db
def test_log_route_says_how_current_it_is(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    make_watched(media, "photos/1000004108.jpg")

    [route] = [line for line in run(NAME, "--dry-run").log if line["event"] == "route.chosen"]

    assert (route["route"], route["reason"], route["deletions"]) == ("log", "covered", 1)
    assert route["covered_until"].endswith("+00:00")


@pytest.mark.django_db
def test_progress_bar_is_shown_on_a_terminal_once_a_second_has_passed(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_library(media, photos=3, videos=1)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("tqdm.std.time", itertools.count(step=2).__next__)

    shell("--force", stderr=terminal)

    shown = terminal.getvalue().split("\r")
    assert [bar[:4] + re.split("[|[]", bar)[2] for bar in shown if "|" in bar] == [
        *(" 75% 3/4 ", "100% 4/4 "),  # the search
        *(" 75% 3/4 ", "100% 4/4 "),  # what the deletion would take along
        *(" 75% 3/4 ", "100% 4/4 "),  # the deletion
    ]
    assert shown[-1] == ""
    assert shown[-2].strip() == ""


@pytest.mark.django_db
def test_no_progress_bar_within_a_second(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=3, videos=1)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("tqdm.std.time", lambda: 0.0)

    shell("--force", stderr=terminal)

    assert terminal.getvalue() == ""


@pytest.mark.django_db
def test_no_progress_bar_where_there_is_no_terminal(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=3, videos=1)
    monkeypatch.setattr("tqdm.std.time", itertools.count(step=2).__next__)

    ran = shell("--force")

    assert "|" not in ran.stderr


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_json_at_a_real_terminal_is_not_coloured(media: Path) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    make_photo("photos/gone.jpg")

    colours = {"DJANGO_COLORS": "", "TERM": "xterm-256color"}
    with at_terminal(NAME, "--force", "--log-format", "json", **colours) as running:
        code = running.end()

    assert "\x1b" not in running.said
    lines = [line for line in running.said.splitlines() if "{" in line]
    assert [line["event"] for line in facts("\n".join(lines))] == [
        "run.started",
        "route.chosen",
        "orphan.found",
        "record.deleted",
        "run.completed",
    ]
    assert (code, Photo.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_warnings_of_the_host_stay_out_of_the_json(media: Path, settings: LazySettings) -> None:
    cache = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": cache, "LOCATION": "a/relative/path"}}
    assert [warning.id for warning in run_checks()] == ["caches.W003"]

    assert shell("--dry-run").events == ["run.started", "run.completed"]
