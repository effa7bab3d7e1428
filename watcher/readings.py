"""What was read from the kernel and has yet to be looked at, with the halves of each move put together."""

import struct
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias

from watcher.masks import MOVED_TO
from watcher.notices import GapError

HEAD = struct.Struct("iIII")  # watch, mask, cookie, and how long the name is that follows
OTHER_HALF_SECONDS = 0.02

RawEvent: TypeAlias = tuple[int, int, int, bytes]  # watch, mask, cookie, name


class Reading(NamedTuple):
    """The bytes of one reading; `at` in seconds since 1970, `moment` by the clock that nobody sets."""

    at: float
    moment: float
    data: bytes


class Batch(NamedTuple):
    """The events of one reading."""

    at: float
    moment: float
    events: list[RawEvent]


class Readings:
    """The queue from the thread that reads to the one that looks at what was read."""

    def __init__(self) -> None:
        self._put_bytes = 0  # written by the one thread only,
        self._got_bytes = 0  # and this by the other, so that neither needs a lock
        self._queue: SimpleQueue[Reading | GapError | None] = SimpleQueue()
        self._parsed: deque[Batch] = deque()
        self._arrivals: dict[int, RawEvent] = {}  # {cookie: event}, of what is parsed and not yet told
        self._parsed_until = 0.0
        self._has_ended = False
        self._gap: GapError | None = None

    @property
    def waiting_bytes(self) -> int:
        """How much was read and not yet looked at."""
        return self._put_bytes - self._got_bytes

    def put(self, data: bytes) -> None:
        """Adds what was read just now."""
        self._put_bytes += len(data)
        self._queue.put(Reading(time.time(), time.monotonic(), data))

    def end(self, gap: GapError | None = None) -> None:
        """Says that nothing follows any more, and why."""
        self._queue.put(gap)

    def next(self) -> Batch | None:
        """The oldest events, waited for if need be; None at the end, or the GapError that it was given is raised."""
        if not self._parsed and not self._has_ended:
            self._parse(self._queue.get())
        if self._parsed:
            return self._parsed.popleft()
        if self._gap is not None:
            raise self._gap
        return None

    def arrival_of(self, departure: RawEvent, moment: float) -> RawEvent | None:
        """The other half of a move; None if it does not come soon after the `moment` of its reading.

        The halves are queued one after the other but not as one: a reading can end between them, and what other
        programs do can lie there.
        """
        while departure[2] not in self._arrivals and self._read_ahead(moment + OTHER_HALF_SECONDS):
            pass
        return self._arrivals.pop(departure[2], None)

    def is_told(self, arrival: RawEvent) -> bool:
        """Whether an arrival whose turn has come was given away with its departure."""
        return self._arrivals.pop(arrival[2], None) is None

    def _read_ahead(self, until: float) -> bool:
        if self._has_ended or self._parsed_until > until:
            return False
        try:
            self._parse(self._queue.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            return False
        return True

    def _parse(self, reading: Reading | GapError | None) -> None:
        if reading is None or isinstance(reading, GapError):
            self._has_ended, self._gap = True, reading
            return
        at, self._parsed_until, data = reading
        events = parsed(data)
        self._parsed.append(Batch(at, self._parsed_until, events))
        self._arrivals.update((event[2], event) for event in events if event[1] & MOVED_TO)
        self._got_bytes += len(data)


def parsed(data: bytes) -> list[RawEvent]:
    """The events in what was read; their layout is that of inotify(7)."""
    events: list[RawEvent] = []
    add, unpack, size = events.append, HEAD.unpack_from, HEAD.size
    start, end = 0, len(data)
    while start < end:
        watch, mask, cookie, length = unpack(data, start)
        start += size + length
        add((watch, mask, cookie, data[start - length : start].rstrip(b"\0")))
    return events
