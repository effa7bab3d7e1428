"""The file under a spool: whose it is, how it is laid out, and what becomes of it when it is broken."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from zlib import crc32

FORMAT = 1  # PRAGMA user_version: how the file is laid out
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
# What SQLite answers when a file is not a database, is damaged, or is not laid out as ours.
BROKEN = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}
SCHEMA = f"""
BEGIN;
CREATE TABLE entry (
    number INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    count INTEGER NOT NULL,
    events BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
PRAGMA user_version = {FORMAT};
COMMIT;
"""
DAMAGED = "SELECT count(*) FROM entry WHERE checksum <> checksum_of(uid, count, events)"


class BrokenError(Exception):
    """The file is no spool, or a damaged one."""


class NewerError(Exception):
    """A newer version of this program wrote the file."""


def take_lock(path: str) -> int:
    """The descriptor that keeps the spool at `path` ours until it is closed; its folders are made.

    Raises BlockingIOError if the spool is another's. The lock is a file of its own: it has to outlive the spool's
    file, and to close a descriptor of a file that SQLite has open would drop SQLite's own locks.
    """
    _make_folder(os.path.dirname(os.path.abspath(path)))
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def connect(path: str) -> sqlite3.Connection:
    """The database in the file, made if it is new; every commit is on disk when it returns.

    Raises BrokenError, NewerError, and what SQLite and the operating system raise.
    """
    _make_file(path)
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        with _broken_told_apart():
            _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def unhurried(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Lets what is done meanwhile reach the disk with the next commit that has to."""
    db.execute("PRAGMA synchronous = NORMAL")
    try:
        yield db
    finally:
        db.execute("PRAGMA synchronous = FULL")


def ensure_whole(db: sqlite3.Connection) -> None:
    """Reads everything; raises BrokenError if anything is not as it was written."""
    with _broken_told_apart():
        is_whole = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if not is_whole or db.execute(DAMAGED).fetchone()[0]:
            raise BrokenError("it is damaged")


def checksum(uid: str, count: int, events: bytes) -> int:
    """What tells a changed entry from the one that was written: SQLite itself has no checksums."""
    return crc32(events, crc32(f"{uid} {count}".encode()))


def put_aside(path: str) -> str:
    """Gives a broken file a name of its own, which it returns; nothing of it is deleted."""
    aside = next(name for number in count(1) if not os.path.lexists(name := f"{path}.broken-{number}"))
    for suffix in ("", "-wal", "-journal"):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)
    _sync_folder(path)
    return aside


def delete(path: str) -> None:
    """Removes the file with all it holds, which gives the space back even where a full disk forbids a vacuum."""
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            os.unlink(path + suffix)


def size(path: str) -> int:
    """The bytes that the file and what SQLite keeps beside it take."""
    return sum(os.path.getsize(one) for one in (path, f"{path}-wal") if os.path.exists(one))


def code(error: sqlite3.Error) -> int:
    """SQLite's own number for an error, without the details that go into its upper bits."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _prepare(db: sqlite3.Connection) -> None:
    db.create_function("checksum_of", 3, checksum, deterministic=True)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")  # before WAL, which then needs no shared memory
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # with WAL, the pair that loses no commit in a power cut
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise NewerError
    if version < FORMAT:
        db.executescript(SCHEMA)


@contextmanager
def _broken_told_apart() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if code(error) in BROKEN:
            raise BrokenError(str(error)) from error
        raise


def _make_folder(folder: str) -> None:
    if os.path.isdir(folder):
        return
    _make_folder(os.path.dirname(folder))
    with suppress(FileExistsError):
        os.mkdir(folder, PRIVATE_FOLDER)
    _sync_folder(folder)


def _make_file(path: str) -> None:
    # SQLite would make it readable for everybody, and gives its other files the rights of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
    _sync_folder(path)


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
