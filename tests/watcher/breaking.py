"""What is done to a daemon from inside: what befalls the process, and what the kernel does to its queue."""

import struct
from typing import Any

from watchdog.observers.inotify_c import InotifyConstants

from watcher.daemon import Daemon
from watcher.readings import Reading

OVERFLOW = struct.pack("iIII", -1, InotifyConstants.IN_Q_OVERFLOW, 0, 0)


class OverflowingQueue:
    """Instead of what was read, only that something was lost; its reader may be waiting for it already."""

    def __init__(self, queue: Any) -> None:
        self.get = queue.get
        self.empty = queue.empty
        self._queue = queue

    def put(self, read: Any) -> None:
        self._queue.put(read._replace(data=OVERFLOW) if isinstance(read, Reading) else read)


def lose_what_comes(daemon: Daemon) -> None:
    """Lets the kernel's queue run over: of what happens from now on, nothing is heard but that something was lost."""
    for source in sources_of(daemon):
        source._reader.readings._queue = OverflowingQueue(source._reader.readings._queue)


def crash(daemon: Daemon) -> None:
    """Leaves all as kill -9 does: descriptors, threads and locks go, and nothing is told to the database."""
    for source in sources_of(daemon):
        source.close()
    for watch in daemon._watches:
        watch._leave()


def sources_of(daemon: Daemon) -> list[Any]:
    return [watch._observation.listener.source for watch in daemon._watches if watch._observation is not None]
