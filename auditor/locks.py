"""Locks with a name, one set to a database, that no process can leave behind: they die with their holder."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.errors import AuditorError, ExitCode
from auditor.lock_file import SOMEBODY, FileHold, host

NAMESPACE = "media-auditor"
LONGEST_NAME = 63  # bytes: PostgreSQL cuts an application_name there
HOLDER = """
SELECT activity.application_name, host(activity.client_addr),
       to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.classid::bigint = %s AND held.objid::bigint = %s
"""


@contextmanager
def held(name: str, *, using: str, busy: str) -> Iterator[None]:
    """Within it, nobody else has the lock of this name.

    Raises AuditorError (refused: locked), naming the holder, if somebody has; `busy` says what they are then.
    """
    lock = Lock(name, using=using)
    if not lock.acquire():
        raise AuditorError(
            f"{busy} is at work on this database: {lock.holder()}.",
            hint="Wait until it has ended, and run the command again.",
            exit_code=ExitCode.REFUSED_LOCKED,
        )
    try:
        yield
    finally:
        lock.release()


class _Hold(Protocol):
    """One way to hold a lock."""

    @property
    def is_held(self) -> bool: ...

    def acquire(self) -> bool: ...

    def release(self) -> None: ...

    def holder(self) -> str: ...


class Lock:
    """A lock that at most one holder has at a time, among all processes that use a database.

    On PostgreSQL it lives on the connection and is lost with it; a pooler that shares connections breaks it.
    On SQLite it is a locked file beside the database's. Elsewhere nothing is locked: it can always be had.
    """

    def __init__(self, name: str, *, using: str) -> None:
        connection = connections[using]
        self._hold: _Hold
        match connection.vendor:
            case "postgresql":
                self._hold = _SessionHold(name, connection)
            case "sqlite":
                self._hold = FileHold(name, connection)
            case _:
                self._hold = _NoHold()

    @property
    def is_held(self) -> bool:
        """Whether this lock was had and is not known to be lost; asks nobody."""
        return self._hold.is_held

    def acquire(self) -> bool:
        """Whether the lock is now held by this object; never waits.

        Raises AuditorError if a lock file cannot be used, and what the database raises.
        """
        return self.is_held or self._hold.acquire()

    def release(self) -> None:
        """Lets go, if it is held."""
        self._hold.release()

    def holder(self) -> str:
        """Who has the lock, in words for a person; meant for after `acquire()` said no.

        "another process" where no more can be told.
        """
        return self._hold.holder()


class _SessionHold:
    """An advisory lock of a PostgreSQL session; transactions do not touch it."""

    # The server grants a session its own lock again: within one session, this is what tells two holders apart.
    _held: dict[tuple[str, str], "_SessionHold"] = {}

    def __init__(self, name: str, connection: BaseDatabaseWrapper) -> None:
        self._name = name
        self._connection = connection
        self._session: Any = None
        digest = sha256(f"{NAMESPACE}/{name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)

    @property
    def is_held(self) -> bool:
        session = self._connection.connection
        return session is not None and session is self._session and not session.closed

    def acquire(self) -> bool:
        other = self._held.get((self._connection.alias, self._name))
        if other is not None and other.is_held:
            return False
        self._sign()  # before it is held: whoever is refused a moment later is told by whom
        if not self._ask("SELECT pg_try_advisory_lock(%s)", self._key)[0]:
            return False
        self._session = self._connection.connection
        self._held[self._connection.alias, self._name] = self
        return True

    def release(self) -> None:
        if not self.is_held:
            return
        session, self._session = self._session, None
        try:
            self._ask("SELECT pg_advisory_unlock(%s)", self._key)
        except (OperationalError, InterfaceError):
            if self._connection.connection is session:
                self._connection.close()  # and with it the lock
        self._held.pop((self._connection.alias, self._name), None)

    def holder(self) -> str:
        key = self._key % 2**64
        row = self._ask(HOLDER, key >> 32, key % 2**32)
        application, address, since = row or (None, None, None)
        words = SOMEBODY
        if signed := re.search(r"(\d+)@(\S+)$", application or ""):
            words = f"process {signed[1]} on {signed[2]}"
        elif address:
            words = f"{SOMEBODY}, at {address}"
        return words + (f", connected since {since} UTC" if since else "")

    def _sign(self) -> None:
        """Adds process and host to the session's name: the server knows only its own process."""
        own = f"{os.getpid()}@{host()}"[:LONGEST_NAME]
        name = self._ask("SELECT current_setting('application_name')")[0]
        if own not in name.split():
            kept = name[: max(0, LONGEST_NAME - len(own) - 1)]
            self._ask("SELECT set_config('application_name', %s, false)", f"{kept} {own}".strip())

    def _ask(self, query: str, *parameters: int | str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchone()


class _NoHold:
    """Nothing is locked."""

    def __init__(self) -> None:
        self.is_held = False

    def acquire(self) -> bool:
        self.is_held = True
        return True

    def release(self) -> None:
        self.is_held = False

    def holder(self) -> str:
        return SOMEBODY
