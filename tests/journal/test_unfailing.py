"""A write of the host never fails because of the journal; what is lost changes the marks, or they are missing."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from auditor.journal import postgresql, triggers
from auditor.journal.columns import column_of
from auditor.journal.names import name_of
from auditor.journal.triggers import TriggerState
from auditor.orphans import journaled
from tests.journal.journaled import PHOTO, entries, run, seen
from tests.makers import make_photo
from tests.settings import POSTGRES_URL
from tests.shapes.models import Part

PART = column_of(Part, "file")
INSERT = "INSERT INTO shapes_part (id, file) VALUES (7, 'parts/a.jpg')"
UPDATE = "UPDATE shapes_part SET file = 'parts/b.jpg'"

ROLE = f"auditor_test_other_{os.getpid()}"  # a role belongs to the whole server

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def another() -> Iterator[psycopg.Connection]:
    """Another session at the same database."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(POSTGRES_URL, dbname=name) as session:
        yield session
        session.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE auditor_uncheckedreference",
        "ALTER TABLE auditor_uncheckedreference RENAME TO elsewhere",
    ],
)
def test_a_journal_that_is_gone(statement: str) -> None:
    run(statement)

    run(INSERT, UPDATE)

    assert Part.objects.values_list("file", flat=True).get() == "parts/b.jpg"
    assert (seen().state, seen().why) == (TriggerState.MISSING, "the tables of the auditor are not in this database")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE auditor_uncheckedreference RENAME COLUMN key TO other",
        "ALTER TABLE auditor_uncheckedreference ADD COLUMN more integer NOT NULL",
        f"ALTER TABLE auditor_uncheckedreference OWNER TO {ROLE}",
    ],
    ids=["another column", "one more column", "another owner"],
)
def test_a_journal_that_cannot_be_written(statement: str) -> None:
    before = seen(PART)
    run(f"CREATE ROLE {ROLE}", statement)

    run(INSERT, UPDATE)

    assert Part.objects.values_list("file", flat=True).get() == "parts/b.jpg"
    assert seen(PART).mark != before.mark


@pytest.mark.parametrize(
    ("statement", "insert"),
    [
        ("ALTER TABLE shapes_part RENAME COLUMN file TO picture", INSERT.replace("file", "picture")),
        ("ALTER TABLE shapes_part DROP COLUMN file CASCADE", "INSERT INTO shapes_part (id) VALUES (7)"),
    ],
)
def test_a_column_that_is_gone(statement: str, insert: str) -> None:
    run(statement)

    run(insert)

    assert (seen(PART).state, seen(PART).why) == (TriggerState.IMPOSSIBLE, "shapes_part has no column file")


def test_a_column_of_another_type() -> None:
    run(INSERT, UPDATE, "SET CONSTRAINTS ALL IMMEDIATE")
    run("ALTER TABLE shapes_part ALTER COLUMN file TYPE text")

    run("UPDATE shapes_part SET file = 'parts/c.jpg'")

    assert Part.objects.values_list("file", flat=True).get() == "parts/c.jpg"
    assert seen(PART).state is TriggerState.MISSING
    assert triggers.install([PART], using="default")[PART.id].state is TriggerState.IN_PLACE


def test_a_journal_that_is_locked_for_longer_than_the_host_waits(another: psycopg.Connection) -> None:
    before = seen()
    another.execute("LOCK TABLE auditor_uncheckedreference")

    run("SET LOCAL lock_timeout = '20ms'")
    photo = make_photo("photos/a.jpg")
    run("SET LOCAL lock_timeout = 0")

    during = seen()
    another.rollback()
    assert photo.pk
    assert (during.state, during.why) == (TriggerState.MISSING, "a write that could not be journaled is under way")
    assert entries() == []
    assert before.mark


@pytest.mark.django_db(transaction=True)
def test_a_loss_changes_the_marks_for_good(another: psycopg.Connection) -> None:
    before = seen()
    another.execute("LOCK TABLE auditor_uncheckedreference")

    run("SET lock_timeout = '20ms'")
    make_photo("photos/a.jpg")
    run("SET lock_timeout = 0")
    another.rollback()

    after = seen()
    assert (after.state, entries()) == (TriggerState.IN_PLACE, [])
    assert after.mark != before.mark
    assert PHOTO.id == "gallery.Photo.image"


@pytest.mark.django_db(transaction=True)
def test_a_loss_that_begins_during_a_look_is_seen_by_it(another: psycopg.Connection) -> None:
    pending: list[str] = ["SET LOCAL lock_timeout = '20ms'", INSERT]

    def lose(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Once the losses were counted, another session loses a write that it has yet to commit."""
        result = execute(sql, *rest)
        if "pg_sequence_last_value" in sql:
            while pending:
                another.execute(pending.pop(0))
        return result

    with psycopg.connect(POSTGRES_URL, dbname=connection.settings_dict["NAME"]) as locking:
        locking.execute("LOCK TABLE auditor_uncheckedreference")
        with connection.execute_wrapper(lose):
            during = seen()

    assert (during.state, during.why) == (TriggerState.MISSING, "a write that could not be journaled is under way")


def test_triggers_that_are_in_use_stay_and_that_is_told(
    another: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_SECONDS", 0.02)
    monkeypatch.setattr(journaled, "audited_columns", lambda _: [PHOTO])
    another.execute("LOCK TABLE shapes_part IN ROW EXCLUSIVE MODE")

    with caplog.at_level(logging.WARNING):
        journaled.keep(using="default")

    assert seen(PART).state is TriggerState.IN_PLACE
    assert [message for message in caplog.messages if name_of(PART) in message] == [
        "The reference journal keeps triggers that nobody needs until the next migrate: "
        f"{name_of(PART)}: canceling statement due to lock timeout"
    ]
