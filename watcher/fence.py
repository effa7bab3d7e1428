"""Keeps a watcher from writing where the log is not as it left it, or is looked after by another one by now."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.models import Batch, Head, Root
from watcher.notices import GapError


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A proof: every deletion up to `covered_until` is in the log once this is."""

    span: UUID
    covered_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of the log when this watcher last wrote to it."""

    log_id: UUID
    position: int
    batch: int
    seal: str


class Fence:
    """What a watcher remembers of the log, to be compared with it in every transaction, with the head locked.

    `is_ours` says whether it may write while it has no open span; `memory` is a file that keeps the uid of its
    newest span for the next start.
    """

    def __init__(self, *, using: str, is_ours: Callable[[], bool], memory: str) -> None:
        self._using = using
        self._is_ours = is_ours
        self._memory = memory
        self._end: End | None = None
        self._reached: Watermark | None = None

    def check(self, head: Head) -> None:
        """Raises GapError: REWOUND if the database is an older one, TAKEN_OVER if another watcher has our place."""
        self._refuse_older(head)
        if self._reached is not None:
            self._refuse_closed(self._reached)
        elif not self._is_ours():
            raise GapError(GapReason.TAKEN_OVER, "Another watcher looks after it.")

    def wrote(self, head: Head, batch: Batch) -> None:
        """Remembers a batch of our own as the end of the log."""
        self._end = End(log_id=head.log_id, position=batch.last_position, batch=batch.number, seal=batch.seal)

    def reached(self, watermark: Watermark) -> None:
        """Remembers how far our open span reaches."""
        self._reached = watermark

    def opened(self, span: UUID, opened_at: datetime) -> None:
        """Remembers a span of our own, beyond the end of this process."""
        self._reached = Watermark(span=span, covered_until=opened_at)
        # Unwritten or unread, it only makes what waits in the spool look outdated.
        with suppress(OSError), open(self._memory, "w", encoding="ascii") as stream:
            stream.write(str(span))

    def closed(self) -> None:
        """Forgets our span, which is no more."""
        self._reached = None

    def was_replaced(self, root: Root) -> bool:
        """Whether another watcher has opened a span since ours: it has looked at the disk after we did."""
        newest = store.newest_span(root.pk, using=self._using)
        return newest is not None and str(newest) != self._remembered()

    def rewound(self, detail: str) -> GapError:
        """The gap of a database that went back in time, all of which is forgotten."""
        self._end = self._reached = None
        return GapError(GapReason.REWOUND, f"The database was restored from a backup under the watcher. {detail}")

    def _refuse_older(self, head: Head) -> None:
        end = self._end
        if end is None:
            return
        if head.log_id != end.log_id or head.position < end.position:
            raise self.rewound(f"It ends at position {head.position}, and {end.position} had been written.")
        if store.seal_at(end.batch, using=self._using) != end.seal:
            raise self.rewound(f"Batch {end.batch} is another one.")

    def _refuse_closed(self, ours: Watermark) -> None:
        found = store.reach_of(ours.span, using=self._using)
        if found is None or found[0] < ours.covered_until:
            raise self.rewound("The span is not there, or its watermark is older.")
        if found[1] is not None:
            self._reached = None
            raise GapError(GapReason.TAKEN_OVER, "Another watcher has closed the span.")

    def _remembered(self) -> str:
        try:
            with open(self._memory, encoding="ascii") as stream:
                return stream.read()
        except OSError:
            return ""
