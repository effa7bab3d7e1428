"""A segment: one file with the batches and events that a prune takes out of the log, and all it takes to verify them.

Its lines are those of an export, compressed with gzip.
"""

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest
from uuid import UUID

from auditor.archive import form
from auditor.archive.form import Values
from auditor.auditlog.digests import node
from auditor.auditlog.store import chunks
from auditor.auditlog.verifying import Seals
from auditor.errors import AuditorError, ExitCode
from auditor.models import Batch

PART = ".part"  # of a segment that is being written
LINES_AT_ONCE = 2_000
UNCHANGED = "What it was to hold is still in the log."
BROKEN = (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a segment holds, by its own seals: the last batch and its seal, and the seal before the first one."""

    log_id: UUID
    first_position: int
    position: int
    batch: int
    seal: str
    previous_seal: str


class BrokenSegmentError(Exception):
    """Says in words what is wrong with a segment."""


def name_of(log_id: UUID, first: int, last: int) -> str:
    """The name of the segment with the events from one position to another."""
    return f"audit-log-{log_id.hex[:8]}-{first:012}-{last:012}.jsonl.gz"


def ensure_folder(folder: str) -> None:
    """Raises AuditorError (usage) unless the folder is there and can be written to."""
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise AuditorError(
            f"{folder} is no folder that can be written to. Nothing was pruned.",
            hint="Make it, or give --into another one; best on another disk than the database.",
            exit_code=ExitCode.USAGE,
        )


def make(folder: str, contents: Contents, lines: Iterable[str], *, key: bytes | None) -> tuple[str, str]:
    """Writes a segment of these lines and verifies it from the file alone; gives back (its name, its SHA-256).

    A file that has its name, as after a kill, is taken if it holds the same. Raises AuditorError if it does not
    (usage), or if the segment cannot be written or read back.
    """
    name = name_of(contents.log_id, contents.first_position, contents.position)
    path = os.path.join(folder, name)
    try:
        if os.path.lexists(path):
            _ensure_holds(path, contents, key, "is there already, and is not what would be written", ExitCode.USAGE)
        else:
            _write(path + PART, lines)
            _ensure_holds(path + PART, contents, key, "was not read back as it should be", ExitCode.FAILED)
            _put_in_place(path)
        return name, sha256_of(path)
    except OSError as error:
        raise AuditorError(
            f"The segment {path} could not be written: {error.strerror}. {UNCHANGED}",
            hint="Make room, or give --into another folder; then run it again.",
        ) from error


def _ensure_holds(path: str, contents: Contents, key: bytes | None, what: str, exit_code: ExitCode) -> None:
    try:
        found = verified(path, key)
        why = "" if found == contents else "it holds other batches"
    except BrokenSegmentError as error:
        why = str(error)
    if why:
        raise AuditorError(
            f"{path} {what}: {why}. {UNCHANGED}",
            hint="Move it away, or give --into another folder.",
            exit_code=exit_code,
        )


def _write(path: str, lines: Iterable[str]) -> None:
    """Writes a file of these lines, anew, until all of it is on the disk."""
    part = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(part, "wb") as file:
        # Without a name and a time in it, the same events make the same file.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            for some in chunks(lines, LINES_AT_ONCE):
                packed.write("".join(f"{line}\n" for line in some).encode())
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(path: str) -> None:
    """Gives a file that was written its name, for good."""
    os.rename(path + PART, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sha256_of(path: str) -> str:
    """The SHA-256 of a file; raises OSError."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def read(path: str) -> Iterator[tuple[Batch, list[Values]]]:
    """The batches of a segment, each with what the lines of its events say.

    Raises BrokenSegmentError where they are not what it says.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            yield from _batches(map(form.read_line, lines))
    except BROKEN as error:
        raise BrokenSegmentError(f"it cannot be read: {error}") from error


def _batches(lines: Iterator[tuple[str, Values]]) -> Iterator[tuple[Batch, list[Values]]]:
    batch, events = None, list[Values]()
    for kind, values in lines:
        if kind == "event":
            events.append(values)
            continue
        if batch is not None:
            _ensure_fits(batch, events)
            yield batch, events
        batch, events = (form.read_batch(values), []) if kind == "batch" else (None, [])
        if kind == "end":
            return
    raise EOFError("its end is missing")


def _ensure_fits(batch: Batch, events: list[Values]) -> None:
    expected = list(range(batch.first_position, batch.first_position + batch.count))
    if [values["position"] for values in events] != expected:
        raise BrokenSegmentError(f"the events of batch {batch.number} are not all in it")
    if node([form.digest_of(values) for values in events]) != batch.events_hash:
        raise BrokenSegmentError(f"an event of batch {batch.number} was edited")


def verified(path: str, key: bytes | None) -> Contents:
    """What is in a segment, after all its hashes and seals were computed again from it alone.

    Raises BrokenSegmentError if they do not fit.
    """
    log_id = _log_id(path)
    seals, first, last = Seals(log_id, key), None, None
    for batch, _ in read(path):
        follows = last is None or (
            batch.number == last.number + 1
            and batch.first_position == last.last_position + 1
            and batch.previous_seal == last.seal
        )
        if not follows or not (seals.fits(batch, is_keyed=True) or seals.fits(batch, is_keyed=False)):
            raise BrokenSegmentError(f"batch {batch.number} does not fit its seal, or the key is another one")
        first, last = first or batch, batch
    if first is None or last is None:
        raise BrokenSegmentError("there is no batch in it")
    return Contents(
        log_id=log_id,
        first_position=first.first_position,
        position=last.last_position,
        batch=last.number,
        seal=last.seal,
        previous_seal=first.previous_seal,
    )


def _log_id(path: str) -> UUID:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            kind, values = form.read_line(lines.readline())
            if kind != "log":
                raise ValueError("it does not begin with a log")
            return UUID(values["log_id"])
    except BROKEN as error:
        raise BrokenSegmentError(f"it cannot be read: {error}") from error
