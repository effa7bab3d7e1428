"""Databases for the benchmarks, by name: a SQLite file in the cache, or one of PostgreSQL's."""

import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

from tests.benchmarks.measuring import PROJECT, NotMeasuredError

CACHE = PROJECT / ".bench"
POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
# Two check-outs on one server are apart.
PREFIX = f"bench_{sha256(bytes(PROJECT)).hexdigest()[:6]}_"


class Database(Protocol):
    """One database; `label` is what the table calls its kind."""

    label: ClassVar[str]
    name: str

    def environment(self) -> dict[str, str]:
        """What tests.settings need to know of it."""

    def exists(self) -> bool:
        """Whether it is there."""

    def create(self) -> None:
        """Makes it, empty."""

    def copy(self, name: str) -> "Database":
        """Makes another one with all that is in this one, to which nobody may be connected."""

    def rename(self, name: str) -> None:
        """Gives it another name."""

    def drop(self) -> None:
        """Removes it, if it is there."""


@dataclass(slots=True)
class Sqlite:
    """A file in the cache."""

    name: str
    label: ClassVar[str] = "SQLite"

    @property
    def path(self) -> Path:
        return CACHE / f"{self.name}.sqlite3"

    def environment(self) -> dict[str, str]:
        return {"TEST_DATABASE": "sqlite", "TEST_DATABASE_NAME": str(self.path)}

    def exists(self) -> bool:
        return self.path.exists()

    def create(self) -> None:
        self.drop()

    def copy(self, name: str) -> Database:
        copied = Sqlite(name)
        copied.drop()
        shutil.copyfile(self.path, copied.path)
        return copied

    def rename(self, name: str) -> None:
        os.rename(self.path, Sqlite(name).path)
        self.name = name

    def drop(self) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)


@dataclass(slots=True)
class Postgres:
    """A database on the server that the tests use."""

    name: str
    label: ClassVar[str] = "PostgreSQL"

    def environment(self) -> dict[str, str]:
        return {"TEST_DATABASE": "postgresql", "TEST_DATABASE_NAME": f"{PREFIX}{self.name}"}

    def exists(self) -> bool:
        return bool(ask(f"SELECT 1 FROM pg_database WHERE datname = '{PREFIX}{self.name}'"))

    def create(self) -> None:
        self.drop()
        ask(f'CREATE DATABASE "{PREFIX}{self.name}"')

    def copy(self, name: str) -> Database:
        copied = Postgres(name)
        copied.drop()
        ask(f'CREATE DATABASE "{PREFIX}{name}" TEMPLATE "{PREFIX}{self.name}"')
        return copied

    def rename(self, name: str) -> None:
        ask(f'ALTER DATABASE "{PREFIX}{self.name}" RENAME TO "{PREFIX}{name}"')
        self.name = name

    def drop(self) -> None:
        ask(f'DROP DATABASE IF EXISTS "{PREFIX}{self.name}" WITH (FORCE)')


Kind: TypeAlias = type[Sqlite] | type[Postgres]
KINDS: tuple[Kind, ...] = (Sqlite, Postgres)


def ask(statement: str) -> list[Any]:
    """Has the server do something; raises NotMeasuredError where none answers."""
    import psycopg

    try:
        with psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=5) as server:
            cursor = server.execute(statement)
            return cursor.fetchall() if cursor.description else []
    except psycopg.OperationalError as error:
        raise NotMeasuredError(f"no PostgreSQL answers at {POSTGRES_URL}") from error


def known(kind: Kind) -> list[str]:
    """The names of all databases of a kind that earlier runs left."""
    if kind is Sqlite:
        return [path.stem for path in CACHE.glob("*.sqlite3")]
    rows = ask(f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'")
    return [name.removeprefix(PREFIX) for (name,) in rows]
