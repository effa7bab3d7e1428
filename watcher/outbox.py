"""Notices that wait to be taken, from one thread to another, and never more than a limit of them."""

from collections import deque
from collections.abc import Iterable
from threading import Event

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.notices import GapError, Notice

AT_ONCE = 10_000  # notices, of a tree that was moved in


class Publisher:
    """What a source says of its outbox."""

    def __init__(self, *, limit: int, wake: Event) -> None:
        self._outbox = Outbox(limit=limit, wake=wake)

    @property
    def waiting(self) -> int:
        """How many notices wait to be taken."""
        return len(self._outbox)

    @property
    def high_water(self) -> int:
        """The most notices that have waited at once."""
        return self._outbox.high_water

    @property
    def seen(self) -> int:
        """How many notices there were."""
        return self._outbox.seen


class Outbox:
    """A bounded queue; `wake` is set whenever something was put into it."""

    def __init__(self, *, limit: int, wake: Event) -> None:
        self.high_water = 0
        self.seen = 0
        self._limit = limit
        self._wake = wake
        self._notices: deque[Notice] = deque()

    def __len__(self) -> int:
        return len(self._notices)

    def take(self, limit: int) -> list[Notice]:
        """The oldest notices."""
        return [self._notices.popleft() for _ in range(min(limit, len(self._notices)))]

    def put(self, heard: list[Notice]) -> None:
        """Takes the notices out of the list; raises GapError once there is no room for all of them."""
        room = self._limit - len(self._notices)
        told, left = heard[:room], heard[room:]
        heard.clear()
        self._notices.extend(told)
        self.seen += len(told)
        self.high_water = max(self.high_water, len(self._notices))
        self._wake.set()
        if left:
            raise GapError(GapReason.QUEUE_FULL, limits.queue_full(self._limit))

    def put_all(self, notices: Iterable[Notice]) -> None:
        """Puts notices in as they come, of which there may be more than the limit allows."""
        heard: list[Notice] = []
        for notice in notices:
            heard.append(notice)
            if len(heard) == AT_ONCE:
                self.put(heard)
        self.put(heard)
