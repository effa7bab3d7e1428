"""A locked file beside an SQLite database; it says who has it."""

import fcntl
import os
import re
import socket
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.errors import AuditorError

SOMEBODY = "another process"
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")


class FileHold:
    """Holds a lock by a file; in memory, where no other process can see the database, nothing is locked."""

    def __init__(self, name: str, connection: BaseDatabaseWrapper) -> None:
        self._name = name
        self._connection = connection
        self._file: int | None = None
        self._is_alone = False

    @property
    def is_held(self) -> bool:
        # A lock file that somebody deleted keeps nobody out: the next one makes another.
        return self._is_alone or (self._file is not None and os.fstat(self._file).st_nlink > 0)

    def acquire(self) -> bool:
        self.release()
        database = self._database()
        if not database:
            self._is_alone = True
            return True
        path = self._path(database)
        try:
            self._file = _locked(path, database)
        except OSError as error:
            raise AuditorError(
                f"The lock file {path} could not be used: {error.strerror}.",
                hint="Let this user write to the folder of the database, and to the file if it is there.",
            ) from error
        return self.is_held

    def release(self) -> None:
        file, self._file, self._is_alone = self._file, None, False
        if file is not None:
            # The file stays: deleted here, it could be locked by one who has opened it, and made anew by the next.
            with suppress(OSError):
                os.ftruncate(file, 0)
            os.close(file)

    def holder(self) -> str:
        database = self._database()
        if not database:
            return SOMEBODY
        try:
            with open(self._path(database), encoding="utf-8", errors="replace") as file:
                words = file.readline(200).strip()
        except OSError:
            return SOMEBODY
        return words if words.startswith("process ") else SOMEBODY

    def _database(self) -> str:
        """The database's path without symbolic links, whichever it was opened by; "" if it is in memory."""
        with self._connection.cursor() as cursor:
            cursor.execute("PRAGMA database_list")
            path: str = next(path for _, schema, path in cursor.fetchall() if schema == "main")
        return path

    def _path(self, database: str) -> str:
        name = self._name if PLAIN.fullmatch(self._name) else sha256(self._name.encode()).hexdigest()[:40]
        return f"{database}-{name}.lock"


def host() -> str:
    """This machine's name, without spaces."""
    return re.sub(r"[^!-~]", "?", socket.gethostname()) or "localhost"


def _locked(path: str, database: str) -> int | None:
    """The lock file, ours until it is closed; None if another has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _share(file, database)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except BaseException:
        os.close(file)
        raise
    words = f"process {os.getpid()} on {host()} since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n"
    with suppress(OSError):  # a full disk: the lock holds all the same
        os.ftruncate(file, 0)
        os.pwrite(file, words.encode(), 0)
    return file


def _share(file: int, database: str) -> None:
    """Gives the file to those who may use the database, as SQLite does with its own files."""
    owner = os.stat(database)
    with suppress(PermissionError):  # it is another user's, who has done so
        if os.geteuid() == 0:
            os.fchown(file, owner.st_uid, owner.st_gid)
        os.fchmod(file, owner.st_mode & 0o666)
