"""What becomes of the journal where no watcher looks at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from auditor.auditlog import store
from auditor.models import Root, Span
from auditor.orphans.journaled import forget_unwatched
from auditor.orphans.registry import audited_models
from tests.commands.library import make_watched, shell
from tests.journal.journaled import PHOTO, forget, keys
from tests.makers import make_known, make_photo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_journaled() -> None:
    forget()


def test_a_clean_up_empties_the_journal_that_no_watcher_will_read(media: Path) -> None:
    make_photo("photos/kept.jpg", media=media)
    make_known(media)

    shell("--force")

    assert keys(PHOTO) == []


def test_a_dry_run_leaves_the_journal_alone(media: Path) -> None:
    photo = make_photo("photos/kept.jpg", media=media)
    make_known(media)

    shell("--dry-run")

    assert keys(PHOTO) == [str(photo.pk)]


def test_what_a_watcher_has_yet_to_look_at_stays(media: Path) -> None:
    make_known(media)
    make_watched(media)
    photo = make_photo("photos/new.jpg", media=media)

    forget_unwatched(audited_models(), using="default")

    assert keys(PHOTO) == [str(photo.pk)]


def test_a_watcher_that_comes_meanwhile_finds_all_of_it(media: Path) -> None:
    make_known(media)
    photo = make_photo("photos/new.jpg", media=media)
    has_come: list[bool] = []

    def come(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("DELETE") and not has_come:
            has_come.append(True)
            open_a_span(media)
        return done

    with connection.execute_wrapper(come):
        forget_unwatched(audited_models(), using="default")

    assert (has_come, keys(PHOTO)) == ([True], [str(photo.pk)])


def open_a_span(media: Path) -> None:
    """As another process does in that moment."""
    now = store.database_time("default")
    Span.objects.create(
        uid="00000000-0000-0000-0000-000000000001",
        root=Root.objects.get(path=str(media.resolve())),
        identity="8:1",
        opened_at=now,
        opened_position=1,
        covered_until=now,
    )
