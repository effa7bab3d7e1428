"""A connection that gives up in time, and a database file that is not the one that was opened."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.signals import connection_created
from pytest_django import DjangoDbBlocker

from watcher import database
from watcher.database import bound, reconnect_if_replaced


@pytest.fixture
def alias(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A SQLite database of its own, opened as the watcher opens one."""
    with sqlite3.connect(tmp_path / "site.sqlite3") as made:
        made.execute("CREATE TABLE kept (text TEXT)")
    made.close()
    connections.settings["extra"] = connections["default"].settings_dict | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "site.sqlite3"),
        "OPTIONS": {},
    }
    with django_db_blocker.unblock():
        bound("extra")
        yield "extra"
        connections["extra"].close()
    connection_created.disconnect(dispatch_uid="watcher.database")
    del connections["extra"]
    del connections.settings["extra"]


def rows(alias: str) -> list[Any]:
    with connections[alias].cursor() as cursor:
        return cursor.execute("SELECT text FROM kept").fetchall()


def test_a_database_that_is_as_it_was_keeps_its_connection(alias: str) -> None:
    rows(alias)
    opened = connections[alias].connection

    reconnect_if_replaced(alias)

    assert connections[alias].connection is opened


def test_a_database_whose_file_was_replaced_is_opened_anew(alias: str, tmp_path: Path) -> None:
    assert rows(alias) == []
    with sqlite3.connect(tmp_path / "backup.sqlite3") as backup:
        backup.execute("CREATE TABLE kept (text TEXT)")
        backup.execute("INSERT INTO kept VALUES ('restored')")
    backup.close()
    os.replace(tmp_path / "backup.sqlite3", tmp_path / "site.sqlite3")

    reconnect_if_replaced(alias)

    assert rows(alias) == [("restored",)]


def test_a_database_whose_file_is_gone_is_waited_for_and_not_made_anew(alias: str, tmp_path: Path) -> None:
    rows(alias)
    shutil.move(tmp_path / "site.sqlite3", tmp_path / "elsewhere")

    with pytest.raises(OperationalError, match=r"site\.sqlite3 is not there"):
        reconnect_if_replaced(alias)

    assert not (tmp_path / "site.sqlite3").exists()


def test_a_locked_database_is_given_up_in_seconds(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (database.LOCK_MILLISECONDS,)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_server_that_does_not_answer_is_given_up_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"connect_timeout": 7, "pool": False})
    try:
        bound("default")
        with connection.cursor() as cursor:
            shown = {}
            for name in database.SESSION:
                cursor.execute("SELECT current_setting(%s)", [name])
                shown[name] = cursor.fetchone()[0]
    finally:
        connection_created.disconnect(dispatch_uid="watcher.database")
        connection.close()

    options = connection.settings_dict["OPTIONS"]
    assert (options["connect_timeout"], options["tcp_user_timeout"], "pool" in options) == (7, 3_000, False)
    assert shown == {
        "lock_timeout": "3s",
        "statement_timeout": "30s",
        "tcp_keepalives_idle": "3",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
    }
