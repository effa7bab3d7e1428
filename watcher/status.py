"""How the watcher is, root by root: what health checks, metrics and systemd are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What the watcher can say of a root now."""

    COVERED = "covered"  # the log can answer
    CATCHING_UP = "catching_up"  # a span is open, and its checkpoint or its watermark is behind
    STANDBY = "standby"  # another watcher looks after it
    BLIND = "blind"  # nobody vouches for it


@dataclass(frozen=True, slots=True, kw_only=True)
class RootStatus:
    """One root; `reason` and `detail` say why it is not covered, counts are since the watcher started.

    `spooled` are events on this machine that the database has yet to take, `waiting` notices in memory.
    `gaps` are the closed spans as {reason: count}.
    """

    path: str
    state: State
    reason: str = ""
    detail: str = ""
    observer: str = ""
    covered_until: datetime | None = None
    directories: int = 0
    seen: int = 0
    committed: int = 0
    waiting: int = 0
    high_water: int = 0
    spooled: int = 0
    gaps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStatus:
    """The whole watcher at one moment."""

    pid: int
    at: datetime
    roots: tuple[RootStatus, ...]

    @property
    def state(self) -> State:
        """The worst state of any root; blind where there is none."""
        order = list(State)
        return max((root.state for root in self.roots), key=order.index, default=State.BLIND)
