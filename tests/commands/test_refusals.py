"""Bad input and refusals: one sentence, one hint, one exit code, and nothing deleted."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.db.utils import Error, InterfaceError

from auditor.models import Run
from deploy.gallery.models import Photo
from tests.commands.library import Terminal, make_library, shell
from tests.commands.programs import NAME, at_terminal
from tests.makers import make_file, make_known, make_photo
from tests.running import Ran, manage

UNMOUNTED = "This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting."
BY_HAND = (
    "This is what an unmounted volume or a wrong MEDIA_ROOT looks like. "
    "If the files are really gone, run the command without --force and answer yes."
)


def ends_alike_everywhere(*arguments: str, code: int, message: str, hint: str) -> None:
    """Asserts the end that a cron job sees, and the end that a person at a terminal sees."""
    piped, at_terminal = shell(*arguments), shell(*arguments, stderr=Terminal())

    failed = {"event": "run.failed", "command": NAME, "message": message, "hint": hint, "exit_code": code}
    sentence = f"CommandError: {message}\n{hint}\n"
    assert (piped.code, last_lines(piped.stdout), facts(piped.log[-1])) == (code, sentence, failed)
    assert (at_terminal.code, at_terminal.stderr) == (code, sentence)
    assert message not in at_terminal.stdout


def last_lines(text: str) -> str:
    return text[text.rindex("CommandError") :]


def facts(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the JSON log without what differs from run to run."""
    return {name: line[name] for name in line if name not in ("timestamp", "level", "schema", "run_id")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (
            ["--dry-run", "--force"],
            "--dry-run and --force contradict each other.",
            "Run with --dry-run first, then with --force.",
        ),
        (
            ["--check", "--no-input"],
            "--check and --force contradict each other.",
            "Run with --check first, then with --force.",
        ),
        (
            ["--model", "gallery.Nothing"],
            "No installed app has a model 'gallery.Nothing'.",
            "Name a model as 'app.Model'.",
        ),
        (
            ["--model", "Photo"],
            "'Photo' is not a model name of the form 'app.Model'.",
            "Name a model as 'app.Model'.",
        ),
        (
            ["--model", "gallery.Tag"],
            "gallery.Tag has no file field, so none of its records can be an orphan.",
            "Name a model as 'app.Model'.",
        ),
        (
            ["--model", "shapes.Profile"],
            "shapes.Profile has only optional file fields: a registration must say which of them is primary.",
            "Name a model as 'app.Model'.",
        ),
        (["--database", "nowhere"], "There is no database 'nowhere' in DATABASES.", "Choose one of: default."),
        (
            ["--json-into", "/nonexistent/log.jsonl"],
            "The JSON log cannot be written to /nonexistent/log.jsonl: No such file or directory.",
            "Name a file in a folder that this user may write, by --json-into or AUDITOR_JSON_INTO.",
        ),
    ],
    ids=" ".join,
)
def test_wrong_usage(media: Path, flags: list[str], message: str, hint: str) -> None:
    make_library(media, photos=1, videos=0)

    ends_alike_everywhere(*flags, code=2, message=message, hint=hint)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
