"""When the watcher looked at a root, and when nobody did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from auditor import conf
from auditor.auditlog import store
from auditor.models import Span
from auditor.orphans.route import why_closed

STALE = "stale"  # beside the reasons of `GapReason`: a watcher that is not heard, and whose span is still open


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A time in which a root was covered, or was not.

    `is_now` if it still is so; a covered one then reaches to the watermark, `until`.
    `reason` and `detail` say why nobody looked; both are empty where somebody did.
    `span` is the one that covers it, or that was the last to do so.
    """

    root: str
    span: Span
    is_covered: bool
    since: datetime
    until: datetime
    is_now: bool = False
    reason: str = ""
    detail: str = ""

    @property
    def why(self) -> str:
        """Why nobody looked, for a person."""
        return "the watcher is not heard" if self.reason == STALE else why_closed(self.reason)


def intervals_of(root: int, *, using: str, limit: int, before: int | None = None) -> list[Interval]:
    """The newest covered and blind intervals of a root, the newest first; `limit` spans are read for it.

    With `before`, the position at which a span was opened, only those before that span.
    """
    spans = Span.objects.using(using).filter(root=root).select_related("root").order_by("-opened_position")
    following = spans.filter(opened_position=before).first() if before is not None else None
    if before is not None:
        spans = spans.filter(opened_position__lt=before)
    return list(_intervals(list(spans[:limit]), following, store.database_time(using)))


def _intervals(spans: Sequence[Span], following: Span | None, now: datetime) -> Iterator[Interval]:
    for span in spans:
        yield from _blind_after(span, following, now)
        is_now = span.closed_at is None
        yield Interval(
            root=span.root.path,
            span=span,
            is_covered=True,
            since=span.opened_at,
            until=span.covered_until,
            is_now=is_now,
        )
        following = span


def _blind_after(span: Span, following: Span | None, now: datetime) -> Iterator[Interval]:
    until = following.opened_at if following else now
    is_open = span.closed_at is None
    if until <= span.covered_until or (
        is_open and (now - span.covered_until).total_seconds() <= conf.freshness_seconds()
    ):
        return
    yield Interval(
        root=span.root.path,
        span=span,
        is_covered=False,
        since=span.covered_until,
        until=until,
        is_now=following is None,
        reason=span.closed_reason or STALE,
        detail=span.closed_detail,
    )
