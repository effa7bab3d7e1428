"""How much time surely has passed, by readings of clocks that are set, stopped and started again.

A wall clock can be set to anything.
What a machine has been up for cannot, but it ends with the machine, and says nothing of another one.
So time is counted only between two readings of one start, and never more of it than both clocks say.
Every age is therefore too short, or right, whatever the clocks do.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

MILLISECOND = timedelta(milliseconds=1)
PRECISION = 100  # readings may lie as far apart as a hundredth of their age


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks, read together: the database's, and a machine's time since its start, which `boot` names."""

    read_at: datetime
    boot: str
    uptime_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The clocks when the log had reached `position`; a later reading has a higher `number`."""

    number: int
    position: int
    clocks: Clocks


def passed_ms(earlier: Clocks, later: Clocks) -> int:
    """The milliseconds that surely lie between two readings; none where they are of different starts."""
    if earlier.boot != later.boot:
        return 0
    by_wall = (later.read_at - earlier.read_at) // MILLISECOND
    return max(0, min(by_wall, later.uptime_ms - earlier.uptime_ms))


def until_last_ms(readings: Sequence[Reading]) -> list[int]:
    """For each reading, the milliseconds that surely lie between it and the last one; they are in their order."""
    found: list[int] = []
    following: dict[str, tuple[Clocks, int]] = {}  # {boot: the next reading of it, and what lies behind that}
    behind = 0
    for reading in reversed(readings):
        clocks = reading.clocks
        if clocks.boot in following:
            later, rest = following[clocks.boot]
            behind = max(behind, passed_ms(clocks, later) + rest)
        following[clocks.boot] = (clocks, behind)
        found.append(behind)
    return found[::-1]


class Elapsed:
    """What readings say of the time until the last of them, which is now."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        """`readings` are in the order in which they were taken."""
        self._readings = readings
        self._until_now = until_last_ms(readings)
        self._numbers = [reading.number for reading in readings]
        self._positions = list(accumulate((reading.position for reading in readings), max))

    def reading_at(self, position: int) -> int | None:
        """The number of the first reading by which the event at this position was in the log, if there was one."""
        at = bisect_left(self._positions, position)
        return self._numbers[at] if at < len(self._numbers) else None

    def seconds_since(self, number: int) -> float:
        """The seconds that surely have passed since this reading, which need not be there any more."""
        at = bisect_left(self._numbers, number)
        return self._until_now[at] / 1_000 if at < len(self._until_now) else 0.0

    def superfluous(self) -> Iterator[int]:
        """The numbers of readings that can go: those before and after them, of the same start, are near enough."""
        following = self._following()
        kept: dict[str, Clocks] = {}
        for at, reading in enumerate(self._readings):
            before, after = kept.get(reading.clocks.boot), following[at]
            # By the uptime alone: after a wall clock was set back, no time passes by it for long.
            if before and after and 0 <= after.uptime_ms - before.uptime_ms <= self._until_now[at] // PRECISION:
                yield reading.number
            else:
                kept[reading.clocks.boot] = reading.clocks

    def _following(self) -> list[Clocks | None]:
        following: list[Clocks | None] = []
        latest: dict[str, Clocks] = {}
        for reading in reversed(self._readings):
            following.append(latest.get(reading.clocks.boot))
            latest[reading.clocks.boot] = reading.clocks
        return following[::-1]
