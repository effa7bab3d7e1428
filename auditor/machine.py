"""How long this machine has been up, and a name for its start: the only reader of these files.

`/proc/uptime` counts the time in which the machine sleeps, and nobody can set it.
"""

import os
import time
from uuid import UUID, uuid4, uuid5

BOOT_ID = "/proc/sys/kernel/random/boot_id"
UPTIME = "/proc/uptime"
TIME_NAMESPACE = "/proc/self/ns/time"  # in another one, the uptime is another
PROCESS_NAMESPACE = "/proc/self/ns/pid"

_OWN_BOOT = str(uuid4())


def uptime() -> tuple[str, int]:
    """The name of this machine's start, and the milliseconds since.

    Where the machine has no such files, every process counts for itself: no time passes between two of them.
    """
    try:
        with open(BOOT_ID, encoding="ascii") as stream:
            boot = UUID(stream.read().strip())
        with open(UPTIME, encoding="ascii") as stream:
            seconds = float(stream.read().split()[0])
            is_of_container = os.fstat(stream.fileno()).st_dev != os.stat("/proc").st_dev
        counted = _namespace(TIME_NAMESPACE) + (_namespace(PROCESS_NAMESPACE) if is_of_container else "")
        return str(uuid5(boot, counted)), round(seconds * 1_000)
    except (OSError, ValueError, IndexError):
        return _OWN_BOOT, time.monotonic_ns() // 1_000_000


def _namespace(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:  # a kernel without it
        return ""
