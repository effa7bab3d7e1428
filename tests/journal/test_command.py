"""The command shows whether each column is journaled, makes the triggers, and removes them."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection

from auditor.journal import triggers
from auditor.journal.columns import Column
from auditor.journal.triggers import TriggerSeen, TriggerState
from auditor.models import Candidate
from auditor.orphans import journaled
from tests.journal.journaled import PHOTO, entries, seen
from tests.makers import make_photo
from tests.running import Ran, run

NAME = "reference_journal"
THUMBNAIL = "gallery.Photo.thumbnail"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what is shown short."""
    columns = [one for one in journaled.audited_columns("default") if one.id.startswith("gallery.Photo.")]
    monkeypatch.setattr(f"auditor.management.commands.{NAME}.audited_columns", lambda using: columns)


def journal(*arguments: str) -> Ran:
    return run(NAME, *arguments)


def log_of(ran: Ran) -> list[dict[str, Any]]:
    envelope = ("timestamp", "level", "schema", "run_id")
    return [{key: value for key, value in line.items() if key not in envelope} for line in ran.log]


def line(field: str, triggers: str, reason: str = "", unchecked: int = 0, candidates: int = 0) -> dict[str, Any]:
    counts = {"unchecked": unchecked, "candidates": candidates}
    return {"event": "journal.seen", "field": field, "triggers": triggers, "reason": reason, **counts}


def failed(message: str, hint: str, exit_code: int) -> dict[str, Any]:
    return {"event": "run.failed", "command": NAME, "message": message, "hint": hint, "exit_code": exit_code}


def test_it_shows_what_is_journaled_and_what_waits() -> None:
    make_photo("photos/a.jpg")
    Candidate.objects.create(field=PHOTO.id, key="7")
    Candidate.objects.create(field=PHOTO.id, key="8")

    ran = journal()

    assert (ran.code, ran.stdout) == (
        0,
        "gallery.Photo.image: journaled\n"
        "  1 reference to be looked at, 2 candidates\n"
        "gallery.Photo.thumbnail: journaled\n",
    )
    assert log_of(ran) == [line(PHOTO.id, "in_place", unchecked=1, candidates=2), line(THUMBNAIL, "in_place")]


def test_it_shows_what_is_not_journaled_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        PHOTO.id: TriggerSeen(state=TriggerState.MISSING),
        THUMBNAIL: TriggerSeen(state=TriggerState.IMPOSSIBLE, why="gallery_photo is a view"),
    }
    monkeypatch.setattr(triggers, "look", lambda columns, *, using: found)

    ran = journal()

    assert (ran.code, ran.stdout) == (
        0,
        "gallery.Photo.image: not journaled, its triggers are missing\n"
        "gallery.Photo.thumbnail: not journaled, gallery_photo is a view\n"
        "To make the triggers that are missing: python manage.py reference_journal --install\n",
    )
    assert log_of(ran) == [line(PHOTO.id, "missing"), line(THUMBNAIL, "impossible", "gallery_photo is a view")]


def test_it_makes_what_is_missing() -> None:
    triggers.remove(using="default")

    ran = journal("--install")

    assert (ran.code, ran.stdout) == (0, "gallery.Photo.image: journaled\ngallery.Photo.thumbnail: journaled\n")
    assert log_of(ran) == [line(PHOTO.id, "in_place"), line(THUMBNAIL, "in_place")]
    assert seen().state is TriggerState.IN_PLACE


def test_what_the_database_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(columns: Sequence[Column], *, using: str) -> dict[str, TriggerSeen]:
        return {PHOTO.id: TriggerSeen(state=TriggerState.MISSING, why="permission denied for table gallery_photo")}

    monkeypatch.setattr(triggers, "install", refuse)

    ran = journal("--install")

    message = "The triggers of 1 column could not be made: gallery.Photo.image."
    hint = "Run it again as a role that owns the tables, at a time when no long transaction writes to them."
    assert (ran.code, ran.stdout) == (
        1,
        "gallery.Photo.image: not journaled, its triggers are missing, permission denied for table gallery_photo\n"
        "To make the triggers that are missing: python manage.py reference_journal --install\n"
        f"CommandError: {message}\n{hint}\n",
    )
    assert log_of(ran)[1:] == [failed(message, hint, 1)]


def test_nothing_is_made_where_the_setting_is_off(settings: LazySettings) -> None:
    settings.AUDITOR_JOURNAL = False

    shown, ran = journal(), journal("--install")

    message = "AUDITOR_JOURNAL is False: the next migrate would remove the triggers."
    assert shown.stdout.endswith("AUDITOR_JOURNAL is False: the next migrate removes all triggers.\n")
    hint = "Set AUDITOR_JOURNAL = True in settings.py."
    assert (ran.code, ran.stdout) == (2, f"CommandError: {message}\n{hint}\n")
    assert log_of(ran) == [failed(message, hint, 2)]


@pytest.mark.parametrize(
    ("is_kept", "comes_back"),
    [
        (True, "The next migrate makes them again, unless AUDITOR_JOURNAL = False is in the settings.\n"),
        (False, ""),
    ],
)
def test_it_removes_all(settings: LazySettings, is_kept: bool, comes_back: str) -> None:
    settings.AUDITOR_JOURNAL = is_kept
    triggers.remove(using="default")
    triggers.install([PHOTO], using="default")
    make_photo("photos/a.jpg")
    count = triggers_of_photo()

    ran = journal("--remove")

    sentence = f"Removed {count} triggers, and all that was in the journal.\n"
    assert (ran.code, ran.stdout) == (0, sentence + comes_back)
    assert log_of(ran) == [{"event": "journal.removed", "triggers": count}]
    assert (entries(), seen().state) == ([], TriggerState.MISSING)


def triggers_of_photo() -> int:
    return {"sqlite": 2, "postgresql": 3}[connection.vendor]


def test_a_removal_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*, using: str) -> int:
        raise DatabaseError("canceling statement due to lock timeout")

    monkeypatch.setattr(triggers, "remove", fail)

    ran = journal("--remove")

    message = "The database failed: canceling statement due to lock timeout. Nothing of the journal was changed."
    assert (ran.code, ran.stdout) == (
        1,
        f"CommandError: {message}\nMend the database, then run the command again.\n",
    )


@pytest.mark.parametrize("flag", [[], ["--install"], ["--remove"]])
def test_an_unknown_database_is_wrong_usage(flag: list[str]) -> None:
    ran = journal(*flag, "--database", "nowhere")

    assert ran.code == 2
    assert "There is no database 'nowhere' in DATABASES.\n" in ran.stdout
