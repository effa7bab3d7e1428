"""The tests' database, taken away from the watchers, brought back, or set back to an earlier state."""

import os
import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from django.apps import apps
from django.db import connection, transaction

from auditor.auditlog import append_only
from tests import settings
from tests.faults.mounts import fill, mount_tmpfs, released
from tests.faults.proxy import Proxy


class Database(Protocol):
    """A database that can be taken away from the watchers; the test itself keeps reading it."""

    environment: dict[str, str]

    def take_away(self) -> None:
        """Nothing can be written any more."""

    def give_back(self) -> None:
        """All is as before."""

    def save(self) -> None:
        """Makes a backup."""

    def restore(self) -> None:
        """Brings the backup back, in place, under whoever is connected."""


class SqliteDatabase:
    """A file on a disk of its own, which can be full."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        place = folder / "disk"
        place.mkdir()
        before = Path(connection.settings_dict["NAME"])
        ending.enter_context(released(place))
        mount_tmpfs(place, size="32m")
        self.path, self._saved = place / "db.sqlite3", place / "saved.sqlite3"
        connection.close()  # the last one to leave brings all into the file
        shutil.copy(before, self.path)
        _use(self.path)
        ending.callback(_use, before)
        self.environment: dict[str, str] = {}

    def take_away(self) -> None:
        with connection.cursor() as cursor:  # else there would be room left in SQLite's own files
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fill(self.path.parent)

    def give_back(self) -> None:
        os.unlink(self.path.parent / "junk")

    def save(self) -> None:
        _copy(self.path, self._saved)

    def restore(self) -> None:
        connection.close()
        _copy(self._saved, self.path)

    def replace(self) -> None:
        """Puts the backup's file where the database's file was, as `mv` does."""
        connection.close()
        for ending in ("-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        os.replace(self._saved, self.path)


class PostgresqlDatabase:
    """A server behind a proxy that the watchers go through."""

    def __init__(self, ending: ExitStack) -> None:
        url = urlsplit(settings.POSTGRES_URL)
        self.proxy = Proxy(url.hostname or "127.0.0.1", url.port or 5432)
        ending.callback(self.proxy.close)
        user = url.netloc.rpartition("@")[0]
        through = url._replace(netloc=f"{user}@127.0.0.1:{self.proxy.port}")
        self.environment = {"TEST_POSTGRES_URL": through.geturl()}
        ending.callback(_run, "DROP SCHEMA IF EXISTS saved CASCADE")

    def take_away(self) -> None:
        self.proxy.refuse()

    def give_back(self) -> None:
        self.proxy.mend()

    def save(self) -> None:
        copies = [f"CREATE TABLE saved.{name} AS SELECT * FROM public.{name}" for name in _tables()]
        _run("CREATE SCHEMA saved", *copies)

    def restore(self) -> None:
        # The keys between the tables are looked at when the transaction ends.
        removals = [f"DELETE FROM public.{name}" for name in _tables()]
        with transaction.atomic():
            # As a watcher does: the head before the events, or each could wait for the other.
            _run("LOCK TABLE public.auditor_head IN ACCESS EXCLUSIVE MODE")
            with append_only.lifted("default"):
                _run(*removals, *(f"INSERT INTO public.{name} SELECT * FROM saved.{name}" for name in _tables()))


def _tables() -> list[str]:
    models = apps.get_app_config("auditor").get_models()
    return [model._meta.db_table for model in models if not model._meta.proxy]


def _run(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _use(path: Path) -> None:
    connection.close()
    connection.settings_dict["NAME"] = str(path)


def _copy(source: Path, to: Path) -> None:
    with closing(sqlite3.connect(source, timeout=20)) as one, closing(sqlite3.connect(to, timeout=20)) as other:
        one.backup(other)
