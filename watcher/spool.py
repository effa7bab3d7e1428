"""Keeps events on this machine while the database is away; they outlive a kill and a power cut."""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import Event, StoredEvent, from_stored, to_stored
from auditor.auditlog.seal import EPOCH, leaf
from watcher import spool_file
from watcher.notices import GapError
from watcher.spool_file import BrokenError, NewerError

SMALL = 256 * 1024  # bytes: an empty file that is no larger stays as it is
USED = """
SELECT (page_count - freelist_count) * page_size
FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Events that belong together: `uid` is that of their batch."""

    number: int
    uid: UUID
    events: tuple[Event, ...]


class Spool:
    """A queue of entries in one file, oldest first; for one process and one thread.

    `put_aside` is where a broken file was moved when the spool was opened, or "": what it held is not in here.
    Every method raises GapError (SPOOL_FAILED), in words for a person, where the file cannot be used.
    """

    def __init__(self, path: str, *, limit_bytes: int) -> None:
        """Opens the file, or makes it and its folders, for their owner only."""
        self.path = path
        self.put_aside = ""
        self._limit_bytes = limit_bytes
        self._count = self._entries = self._last = 0
        self._removed: set[int] = set()
        self._db: sqlite3.Connection | None = None
        self._lock: int | None = None
        with self._in_words("opened"):
            try:
                self._lock = spool_file.take_lock(path)
                self._open()
            except BaseException:
                self.close()
                raise

    @property
    def count(self) -> int:
        """How many events are waiting."""
        return self._count

    @property
    def is_empty(self) -> bool:
        """Whether nothing is waiting."""
        return not self._entries

    @property
    def is_in_place(self) -> bool:
        """Whether its folder is still the one in which it was opened."""
        try:
            return self._lock is not None and os.path.samestat(os.fstat(self._lock), os.stat(f"{self.path}.lock"))
        except OSError:
            return False

    def append(self, uid: UUID, events: Sequence[Event]) -> None:
        """Adds an entry, all or nothing; it is on disk when this returns."""
        packed = json.dumps([leaf(to_stored(event)) for event in events], separators=(",", ":")).encode()
        columns = (str(uid), len(events), packed)
        with self._in_words("written"):
            db = self._database()
            if db.execute(USED).fetchone()[0] + len(packed) > self._limit_bytes:
                raise self._gap(f"is full: AUDITOR_SPOOL_MEGABYTES allows {self._limit_bytes / 1_000_000:g}.")
            row = (self._last + 1, *columns, spool_file.checksum(*columns))
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", row)
        self._last += 1
        self._entries += 1
        self._count += len(events)

    def entries(self) -> Iterator[Entry]:
        """What is waiting, read one by one; entries may be removed and added meanwhile.

        Ends with a GapError at the first entry that only a newer program knows; it stays where it is.
        """
        number = 0
        while row := self._after(number):
            number, uid, packed = row
            if number not in self._removed:
                with self._in_words("read"):
                    events = _unpack(packed)
                yield Entry(number=number, uid=UUID(uid), events=events)

    def remove(self, number: int) -> None:
        """Drops an entry that is safe elsewhere; a number that is not there changes nothing.

        After a power cut, or a kill while the disk is full, it may be there again: its uid makes that harmless.
        """
        with self._in_words("written"):
            row = self._database().execute("SELECT count FROM entry WHERE number = ?", [number]).fetchone()
            if row is None or number in self._removed:
                return
            self._delete(number)
            self._entries -= 1
            self._count -= row[0]
            if self.is_empty and (self._removed or spool_file.size(self.path) > SMALL):
                self._close_database()
                spool_file.delete(self.path)
                self._removed.clear()

    def close(self) -> None:
        """Lets go of the file; what is waiting stays in it."""
        self._close_database()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open(self) -> None:
        try:
            self._load()
        except BrokenError:
            self._close_database()
            self.put_aside = spool_file.put_aside(self.path)
            self._load()

    def _load(self) -> None:
        db = self._database()
        spool_file.ensure_whole(db)
        totals = db.execute("SELECT count(*), coalesce(sum(count), 0), coalesce(max(number), 0) FROM entry")
        self._entries, self._count, self._last = totals.fetchone()

    def _database(self) -> sqlite3.Connection:
        if self._lock is None:
            raise sqlite3.ProgrammingError("it was closed")
        if self._db is None:
            self._db = spool_file.connect(self.path)
        return self._db

    def _close_database(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _delete(self, number: int) -> None:
        try:
            with spool_file.unhurried(self._database()) as db:
                db.execute("DELETE FROM entry WHERE number = ?", [number])
        except sqlite3.OperationalError as error:
            if spool_file.code(error) != sqlite3.SQLITE_FULL:
                raise
            # A full disk must not keep us from emptying the spool that may have filled it.
            self._removed.add(number)

    def _after(self, number: int) -> Any:
        with self._in_words("read"):
            query = "SELECT number, uid, events FROM entry WHERE number > ? ORDER BY number LIMIT 1"
            return self._database().execute(query, [number]).fetchone()

    @contextmanager
    def _in_words(self, done: str) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise self._gap("is in use by another process.") from None
        except NewerError:
            raise self._gap("was written by a newer version of this program. Run that version again.") from None
        except (OSError, sqlite3.Error, BrokenError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "Set AUDITOR_STATE_DIR to a folder that can be written."
            raise self._gap(f"could not be {done}: {reason}. {hint}") from error

    def _gap(self, what: str) -> GapError:
        return GapError(GapReason.SPOOL_FAILED, f"The spool {self.path} {what}")


def _unpack(packed: bytes) -> tuple[Event, ...]:
    return tuple(_event(*columns) for columns in json.loads(packed))


def _event(
    type_: str, version: int, root: int | None, path: str, at: int, run_id: str | None, data: dict[str, Any]
) -> Event:
    stored = StoredEvent(
        type=type_,
        version=version,
        root=root,
        path=path,
        occurred_at=EPOCH + timedelta(microseconds=at),
        run_id=UUID(run_id) if run_id else None,
        data=data,
    )
    event = from_stored(stored)
    if event is None or version > event.version:
        raise NewerError
    return event
