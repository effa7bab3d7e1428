"""What a source has heard, before anybody says what it means."""

from enum import Enum, auto
from typing import NamedTuple

from auditor.auditlog.coverage import GapReason


class Kind(Enum):
    """What happened; HEARD is the answer to a call of our own, whose token is the notice's path."""

    DELETED = auto()
    MOVED_OUT = auto()
    MOVED = auto()
    CREATED = auto()
    HEARD = auto()


class Notice(NamedTuple):
    """One thing heard; `at` is the time of the reading in seconds since 1970, `to` where a name went."""

    kind: Kind
    at: float
    path: bytes
    is_directory: bool = False
    to: bytes = b""


class GapError(Exception):
    """Something may have hidden a deletion: the span ends here."""

    def __init__(self, reason: GapReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class HindranceError(GapError):
    """A part of the root cannot be vouched for: the span ends, and the rest goes on being heard."""
