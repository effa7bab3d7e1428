"""What the watcher asks of its database connection: to answer within bounds, and to be the file that is there."""

import os
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# What Django raises when the database cannot be used now: away, locked, read-only, full, damaged, half restored.
AWAY = (DatabaseError, InterfaceError)
CONNECT_SECONDS = 3
# Packets that nobody answers: only this frees a client that waits for a reply; keepalives do not.
SILENCE_MILLISECONDS = 3_000
LOCK_MILLISECONDS = 3_000
STATEMENT_MILLISECONDS = 30_000
POSTGRESQL = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": SILENCE_MILLISECONDS,
    "keepalives_idle": CONNECT_SECONDS,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
SESSION = {
    "lock_timeout": LOCK_MILLISECONDS,
    "statement_timeout": STATEMENT_MILLISECONDS,
    # So that the server, too, finds out soon that a connection is dead, and frees the lock that lived on it.
    "tcp_keepalives_idle": CONNECT_SECONDS,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 3,
}
_files: dict[str, tuple[int, int] | None] = {}


def bound(using: str) -> None:
    """Makes the connections that this process opens from now on give up after seconds, not after hours.

    What the project has set itself stays.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        # A pool would go on holding, for nobody, the locks of a connection that was closed.
        options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
        connection.settings_dict["OPTIONS"] = POSTGRESQL | options
    connection_created.connect(_on_connection, dispatch_uid="watcher.database")
    connection.close()


def drop_if_broken(using: str) -> None:
    """Closes a connection that does not answer; one to a server that does stays, and with it the lock on it.

    One to a file that was read-only when it was opened stays so, whatever becomes of the file.
    """
    connection = connections[using]
    if connection.vendor == "sqlite" or not connection.is_usable():
        connection.close()


def reconnect_if_replaced(using: str) -> None:
    """Closes the connection where another file lies at the path of the SQLite database that it has open.

    What is written to a file that was replaced reaches nobody. Raises OperationalError while none is there:
    opening it again would make an empty one in the place of what is being restored.
    """
    connection = connections[using]
    opened = _files.get(using)
    if opened is None:
        return
    found = _file(connection)
    if found is None:
        raise OperationalError(f"The database file {connection.settings_dict['NAME']} is not there.")
    if found != opened:
        connection.close()


def _on_connection(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    _files[connection.alias] = _file(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name, value in SESSION.items():
                cursor.execute(f"SET {name} = {value}")
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS}")


def _file(connection: BaseDatabaseWrapper) -> tuple[int, int] | None:
    if connection.vendor != "sqlite":
        return None
    try:
        found = os.stat(str(connection.settings_dict["NAME"]))
    except OSError:
        return None
    return found.st_dev, found.st_ino
