"""The checksum of one file, and what it tells beside the one that is known."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from stat import S_ISREG

from auditor.integrity.findings import Kind
from auditor.models import Checksum

PIECE_BYTES = 1_048_576
READING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a named pipe must not hold us up


@dataclass(frozen=True, slots=True)
class Sum:
    """The BLAKE2b of a file's content as hex, its size in bytes, and the times of its last change and its inode's.

    The times are in nanoseconds since 1970.
    """

    digest: str
    size: int
    mtime_ns: int
    ctime_ns: int


def sum_of(path: str, take: Callable[[int], object]) -> Sum | None:
    """The checksum of a file, or None if somebody writes to it meanwhile; `take` is told before each piece is read.

    Raises OSError if it cannot be opened or read.
    """
    file = os.open(path, READING)
    try:
        before = os.fstat(file)
        if not S_ISREG(before.st_mode):
            return None
        digest, left = blake2b(digest_size=32), before.st_size
        take(min(PIECE_BYTES, left))
        while piece := os.read(file, PIECE_BYTES):
            digest.update(piece)
            left -= len(piece)
            if left < 0:  # it could grow faster than it is read
                return None
            if len(piece) == PIECE_BYTES:
                take(min(PIECE_BYTES, left))
        after = os.fstat(file)
    finally:
        os.close(file)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return None
    return Sum(digest.hexdigest(), after.st_size, after.st_mtime_ns, after.st_ctime_ns)


def compare(known: Checksum, seen: Sum) -> tuple[Kind | None, str]:
    """What a checksum tells beside the known one: (kind, detail).

    A content that changed under the same time of last change was written by nobody who tells the file system of it.
    """
    if not known.digest:
        return Kind.FIRST_SEEN, ""
    if known.digest == seen.digest:
        return None, ""
    if known.mtime_ns != seen.mtime_ns:
        return Kind.REPLACED, ""
    return Kind.ROTTEN, ", ".join(_then_and_now(known, seen))


def _then_and_now(known: Checksum, seen: Sum) -> Iterator[str]:
    if known.summed_at:
        yield f"last sound on {known.summed_at:%Y-%m-%d %H:%M} UTC"
        touched_at = datetime.fromtimestamp(seen.ctime_ns / 1_000_000_000, UTC)
        if touched_at > known.summed_at:
            yield f"its inode changed on {touched_at:%Y-%m-%d %H:%M} UTC"
    if known.size != seen.size:
        yield f"{known.size} bytes then and {seen.size} now"
