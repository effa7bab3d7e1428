"""What is done to a daemon from inside: what befalls the process, and what the kernel does to its queue."""

import struct
from typing import Any

from watchdog.observers.inotify_c import InotifyConstants

from watcher.daemon import Daemon


def lose_what_comes(daemon: Daemon) -> None:
    """Lets the kernel's queue run over: of what comes next, nothing is read but that something was lost."""
    overflow = struct.pack("iIII", -1, InotifyConstants.IN_Q_OVERFLOW, 0, 0)

    def deafen(source: Any) -> None:
        put = source._reader.readings.put
        source._reader.readings.put = lambda _: put(overflow)

    for watch in daemon._watches:
        if watch._observation is not None:
            deafen(watch._observation.listener.source)


def crash(daemon: Daemon) -> None:
    """Leaves all as kill -9 does: descriptors, threads and locks go, and nothing is told to the database."""
    for watch in daemon._watches:
        if watch._observation is not None:
            watch._observation.listener.source.close()
        watch._leave()
