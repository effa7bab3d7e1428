"""Looks after one root: opens a span when it can be vouched for, closes it at a gap, opens the next one."""

import time
from datetime import UTC, datetime
from threading import Event

from django.db import connections

from auditor import catalogue, conf
from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import SpanClosed
from auditor.errors import AuditorError
from auditor.jsonlog import JsonLog
from watcher.identity import confirm, identify
from watcher.notices import GapError
from watcher.open_span import OpenSpan
from watcher.recorder import AWAY, Recorder, one_line
from watcher.source import Source

RETRY_SECONDS = 1.0
RETRY_UNWATCHED_SECONDS = 30.0  # a walk over all directories, for what only a person can change


class RootWatch:
    """One root, with or without an open span."""

    def __init__(self, path: str, *, using: str, log: JsonLog, wake: Event) -> None:
        self.path = path
        self._using = using
        self._log = log
        self._wake = wake
        self._root = store.register_root(path, using=using)
        self._recorder = Recorder(self._root, using=using, log=log)
        self._span: OpenSpan | None = None
        self._next_try = 0.0
        self._told = ("", "")

    @property
    def committed(self) -> int:
        """How many events of this root are in the log."""
        return self._recorder.committed

    def tick(self) -> bool:
        """Does what is due; whether there is more to do at once. Raises AuditorError if it cannot go on."""
        if time.monotonic() < self._next_try:
            return False
        has_more = False
        try:
            if not self._recorder.retry():
                self._next_try = time.monotonic() + RETRY_SECONDS
                return False
            self._span = self._span or self._open()
            has_more = self._span.tick()
            self._told = ("", "")
        except GapError as gap:
            self._end(gap)
        except AWAY as error:
            connections[self._using].close()
            self._wait("database", one_line(error), RETRY_SECONDS)
        return has_more

    def stop(self, *, seconds: float) -> None:
        """Closes the span with all that has been heard, as far as it can be proved in so many seconds."""
        if self._span is None:
            return
        gap = GapError(GapReason.STOPPED)
        try:
            self._span.finish(seconds=seconds)
        except GapError as error:
            gap = error
        except AWAY:
            connections[self._using].close()
        self._end(gap)

    def give_up(self, detail: str) -> None:
        """Closes the span as it is."""
        if self._span is not None:
            self._end(GapError(GapReason.CRASHED, detail))

    def _open(self) -> OpenSpan:
        identity = identify(self.path)
        source = Source(self.path, limit=conf.queue_limit(), wake=self._wake)
        try:
            confirm(self.path, identity)
            span = OpenSpan(self._root, source, identity, self._recorder, using=self._using, log=self._log)
        except BaseException:
            source.close()
            raise
        for closed in span.replaced:
            self._tell_closed(closed)
        self._log.emit(catalogue.SpanOpened(root=self.path, span=str(span.uid), directories=source.directories))
        return span

    def _end(self, gap: GapError) -> None:
        span, self._span = self._span, None
        if span is None:
            is_for_a_person = gap.reason is GapReason.NOT_WATCHED
            seconds = RETRY_UNWATCHED_SECONDS if is_for_a_person else RETRY_SECONDS
            self._wait(gap.reason, gap.detail, seconds)
            return
        span.source.close()
        self._next_try = time.monotonic() + RETRY_SECONDS  # what broke at once may break at once again
        if gap.reason is GapReason.TAKEN_OVER:
            raise AuditorError(
                f"Another process has taken over {self.path}.",
                hint="Run one watch_media for each media folder.",
            )
        closed = SpanClosed(
            root=self._root.pk,
            occurred_at=self._now(),
            span=str(span.uid),
            covered_until=span.covered_until.isoformat(),
            reason=gap.reason,
            detail=gap.detail,
        )
        self._recorder.record([closed])
        self._tell_closed(closed)

    def _now(self) -> datetime:
        try:
            return store.database_time(self._using)
        except AWAY:
            return datetime.now(UTC)

    def _wait(self, reason: str, detail: str, seconds: float) -> None:
        self._next_try = time.monotonic() + seconds
        if (reason, detail) != self._told:
            self._told = (reason, detail)
            self._log.emit(catalogue.RootWaiting(root=self.path, reason=reason, detail=detail))

    def _tell_closed(self, closed: SpanClosed) -> None:
        self._log.emit(
            catalogue.SpanClosed(
                root=self.path,
                span=closed.span,
                covered_until=closed.covered_until,
                reason=closed.reason,
                detail=closed.detail,
            )
        )