def test_json_needs_an_answer_beforehand(media: Path) -> None:
    ran = shell("--json")

    message = "--json cannot ask for a confirmation."
    hint = "Add --dry-run to look, or --force to delete without asking."
    assert (ran.code, ran.stderr) == (2, "")
    failed = Ran(code=0, stdout="", stderr=ran.stdout).log
    assert [facts(line) for line in failed] == [
        {"event": "run.failed", "command": NAME, "message": message, "hint": hint, "exit_code": 2}
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_media_root_that_is_not_there(media: Path, flag: str) -> None:
    make_photo()
    media.rmdir()

    message = f"The media root {media} cannot be read: No such file or directory."
    ends_alike_everywhere(flag, code=5, message=message, hint=UNMOUNTED)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_media_root_that_is_a_file(media: Path, flag: str) -> None:
    make_photo()
    media.rmdir()
    media.write_text("a file")

    message = f"The media root {media} cannot be read: Not a directory."
    ends_alike_everywhere(flag, code=5, message=message, hint=UNMOUNTED)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_media_root_that_cannot_be_read(media: Path, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    make_photo()
    refuse(monkeypatch, "scandir", str(media))

    message = f"The media root {media} cannot be read: Permission denied."
    ends_alike_everywhere(flag, code=5, message=message, hint=UNMOUNTED)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
def test_empty_media_root_refuses_force(media: Path) -> None:
    make_photo()
    (media / "photos").mkdir()

    message = f"There is not a single file in {media}, so nothing was deleted."
    ends_alike_everywhere("--force", code=5, message=message, hint=BY_HAND)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
def test_unreadable_folder_refuses_force(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.jpg")
    make_photo("photos/unreadable/a.jpg")
    make_photo("photos/gone.jpg")
    (media / "photos/unreadable").mkdir(parents=True)
    refuse(monkeypatch, "listdir", str(media / "photos/unreadable"))

    reason = "EACCES: Permission denied"
    message = f"The directory photos/unreadable in {media} could not be read ({reason}), so nothing was deleted."
    hint = "Mend its permissions or the disk, and run the command again."
    ends_alike_everywhere("--force", code=5, message=message, hint=hint)

    assert Photo.objects.count() == 2


@pytest.mark.django_db
def test_name_in_a_refusal_is_written_out(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.jpg")
    make_photo("gone.jpg")
    make_photo("\x1b[2J/a.jpg", media=media)
    refuse(monkeypatch, "listdir", str(media / "\x1b[2J"))

    ran = shell("--force", stderr=Terminal())

    assert (ran.code, Photo.objects.count()) == (5, 2)
    assert ran.stderr.startswith("CommandError: The directory \\x1b[2J in ")


@pytest.mark.django_db
@pytest.mark.parametrize(("flag", "code"), [("--dry-run", 4), ("--check", 3)])
def test_unreadable_folder_is_listed_by_a_dry_run(
    media: Path, monkeypatch: pytest.MonkeyPatch, flag: str, code: int
) -> None:
    make_known(media)
    make_file(media, "kept.jpg")
    make_photo("photos/gone.jpg")
    for number in range(12):
        make_photo(f"photos/unreadable/{number}.jpg")
    (media / "photos/unreadable").mkdir(parents=True)
    refuse(monkeypatch, "listdir", str(media / "photos/unreadable"))

    ran = shell(flag)

    block = ran.stdout[ran.stdout.index("Unknown") :]
    lines = "".join(f"  - photos/unreadable/{number}.jpg (EACCES: Permission denied)\n" for number in range(10))
    assert block == f"Unknown: 12 names could not be judged; the records stay\n{lines}  ... and 2 more\n"
    assert (ran.code, ran.events.count("name.unknown"), ran.events.count("orphan.found")) == (code, 12, 1)


@pytest.mark.django_db
def test_unreadable_folder_without_any_orphan_ends_in_unknown(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photo("photos/unreadable/a.jpg", media=media)
    refuse(monkeypatch, "listdir", str(media / "photos/unreadable"))

    ran = shell("--force")

    assert (ran.code, ran.log[-1]["unknown_total"], Photo.objects.count()) == (4, 1, 1)


@pytest.mark.django_db
def test_log_asked_for_never_falls_back_to_a_scan(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    message = (
        "The audit log cannot answer for gallery.Photo.image: "
        "no watcher has ever run for this folder (manage.py watch_media starts one)."
    )
    hint = "Use --route auto, which scans the disk where it must."
    ends_alike_everywhere("--force", "--route", "log", code=1, message=message, hint=hint)

    assert Photo.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError("disk I/O error"), "disk I/O error"),
        (OperationalError("the server closed the connection.\n\tMore on it"), "the server closed the connection"),
        (InterfaceError("connection already closed"), "connection already closed"),
        (OperationalError(), "OperationalError"),
    ],
    ids=repr,
)
def test_failing_database(media: Path, error: Error, reason: str) -> None:
    make_library(media, photos=1, videos=0)

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("DELETE"):
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        message = f"The database failed: {reason}. Nothing was deleted."
        hint = "Mend the database, then run the command again."
        ends_alike_everywhere("--force", code=1, message=message, hint=hint)

    assert Photo.objects.count() == 1


COMPLETE = "The deletion is complete."
UNSURE = "If the database has a run {}, the deletion is complete, and else nothing was deleted."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_still_lost", "state"), [(False, COMPLETE), (True, UNSURE)])
def test_commit_whose_answer_is_lost_is_not_called_a_failure_to_delete(
    media: Path, monkeypatch: pytest.MonkeyPatch, is_still_lost: bool, state: str
) -> None:
    make_library(media, photos=1, videos=0)
    commit, lost = connection._commit, OperationalError("server closed the connection unexpectedly")

    def commit_and_lose_the_answer() -> None:
        commit()
        if is_still_lost:
            monkeypatch.setattr(connection, "cursor", fail)
        raise lost

    def fail() -> None:
        raise lost

    monkeypatch.setattr(connection, "_commit", commit_and_lose_the_answer)

    ran = shell("--force")

    monkeypatch.undo()
    run_id = ran.log[-1]["run_id"]
    assert ran.log[-1]["message"] == f"The database failed: {lost}. {state.format(run_id)}"
    assert (ran.code, Photo.objects.count(), str(Run.objects.get().uid)) == (1, 0, run_id)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["AUDITOR_MODELS", "AUDITOR_FRESHNESS_SECONDS"])
def test_broken_setting_stops_before_anything_is_read(settings: LazySettings, name: str) -> None:
    setattr(settings, name, "gallery.Photo")

    ran = shell("--dry-run")

    assert (ran.code, ran.stdout) == (1, "")
    assert f"(auditor.E001) {name} must be" in ran.stderr


@pytest.mark.live
@pytest.mark.sqlite
@pytest.mark.parametrize("flag", ["--dry-run", "--force"])
def test_database_that_was_never_migrated(tmp_path: Path, flag: str) -> None:
    told = {"TEST_DATABASE": "sqlite", "TEST_DATABASE_NAME": str(tmp_path / "empty.sqlite3")}
    message = "The database 'default' has no table auditor_root: it has not been migrated."
    hint = "Run: python manage.py migrate --database default"

    ran = manage(NAME, flag, **told)

    assert (ran.code, ran.stdout) == (1, f"CommandError: {message}\n{hint}\n")
    assert [facts(line) for line in ran.log] == [
        {"event": "run.failed", "command": NAME, "message": message, "hint": hint, "exit_code": 1}
    ]


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_sentence_at_a_real_terminal_is_on_stderr_and_without_json(media: Path, tmp_path: Path) -> None:
    make_photo()
    media.rmdir()

    with at_terminal(NAME, "--force", stdout=tmp_path / "stdout") as failing:
        code = failing.end()

    sentence = f"CommandError: The media root {media} cannot be read: No such file or directory.\n{UNMOUNTED}\n"
    assert (code, failing.said, (tmp_path / "stdout").read_text()) == (5, sentence, "")


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_sentence_in_a_real_pipe_is_on_stdout_and_the_json_on_stderr(media: Path) -> None:
    make_photo()
    media.rmdir()

    ran = manage(NAME, "--force")

    message = f"The media root {media} cannot be read: No such file or directory."
    assert (ran.code, ran.stdout) == (5, f"CommandError: {message}\n{UNMOUNTED}\n")
    assert ran.events == ["run.started", "run.failed"]
    assert facts(ran.log[-1]) == {
        "event": "run.failed",
        "command": NAME,
        "message": message,
        "hint": UNMOUNTED,
        "exit_code": 5,
    }


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, path: str) -> None:
    """Lets one call of `os` fail for one path, as for a user who may not."""
    honest = getattr(os, call)

    def refusing(asked: Any = ".") -> Any:
        if asked == path:
            raise PermissionError(13, "Permission denied", path)
        return honest(asked)

    monkeypatch.setattr(os, call, refusing)
