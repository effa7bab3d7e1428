"""What the audit log can vouch for: spans, their gaps, and the checkpoint inside the open span."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class GapReason(StrEnum):
    """Why a span was closed."""

    STOPPED = "stopped"
    CRASHED = "crashed"
    OVERFLOW = "overflow"
    QUEUE_FULL = "queue_full"
    NOT_WATCHED = "not_watched"
    ROOT_GONE = "root_gone"
    ROOT_REPLACED = "root_replaced"
    UNMOUNTED = "unmounted"
    THREAD_DIED = "thread_died"
    MOUNTS_CHANGED = "mounts_changed"
    TAKEN_OVER = "taken_over"
    MARKER_GONE = "marker_gone"
    SPOOL_FAILED = "spool_failed"
    REWOUND = "rewound"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSeen:
    """What a checkpoint saw of one field.

    `journal` is the mark of the triggers that have journaled every write of it since; empty where none did.
    `has_too_many_odd` where the names that the log cannot speak for (through a symlink, unreadable, not spelled as
    the directory spells it) were too many to look at each time.
    """

    journal: str
    has_too_many_odd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSeen:
    """A checkpoint: its place in the log, and what it compared: {"app.Model.field": FieldSeen}."""

    position: int
    made_at: datetime
    fields: Mapping[str, FieldSeen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSeen:
    """A span as the database holds it; `identity` is the root's device and inode."""

    uid: str
    identity: str
    opened_at: datetime
    covered_until: datetime
    closed_at: datetime | None = None
    closed_reason: str = ""
    closed_detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is known of one root at `now`, by the database's clock."""

    now: datetime
    span: SpanSeen | None = None
    checkpoint: CheckpointSeen | None = None
    previous: SpanSeen | None = None
    deletions: int = 0

    @property
    def age_seconds(self) -> float:
        """How far the watermark is behind; endless where no span is open, below zero if the clock was set back."""
        if self.span is None:
            return float("inf")
        return (self.now - self.span.covered_until).total_seconds()
