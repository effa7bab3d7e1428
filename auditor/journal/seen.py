"""What there is to say of the triggers of one column."""

from dataclasses import dataclass
from enum import StrEnum


class TriggerState(StrEnum):
    """Whether all writes of a column are journaled."""

    IN_PLACE = "in_place"
    MISSING = "missing"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSeen:
    """What there is to say of a column's triggers.

    While `mark` stays the same, each write of a name has gone through them; it is empty where they are not in place.
    `why` says why they cannot be made here, without a full stop.
    """

    state: TriggerState
    mark: str = ""
    why: str = ""


def missing(why: str = "") -> TriggerSeen:
    """They could be here, and are not, or are others than we would make."""
    return TriggerSeen(state=TriggerState.MISSING, why=why)


def impossible(why: str) -> TriggerSeen:
    """Nothing that we can make would see all writes."""
    return TriggerSeen(state=TriggerState.IMPOSSIBLE, why=why)


def in_place(mark: str) -> TriggerSeen:
    """They are what we would make."""
    return TriggerSeen(state=TriggerState.IN_PLACE, mark=mark)
