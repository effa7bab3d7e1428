"""Plain functions that make statuses, as the daemon would hand them to its reporters."""

import os
from datetime import UTC, datetime
from typing import Any

from watcher.status import RootStatus, State, WatcherStatus

UNTIL = datetime(2026, 11, 23, 10, 2, 11, tzinfo=UTC)
AT = datetime(2026, 11, 23, 10, 2, 12, tzinfo=UTC)


def make_root(path: str = "/srv/media", state: State = State.COVERED, **columns: Any) -> RootStatus:
    """A root; one that is covered, or catches up, has a watermark."""
    if state in (State.COVERED, State.CATCHING_UP):
        columns.setdefault("covered_until", UNTIL)
    return RootStatus(path=path, state=state, **columns)


def make_status(*roots: RootStatus, pid: int | None = None) -> WatcherStatus:
    """The status of this process, unless another one is named; without roots it covers one."""
    return WatcherStatus(pid=pid or os.getpid(), at=AT, roots=roots or (make_root(),))
