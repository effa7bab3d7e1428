"""Looks after one root: opens a span when it can be vouched for, closes it at a gap, opens the next one."""

import os
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import SpanClosed
from auditor.errors import AuditorError, first_line
from auditor.models import Root
from watcher.calls import no_call
from watcher.claim import Claim
from watcher.database import AWAY, drop_if_broken, reconnect_if_replaced
from watcher.notices import GapError, HindranceError
from watcher.observation import Observation, observe
from watcher.open_span import OpenSpan
from watcher.recorder import Recorder
from watcher.root_log import RootLog
from watcher.site import Site
from watcher.spool import Spool
from watcher.status import RootStatus, State

RETRY_SECONDS = 1.0
RETRY_UNWATCHED_SECONDS = 5.0  # there may be many of them, and only a person can change that
STANDBY = "standby"
DATABASE = "database"
COMPARING = "checkpoint"


class RootWatch:
    """One root: standing by, waiting, heard in part, or with an open span."""

    def __init__(self, path: str, site: Site) -> None:
        self.path = path
        self._site = site
        self._claim = Claim(using=site.using)
        self._recorder: Recorder | None = None
        self._observation: Observation | None = None
        self._span: OpenSpan | None = None
        self._next_try = 0.0
        self._log = RootLog(path, site.log)
        self._why = ("", "")
        self._gaps: Counter[str] = Counter()
        self._committed = 0  # by recorders of the past

    @property
    def is_compared(self) -> bool:
        """Whether references and disk were compared in the open span."""
        return self._span is not None and self._span.checkpoint_at is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do for the records of the open span either."""
        return self._span is not None and self._span.is_settled

    @property
    def committed(self) -> int:
        """How many events of this root are in the log."""
        return self._committed + (self._recorder.committed if self._recorder else 0)

    def tick(self) -> bool:
        """Does what is due; whether there is more to do at once. Raises AuditorError if it cannot go on."""
        try:
            reconnect_if_replaced(self._site.using)
            if self._span is None and time.monotonic() >= self._next_try:
                self._next_try = time.monotonic() + RETRY_SECONDS
                self._get_on()
            return self._listen()
        except GapError as gap:
            self._end(gap)
            if gap.reason is GapReason.THREAD_DIED:
                raise _half_alive(self.path, gap) from gap
        except AWAY as error:
            self._lost(error)
        return False

    def stop(self, *, seconds: float) -> None:
        """Closes the span with all that has been heard, as far as it can be proved in so many seconds."""
        gap = GapError(GapReason.STOPPED)
        try:
            if self._span is not None:
                self._span.finish(seconds=seconds)
            elif self._observation is not None:
                self._observation.listener.listen()
        except GapError as error:
            gap = error
        except AWAY as error:
            self._lost(error)
        self._end(gap)
        self._leave()

    def give_up(self, detail: str) -> None:
        """Closes the span as it is, before the process ends by an error."""
        self._end(GapError(GapReason.CRASHED, detail))
        self._leave()

    def last_words(self, detail: str) -> None:
        """Closes the span as it is, from a thread that is not the one which hangs."""
        span, recorder = self._span, self._recorder
        if span is not None and recorder is not None:
            closed = self._closed(recorder.root, span, GapError(GapReason.THREAD_DIED, detail))
            store.append([closed], using=self._site.using)
            self._log.closed(closed)

    def status(self) -> RootStatus:
        """How this root is now."""
        source = self._observation.listener.source if self._observation else None
        state, reason, detail = self._state()
        return RootStatus(
            path=self.path,
            state=state,
            reason=reason,
            detail=detail,
            observer=self._observation.observer if self._observation else "",
            covered_until=self._span.covered_until if self._span else None,
            directories=source.directories if source else 0,
            seen=source.seen if source else 0,
            committed=self.committed,
            waiting=source.waiting if source else 0,
            high_water=source.high_water if source else 0,
            spooled=self._recorder.spooled if self._recorder else 0,
            gaps=dict(self._gaps),
        )

    def _state(self) -> tuple[State, str, str]:
        """The state with its reason and detail."""
        span, recorder = self._span, self._recorder
        if span is None or recorder is None:
            reason, detail = self._why
            return (State.STANDBY, "", detail) if reason == STANDBY else (State.BLIND, reason, detail)
        if recorder.is_waiting:
            return State.CATCHING_UP, DATABASE, f"{recorder.spooled} event(s) wait for the database"
        if recorder.is_failing:
            return State.CATCHING_UP, DATABASE, "it does not take what it is given"
        if span.checkpoint_at is None:
            return State.CATCHING_UP, COMPARING, "comparing references with the disk"
        if not span.is_checked:
            return State.CATCHING_UP, "watermark", "waiting for proof that all has been heard"
        if time.monotonic() - span.proved_at > conf.freshness_seconds():
            return State.CATCHING_UP, "watermark", "waiting for proof that all has been heard"
        return State.COVERED, "", ""

    def _get_on(self) -> None:
        """Comes as near to an open span as it can now."""
        root = store.register_root(self.path, using=self._site.using)
        if not self._claim.take(root):
            self._stand_by()
            return
        recorder = self._ready_recorder(root)
        is_up_to_date = recorder.retry()  # what was heard before the span comes before it in the log
        if recorder.is_stuck:
            self._close_observation()
            self._wait(GapReason.SPOOL_FAILED, "Neither the database nor the spool takes what was heard.")
            return
        for closed in recorder.close_left(self._now()) if is_up_to_date else ():
            self._log.closed(closed)
        if self._observation is None:
            self._observation = observe(recorder, self._site)
            self._log.listens(self._observation.observer, self._observation.why)
        self._observation.confirm()
        hindrance = self._observation.hindrance()
        if hindrance is not None:
            self._wait(hindrance.reason, hindrance.detail)
        elif is_up_to_date:
            self._open(self._observation)

    def _stand_by(self) -> None:
        """Leaves everything to the watcher that has the claim: two that write would contradict each other."""
        self._close_observation()
        self._close_recorder()
        self._wait(STANDBY, f"It is watched by {self._claim.holder()}.")

    def _ready_recorder(self, root: Root) -> Recorder:
        recorder = self._recorder
        if recorder is not None and not recorder.is_in_place and not recorder.is_waiting:
            self._close_recorder()
        if self._recorder is None:
            try:
                self._recorder = self._open_recorder(root)
            except GapError:
                self._claim.let_go()  # whoever has the spool, or a folder for one, can do better
                raise
        self._recorder.root = root
        return self._recorder

    def _open_recorder(self, root: Root) -> Recorder:
        path = os.path.join(self._site.root_folder(self.path), "spool.sqlite3")
        spool = Spool(path, limit_bytes=conf.spool_bytes())
        if spool.put_aside:
            self._log.spool_broken(spool.put_aside)
        return Recorder(root, spool, using=self._site.using, log=self._site.log, is_ours=lambda: self._claim.is_held)

    def _open(self, observation: Observation) -> None:
        try:
            observation.listener.source.call(uuid4().hex)  # a span that cannot be proved is better not opened
        except OSError as error:
            raise no_call(os.fsencode(error.filename or ""), error) from error
        observation.remember_mounts(self._site.using)
        span = self._span = OpenSpan(observation, self._site)
        self._why = ("", "")
        for closed in span.replaced:
            self._log.closed(closed)
        self._log.opened(str(span.uid), observation.listener.source.directories)

    def _listen(self) -> bool:
        recorder = self._recorder
        if recorder is None:
            return False
        if self._span is not None:
            self._renew_claim(recorder)
        elif not self._claim.is_held:
            return False  # the next try takes it again, or stands by
        is_replaying = not recorder.retry() and not recorder.is_away
        if self._span is not None:
            return self._span.tick() or is_replaying
        return (self._observation is not None and self._observation.listener.listen().has_more) or is_replaying

    def _renew_claim(self, recorder: Recorder) -> None:
        """Takes the claim again after its connection was lost.

        If that fails, it may be the server's memory of that connection: the span tells. Whoever takes over closes
        it, and the next commit finds that out.
        """
        if not self._claim.is_held and not recorder.is_away and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + RETRY_SECONDS
            self._claim.renew()

    def _end(self, gap: GapError) -> None:
        span, self._span = self._span, None
        if not isinstance(gap, HindranceError):
            self._close_observation()
        if span is not None and self._recorder is not None:
            self._close(self._recorder, span, gap)
        elif gap.reason not in (GapReason.STOPPED, GapReason.CRASHED):
            self._wait(gap.reason, gap.detail)

    def _close(self, recorder: Recorder, span: OpenSpan, gap: GapError) -> None:
        self._next_try = time.monotonic() + RETRY_SECONDS  # what broke at once may break at once again
        self._why = (gap.reason, gap.detail)
        self._gaps[gap.reason] += 1
        closed = self._closed(recorder.root, span, gap)
        if gap.reason is GapReason.TAKEN_OVER:
            self._leave()  # the span is closed already, and the spool is the other's now
        else:
            recorder.close_span(closed)
        self._log.closed(closed)

    def _close_observation(self) -> None:
        observation, self._observation = self._observation, None
        if observation is not None:
            observation.listener.source.close()

    def _close_recorder(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._committed += recorder.committed
            recorder.close()

    def _leave(self) -> None:
        self._close_observation()
        self._close_recorder()
        self._claim.let_go()

    def _lost(self, error: Exception) -> None:
        if self._recorder is not None:
            self._recorder.lost(error)
        else:
            drop_if_broken(self._site.using)
            self._wait(DATABASE, first_line(error))

    def _wait(self, reason: str, detail: str) -> None:
        is_for_a_person = reason == GapReason.NOT_WATCHED
        self._next_try = time.monotonic() + (RETRY_UNWATCHED_SECONDS if is_for_a_person else RETRY_SECONDS)
        self._why = (reason, detail)
        self._log.waits(reason, detail)

    def _closed(self, root: Root, span: OpenSpan, gap: GapError) -> SpanClosed:
        return SpanClosed(
            root=root.pk,
            occurred_at=self._now(),
            span=str(span.uid),
            covered_until=span.covered_until.isoformat(),
            reason=gap.reason,
            detail=gap.detail,
        )

    def _now(self) -> datetime:
        if self._recorder is not None and not self._recorder.is_away:
            with suppress(*AWAY):
                return store.database_time(self._site.using)
        return datetime.now(UTC)


def _half_alive(path: str, gap: GapError) -> AuditorError:
    return AuditorError(
        f"{path} is not heard any more: {gap.detail}",
        hint="Start the watcher again; a supervisor does it by itself.",
    )
