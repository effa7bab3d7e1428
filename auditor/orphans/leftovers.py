"""What a scan's listings showed that no record was found to name: where a missing file can be under another name."""

import os
import time
from collections.abc import Set
from dataclasses import dataclass, replace
from typing import TypeAlias

KEPT_NAMES = 100_000  # about 10 MB
SETTLED_NS = 2_000_000_000  # file systems write times down to the tick, some to two seconds
LEAF = 2  # links to a directory that has none in it, where the file system counts them

# A directory's device, inode and time of its last change in nanoseconds.
Stamp: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Leftover:
    """The names in one directory that nobody was found to name, and what the directory was like before its listing."""

    names: Set[str]
    stamp: Stamp

    def is_whole(self, path: str) -> bool:
        """Whether the directory is as it was, and has no directories that a record could have named by mistake."""
        try:
            status = os.stat(path)
        except OSError:
            return False
        return stamp_of(status) == self.stamp and status.st_nlink == LEAF


def stamp_of(status: os.stat_result) -> Stamp:
    """By what a directory is known to be unchanged: whatever comes or goes in it changes its time."""
    return status.st_dev, status.st_ino, status.st_mtime_ns


def settled_stamp(status: os.stat_result) -> Stamp | None:
    """The stamp, or None where the last change is so fresh that one more could have the same time."""
    return stamp_of(status) if time.time_ns() - status.st_mtime_ns > SETTLED_NS else None


class Leftovers:
    """The leftovers of one root: {"photos/2024/": Leftover}; a directory that is not among them is not known."""

    def __init__(self) -> None:
        self.by_head: dict[str, Leftover] = {}
        self._held = 0

    def keep(self, head: str, leftover: Leftover) -> None:
        """Keeps what is left of a directory; if that was listed before, only what was left both times."""
        known = self.by_head.pop(head, None)
        if known is not None:
            self._held -= len(known.names)
            if known.stamp == leftover.stamp:
                leftover = replace(leftover, names=leftover.names & known.names)
        if self._held + len(leftover.names) <= KEPT_NAMES:
            self.by_head[head] = leftover
            self._held += len(leftover.names)
