"""A root that is being listened to: what is heard goes into the log, and proofs move the watermark."""

import time
from typing import TYPE_CHECKING
from uuid import uuid4

from auditor import catalogue, conf
from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import CheckpointCompleted
from auditor.jsonlog import JsonLog
from auditor.models import Root
from watcher import census
from watcher.identity import Identity, confirm
from watcher.notices import GapError, Kind, Notice
from watcher.recorder import Recorder, Watermark
from watcher.source import Source
from watcher.translate import events_of

if TYPE_CHECKING:
    from datetime import datetime

TAKEN_AT_ONCE = 10_000  # notices: bounds the memory and the length of one transaction
UNHEARD_SECONDS = 30.0
CENSUS_RETRY_SECONDS = 30.0


class OpenSpan:
    """One span, from its first event to the gap that ends it; every method may raise GapError.

    While the recorder waits for the database nothing is taken from the source, whose limit holds for both.
    """

    def __init__(
        self, root: Root, source: Source, identity: Identity, recorder: Recorder, *, using: str, log: JsonLog
    ) -> None:
        """Opens the span: every directory is watched by now, so its time starts at the database's now."""
        self.uid = uuid4()
        self.source = source
        self._root = root
        self._identity = identity
        self._recorder = recorder
        self._using = using
        self._log = log
        self._calls: dict[bytes, tuple[datetime, float]] = {}  # token: (moment it stands for, when it was made)
        self._next_call = self._next_census = 0.0
        self.covered_until = store.database_time(using)
        self.replaced = recorder.open_span(self.uid, identity.number, self.covered_until)

    def tick(self) -> bool:
        """Does what is due; whether more is waiting."""
        has_more = self.listen()
        if self._recorder.is_waiting:
            return False
        now = time.monotonic()
        if now >= self._next_call:
            self._next_call = now + conf.watermark_seconds()
            self.call()
        if now >= self._next_census:
            self._next_census = now + CENSUS_RETRY_SECONDS
            self._take_census()
            self._next_census = time.monotonic() + conf.checkpoint_hours() * 3600
        return has_more

    def listen(self) -> bool:
        """Records the oldest notices, with the watermark that they prove; whether more is waiting."""
        notices = self.source.take(TAKEN_AT_ONCE)
        is_recorded = self._recorder.record(list(events_of(notices, self._root.pk)), self._proof_in(notices))
        if len(notices) == TAKEN_AT_ONCE:
            return is_recorded
        self._refuse_silence()
        return False

    def call(self) -> None:
        """Begins a proof: once the token is heard, all that happened before now is in the log."""
        moment = store.database_time(self._using)
        confirm(self._root.path, self._identity)
        token = uuid4().hex
        try:
            self.source.call(token)
        except OSError as error:
            raise GapError(GapReason.THREAD_DIED, f"No proof of hearing can be made: {error}.") from error
        self._calls[token.encode()] = (moment, time.monotonic())

    def finish(self, *, seconds: float) -> None:
        """Records what has been heard and proves it, if that can be done in so many seconds."""
        deadline = time.monotonic() + seconds
        self.call()
        while self._calls and not self._recorder.is_waiting and time.monotonic() < deadline:
            if not self.listen():
                time.sleep(0.01)

    def _proof_in(self, notices: list[Notice]) -> Watermark | None:
        heard = {notice.path for notice in notices if notice.kind is Kind.HEARD}
        answered = [token for token in self._calls if token in heard]
        if not answered:
            return None
        for token in list(self._calls):  # in the order they were made: what a later one proves holds for all before
            self.covered_until = self._calls.pop(token)[0]
            if token == answered[-1]:
                break
        return Watermark(span=self.uid, covered_until=self.covered_until)

    def _refuse_silence(self) -> None:
        """All that was read has been taken: a call that is not among it was not heard."""
        oldest = min((made for _, made in self._calls.values()), default=None)
        if oldest is not None and time.monotonic() - oldest > UNHEARD_SECONDS:
            raise GapError(GapReason.THREAD_DIED, f"A call was not heard for {UNHEARD_SECONDS:.0f} s.")

    def _take_census(self) -> None:
        started = time.monotonic()
        for events in census.take_census(self._root, self.uid, using=self._using):
            confirm(self._root.path, self._identity)  # else what is only out of sight would be recorded as gone
            self._recorder.commit(events)
            if isinstance(events[-1], CheckpointCompleted):
                self._tell_checkpoint(events[-1], round((time.monotonic() - started) * 1000))

    def _tell_checkpoint(self, made: CheckpointCompleted, duration_ms: int) -> None:
        self._log.emit(
            catalogue.CheckpointCompleted(
                root=self._root.path,
                span=str(self.uid),
                position=self._recorder.position,
                references=made.references,
                missing=made.missing,
                duration_ms=duration_ms,
            )
        )
