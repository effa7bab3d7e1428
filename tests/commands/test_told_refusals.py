"""What a run that was refused, or that met unknown names, leaves in the audit log; a dry run leaves nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from auditor.auditlog import store
from auditor.auditlog.events import NamesDoubted, RunRefused
from auditor.management.commands.cleanup_orphaned_media import Command
from auditor.management.given import given_to
from auditor.models import Event, Run
from deploy.gallery.models import Photo
from tests.commands.library import make_library
from tests.makers import make_file, make_known, make_photo
from tests.running import run

pytestmark = pytest.mark.django_db
CLEAN_UP = "cleanup_orphaned_media"


def told(kind: type[RunRefused | NamesDoubted]) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(type=kind.type).order_by("position")]


def test_a_run_that_a_limit_refuses_is_told(media: Path) -> None:
    make_library(media, photos=3, videos=0)

    ran = run(CLEAN_UP, "--force", "--max-orphans", "1")

    [refused] = told(RunRefused)
    failed = ran.log[-1]
    assert ran.code == 6
    assert refused.pop("user")
    assert refused == {
        "command": CLEAN_UP,
        "options": "--force --max-orphans 1",
        "exit_code": 6,
        "message": failed["message"],
        "hint": failed["hint"],
    }
    assert str(Event.objects.get(type=RunRefused.type).run_id) == failed["run_id"]
    assert (Run.objects.count(), Photo.objects.count()) == (0, 3)


def test_a_run_that_meets_an_empty_folder_is_told(media: Path) -> None:
    make_photo()

    assert run(CLEAN_UP, "--force").code == 5

    assert [data["exit_code"] for data in told(RunRefused)] == [5]


def test_a_refused_run_for_unused_files_is_told(media: Path) -> None:
    for number in range(3):
        make_file(media, f"{number}.jpg")
    make_photo("kept.jpg", media=media)
    make_known(media)

    assert run("cleanup_unused_files", "--force", "--min-age", "0", "--max-files", "1").code == 6

    assert [data["command"] for data in told(RunRefused)] == ["cleanup_unused_files"]


@pytest.mark.parametrize("flag", ["--dry-run", "--check"])
def test_a_dry_run_tells_nothing(media: Path, flag: str) -> None:
    make_library(media, photos=3, videos=0)
    make_photo("../outside.jpg")

    run(CLEAN_UP, flag, "--max-orphans", "1")

    assert not Event.objects.exists()


def test_unknown_names_are_told_with_their_reasons(media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    make_photo("../outside.jpg", pk=1)

    ran = run(CLEAN_UP, "--force")

    [doubted] = told(NamesDoubted)
    assert ran.code == 4
    assert doubted.pop("user")
    [unknown] = [line for line in ran.log if line["event"] == "name.unknown"]
    assert doubted == {
        "command": CLEAN_UP,
        "records": {"gallery.Photo": 1},
        "sample": [f"gallery.Photo:1 ../outside.jpg ({unknown['reason']})"],
    }


def test_a_log_that_cannot_be_written_does_not_hide_the_refusal(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=3, videos=0)

    def failing(*_: Any, **__: Any) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(store, "append", failing)

    assert run(CLEAN_UP, "--force", "--max-orphans", "1").code == 6


def test_options_are_kept_as_a_shell_takes_them(media: Path) -> None:
    parser = Command().create_parser("manage.py", CLEAN_UP)
    given = ["--no-input", "--exclude", "a b", "--exclude", "c", "--relink", "--max-orphans", "5%", "--limit", "7"]

    words = given_to(parser, vars(parser.parse_args(given)))

    assert words == "--force --exclude 'a b' --exclude c --limit 7 --relink seen --max-orphans 5%"
    assert vars(parser.parse_args(["--force", "--exclude", "a b"]))["exclude"] == ["a b"]
