"""How the watcher is, root by root: what health checks, metrics and systemd are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

STALE_SECONDS = 15.0  # a status is told about once a second: one so old says that the watcher does not get on


class State(StrEnum):
    """What the watcher can say of a root now, from the best to the worst."""

    COVERED = "covered"  # the log can answer
    STANDBY = "standby"  # another watcher looks after it
    CATCHING_UP = "catching_up"  # a span is open, and its checkpoint or its watermark is behind
    BLIND = "blind"  # nobody vouches for it

    @property
    def words(self) -> str:
        """The state as a person says it."""
        return self.replace("_", " ")


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

    @property
    def why(self) -> str:
        """Why it is not covered, for a person and without a full stop; empty where nothing is said."""
        said = (self.reason.replace("_", " "), self.detail.removesuffix("."))
        return ": ".join(part for part in said if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStatus:
    """The whole watcher at one moment."""

    pid: int
    at: datetime
    roots: tuple[RootStatus, ...]

    @property
    def state(self) -> State:
        """The worst state of any root; blind where there is none."""
        return max((root.state for root in self.roots), key=badness, default=State.BLIND)


def badness(state: State) -> int:
    """How bad a state is: 0 for the best."""
    return list(State).index(state)


def clock(moment: datetime, *, now: datetime) -> str:
    """The time in the process's time zone, with the date where that is not today."""
    local, today = moment.astimezone(), now.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"
