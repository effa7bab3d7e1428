"""A root that can be vouched for: proofs move the watermark, and a census makes the checkpoint."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from auditor import catalogue, conf
from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import CheckpointCompleted
from watcher.calls import no_call
from watcher.census import Part
from watcher.database import AWAY
from watcher.fence import Watermark
from watcher.following import Following
from watcher.notices import GapError, HindranceError, Kind, Notice
from watcher.observation import Observation
from watcher.site import Site

if TYPE_CHECKING:
    from datetime import datetime

CENSUS_RETRY_SECONDS = 30.0
CENSUS_SLICE_SECONDS = 0.5  # between two slices it is listened, and proved
PROOF_SHARE = 50  # a walk over all directories takes at most this part of the time


@dataclass(frozen=True, slots=True)
class Call:
    """A proof that was begun: the moment it stands for, None if the database could not tell, and when."""

    moment: "datetime | None"
    made: float


class OpenSpan:
    """One span, from its first event to the gap that ends it; every method may raise GapError."""

    def __init__(self, observation: Observation, site: Site) -> None:
        """Opens the span: every directory is listened to by now, so its time starts at the database's now."""
        self.uid = uuid4()
        self._listener = observation.listener
        self._confirm = observation.confirm
        self._register = observation.register
        self._using = site.using
        self._log = site.log
        self._calls: dict[bytes, Call] = {}
        self._answered: Call | None = None
        self._census: Iterator[Part] | None = None
        self._census_began = self._census_ended = self._census_took = 0.0
        self._next_call = self._next_census = self._next_proof = 0.0
        self._suspected: set[str] = set()
        self._suspected_at = 0.0
        self.checkpoint_at: datetime | None = None
        self._following = Following(self._listener, site, confirm=self._confirm)
        self.covered_until = store.database_time(site.using)
        self.proved_at = time.monotonic()
        self.replaced = self._listener.recorder.open_span(self.uid, observation.identity.number, self.covered_until)

    @property
    def is_checked(self) -> bool:
        """Whether the watermark has passed a checkpoint: from here on the log can answer."""
        return self.checkpoint_at is not None and self.checkpoint_at <= self.covered_until

    @property
    def is_settled(self) -> bool:
        """Whether all that the checkpoint and the time since have brought is dealt with."""
        return self.checkpoint_at is not None and self._following.is_settled

    def tick(self) -> bool:
        """Does what is due; whether more is waiting."""
        has_more = self._listen()
        recorder = self._listener.recorder
        is_behind = recorder.is_waiting or recorder.is_away
        if time.monotonic() >= self._next_call:
            self._next_call = time.monotonic() + conf.watermark_seconds()
            self._refuse_hindrance()
            if is_behind or recorder.is_failing:  # else a call confirms it, after the moment that it stands for
                self._confirm()
            if not is_behind:
                self._call(store.database_time(self._using))
        if is_behind:
            return has_more
        if not has_more:
            has_more = self._follow()
        return self._advance_census() or has_more

    def finish(self, *, seconds: float) -> None:
        """Records what has been heard until now and proves it, as far as that can be done in so many seconds."""
        deadline, is_over = time.monotonic() + seconds, False
        self._call(self._moment())
        while self._calls and not is_over:
            is_over = time.monotonic() >= deadline  # one commit may have taken all of it: the answer is there by then
            if not self._listen():
                if not self._listener.source.answers_at_once:
                    return
                time.sleep(0.01)

    def _listen(self) -> bool:
        self._answered = None
        listened = self._listener.listen(self._proof_in)
        if self._answered is not None and self._answered.moment is not None and listened.is_recorded:
            self.covered_until, self.proved_at = self._answered.moment, self._answered.made
        if not listened.has_more:
            self._refuse_silence()
            self._prove_folders()
        return listened.has_more

    def _call(self, moment: "datetime | None") -> None:
        """Begins a proof: once the token is heard, all that happened before now is in the log."""
        self._confirm()
        token = uuid4().hex
        try:
            self._listener.source.call(token)
        except OSError as error:
            raise no_call(os.fsencode(error.filename or ""), error) from error
        self._calls[token.encode()] = Call(moment, time.monotonic())

    def _moment(self) -> "datetime | None":
        recorder = self._listener.recorder
        if recorder.is_away or recorder.is_waiting:
            return None
        try:
            return store.database_time(self._using)
        except AWAY as error:
            recorder.lost(error)
            return None

    def _proof_in(self, notices: list[Notice]) -> Watermark | None:
        heard = {notice.path for notice in notices if notice.kind is Kind.HEARD}
        answered = [token for token in self._calls if token in heard]
        if not answered:
            return None
        call = self._answered = self._calls[answered[-1]]
        for token in list(self._calls):  # in the order they were made: what a later one proves holds for all before
            del self._calls[token]
            if token == answered[-1]:
                break
        return None if call.moment is None else Watermark(span=self.uid, covered_until=call.moment)

    def _refuse_silence(self) -> None:
        """All that was heard has been taken: a call that is not among it was not heard."""
        oldest = min((call.made for call in self._calls.values()), default=None)
        allowed = self._listener.source.answers_within
        if oldest is not None and time.monotonic() - oldest > allowed:
            raise GapError(GapReason.THREAD_DIED, f"A call was not heard for {allowed:.0f} s.")

    def _refuse_hindrance(self) -> None:
        hindrance = self._listener.source.hindrance()
        if hindrance is not None:
            raise HindranceError(hindrance.reason, hindrance.detail)

    def _prove_folders(self) -> None:
        """After directories came or went: every one on the disk must be listened to.

        One that has only just changed may differ: what differs twice, with a proof in between, was missed.
        """
        source = self._listener.source
        if time.monotonic() < self._next_proof or not (source.folders_changed or self._suspected):
            return
        if self._suspected and self.proved_at <= self._suspected_at:
            return
        started = time.monotonic()
        source.folders_changed = False
        found = set(source.differences())
        missed = sorted(found & self._suspected)
        if missed:
            more = f", and {len(missed) - 1} more" if len(missed) > 1 else ""
            raise GapError(GapReason.NOT_WATCHED, f"{missed[0]}{more}.")
        self._suspected, self._suspected_at = found, time.monotonic()
        took = time.monotonic() - started
        self._next_proof = time.monotonic() + max(2 * conf.watermark_seconds(), PROOF_SHARE * took)

    def _follow(self) -> bool:
        """Looks after the records; whether there is more of that to do at once."""
        has_more = self._following.tick()
        if self._following.wants_census and self._census is None:
            self._next_census = min(self._next_census, self._census_ended + self._census_took)  # half the time at most
        return has_more

    def _advance_census(self) -> bool:
        """Goes on with the census that is due, for a while; whether there is more of it."""
        if self._census is None:
            if time.monotonic() < self._next_census:
                return False
            self._next_census = time.monotonic() + CENSUS_RETRY_SECONDS
            self._census_began = time.monotonic()
            self._listener.source.folders_changed = True
            self._register()
            self._census = self._listener.take_census(self.uid)
        try:
            return self._take_slice(self._census)
        except BaseException:
            self._census = None
            raise

    def _take_slice(self, census: Iterator[Part]) -> bool:
        until = time.monotonic() + CENSUS_SLICE_SECONDS
        for part in census:
            if not part.is_empty:
                self._confirm()  # else what is only out of sight would be recorded as gone
                self._listener.recorder.commit(part.events, also=partial(part.keep, self._using))
            for event in part.events[-1:]:
                if isinstance(event, CheckpointCompleted):
                    self._tell_checkpoint(event)
                    self._following.compared(event)
            if time.monotonic() >= until:
                return True
        self._census = None
        self._census_ended = time.monotonic()
        self._census_took = self._census_ended - self._census_began
        is_whole = not self._listener.reach.unheard
        pause = conf.checkpoint_hours() * 3600 if is_whole else CENSUS_RETRY_SECONDS
        self._next_census = time.monotonic() + pause
        return False

    def _tell_checkpoint(self, made: CheckpointCompleted) -> None:
        self.checkpoint_at = self.checkpoint_at or made.occurred_at
        self._log.emit(
            catalogue.CheckpointCompleted(
                root=self._listener.recorder.root.path,
                span=str(self.uid),
                position=self._listener.recorder.position,
                references=made.references,
                missing=made.missing,
                duration_ms=round((time.monotonic() - self._census_began) * 1000),
            )
        )
