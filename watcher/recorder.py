"""Writes what a root has to tell into the audit log; what the database cannot take now waits in the spool."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from auditor import catalogue
from auditor.auditlog import clocks, store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import Event, FileCreated, FileDeleted, FileMoved, SpanClosed, SpanOpened
from auditor.errors import first_line
from auditor.jsonlog import JsonLog
from auditor.models import Absence, Batch, Head, MissingFile, Root, Span
from watcher.database import AWAY, drop_if_broken, reconnect_if_replaced
from watcher.fence import Fence, Watermark
from watcher.notices import GapError
from watcher.spool import Spool

BATCH = 2_000  # events
REPLAYED_AT_ONCE = 5  # batches: between them, what is heard meanwhile is put behind
RETRY_SECONDS = 1.0
TELL_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one batch; with its uid, which it keeps over all tries, it is never appended twice."""

    uid: UUID
    events: Sequence[Event]


class Recorder:
    """Appends the events of one root, in order, none twice."""

    def __init__(
        self, root: Root, spool: Spool, *, using: str, log: JsonLog, is_ours: Callable[[], bool] = lambda: True
    ) -> None:
        """`is_ours` says whether this watcher may write while it has no open span."""
        self.root = root
        self._spool = spool
        self._using = using
        self._log = log
        self._fence = Fence(using=using, is_ours=is_ours, memory=f"{spool.path}.span")
        self._held: deque[Piece] = deque()  # what not even the spool could take
        self._next_try = self._tell_again = self._next_reading = 0.0
        self._told = ""
        self._replayed = 0
        self.committed = 0
        self.position = 0

    @property
    def is_waiting(self) -> bool:
        """Whether the database has yet to take something."""
        return bool(self._held) or not self._spool.is_empty

    @property
    def is_away(self) -> bool:
        """Whether the database failed a moment ago, and is not asked again yet."""
        return time.monotonic() < self._next_try

    @property
    def is_failing(self) -> bool:
        """Whether the database has taken nothing since it failed."""
        return bool(self._told)

    @property
    def is_in_place(self) -> bool:
        """Whether the spool is still where the next start looks for it."""
        return self._spool.is_in_place

    @property
    def is_stuck(self) -> bool:
        """Whether not even the spool takes events: more must not be heard."""
        return bool(self._held)

    @property
    def spooled(self) -> int:
        """How many events wait for the database."""
        return self._spool.count + sum(len(piece.events) for piece in self._held)

    def record(self, events: Sequence[Event], watermark: Watermark | None = None) -> bool:
        """Commits events and the watermark together, or puts the events into the spool; whether all is in the log.

        A watermark that the database cannot take is dropped: the next proof says more.
        Raises GapError: TAKEN_OVER if the span is not open any more, and REWOUND if the database is an older one,
        both with the events in the spool; SPOOL_FAILED, with what the spool could not take in memory.
        """
        pieces = _pieces(events)
        if self.is_waiting or self.is_away:
            self._keep(pieces)
            return False
        try:
            if pieces or watermark:
                self._commit(pieces, watermark)
        except GapError:
            self._keep(pieces)
            raise
        except AWAY as error:
            self.lost(error)
            self._keep(pieces)
            return False
        return True

    def close_span(self, closed: SpanClosed) -> None:
        """Records the end of our span; never raises GapError, for the event is kept somewhere."""
        with suppress(GapError):
            self.record([closed])
        self._fence.closed()

    def retry(self) -> bool:
        """Commits the oldest of what is waiting; whether nothing is left."""
        if self.is_waiting and not self.is_away:
            try:
                self._replay()
            except AWAY as error:
                self.lost(error)
        return not self.is_waiting

    def commit(self, events: Sequence[Event], also: Callable[[], None] | None = None) -> None:
        """Commits events that need not be kept, with what `also` writes; raises what the database raises."""
        self._commit(_pieces(events), None, also=also)

    @contextmanager
    def fenced(self) -> Iterator[Head]:
        """A transaction that takes place only while nobody else has ours; raises GapError as `record` does."""
        reconnect_if_replaced(self._using)
        with self._told_apart(), transaction.atomic(self._using):
            head = store.lock_head(self._using)
            self._fence.check(head)
            yield head

    def close_left(self, now: datetime) -> list[SpanClosed]:
        """Closes the span that a crash has left open; gives back what was closed."""
        left = self._left_open(now)
        if left:
            self.commit(left)
        return left

    def open_span(self, span: UUID, identity: str, opened_at: datetime) -> list[SpanClosed]:
        """Opens a span, after closing the one that a crash has left open; gives back what was closed."""
        reconnect_if_replaced(self._using)
        with self._told_apart(), transaction.atomic(self._using):
            head = store.lock_head(self._using)
            left = self._left_open(opened_at)
            opened = SpanOpened(root=self.root.pk, occurred_at=opened_at, span=str(span), identity=identity)
            batch = store.append([*left, opened], using=self._using)
        self._written(head, [batch])
        self._fence.opened(span, opened_at)
        return left

    def _left_open(self, now: datetime) -> list[SpanClosed]:
        spans = Span.objects.using(self._using).filter(root=self.root, closed_at__isnull=True)
        return [_crashed(span, now) for span in spans]

    def lost(self, error: Exception) -> None:
        """Notes that the database has failed; says so once, not at every try."""
        drop_if_broken(self._using)
        self._next_try = time.monotonic() + RETRY_SECONDS
        text, now = first_line(error), time.monotonic()
        if text != self._told or now >= self._tell_again:
            self._told, self._tell_again = text, now + TELL_AGAIN_SECONDS
            self._log.emit(catalogue.AppendRetried(root=self.root.path, count=self.spooled, error=text))

    def close(self) -> None:
        """Closes the spool; what is in it stays for the next start."""
        self._spool.close()

    def _keep(self, pieces: Sequence[Piece]) -> None:
        left = deque(pieces)
        try:
            while left and not self._held:
                self._spool.append(left[0].uid, left[0].events)
                left.popleft()
        except GapError:
            self._held.extend(left)
            raise
        # What comes later is lost with the gap, except the word that it begins.
        self._held.extend(piece for piece in left if any(isinstance(event, SpanClosed) for event in piece.events))

    def _replay(self) -> None:
        for entry in islice(self._spool.entries(), REPLAYED_AT_ONCE):
            self._commit([Piece(entry.uid, entry.events)], None, is_late=True)
            self._spool.remove(entry.number)
            self._replayed += len(entry.events)
        while self._held and self._spool.is_empty:
            self._commit([self._held[0]], None, is_late=True)
            self._replayed += len(self._held.popleft().events)
        if not self.is_waiting:
            self._log.emit(catalogue.SpoolReplayed(root=self.root.path, count=self._replayed))
            self._replayed = 0

    def _commit(
        self,
        pieces: Sequence[Piece],
        watermark: Watermark | None,
        *,
        is_late: bool = False,
        also: Callable[[], None] | None = None,
    ) -> None:
        with self.fenced() as head:
            is_outdated = is_late and self._fence.was_replaced(self.root)
            batches = [self._append(piece, is_outdated) for piece in pieces]
            if watermark is not None:
                store.move_watermark(watermark.span, watermark.covered_until, using=self._using)
                self._read_clocks(head, batches)
            if also is not None:
                also()
        self._written(head, batches)
        if watermark is not None:
            self._fence.reached(watermark)

    def _read_clocks(self, head: Head, batches: Sequence[Batch | None]) -> None:
        """From now on, the time since everything that is in the log by now can be told."""
        if time.monotonic() >= self._next_reading:
            self._next_reading = time.monotonic() + clocks.READING_SECONDS
            position = max([head.position, *(batch.last_position for batch in batches if batch)])
            clocks.keep_reading(position, clocks.read_clocks(self._using), using=self._using)

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:  # such as a root that is not in the table any more
            raise self._fence.rewound(first_line(error)) from error

    def _append(self, piece: Piece, is_outdated: bool) -> Batch | None:
        # After a restore, the root may have another key than when the events were spooled.
        events = [event if event.root == self.root.pk else replace(event, root=self.root.pk) for event in piece.events]
        if is_outdated:
            events = [kept for event in events if (kept := _without_arrival(event))]
        return store.append(self._worth_keeping(events), using=self._using, uid=piece.uid)

    def _written(self, head: Head, batches: Sequence[Batch | None]) -> None:
        self._told = ""
        for batch in filter(None, batches):
            self.position = batch.last_position
            self.committed += batch.count
            self._fence.wrote(head, batch)
            self._tell(batch)

    def _worth_keeping(self, events: Sequence[Event]) -> list[Event]:
        """All but the files whose name was not missing: an upload is no fact of this log."""
        created = {event.path for event in events if isinstance(event, FileCreated)}
        gone = self._missing(created)
        kept: list[Event] = []
        for event in events:
            match event:
                case FileCreated() if event.path_bytes is not None or event.path not in gone:
                    continue
                case FileCreated():
                    gone.discard(event.path)
                case FileMoved():
                    gone.discard(event.to)
                    gone.add(event.path)
                case FileDeleted():
                    gone.add(event.path)
            kept.append(event)
        return kept

    def _missing(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that the log, or a run, knows as missing files."""
        missing = MissingFile.objects.using(self._using).filter(root=self.root, is_directory=False)
        absent = Absence.objects.using(self._using).filter(root=self.root)
        found: set[str] = set()
        for chunk in store.chunks(paths, store.CHUNK):
            found.update(missing.filter(path__in=chunk).values_list("path", flat=True))
            found.update(absent.filter(path__in=chunk).values_list("path", flat=True))
        return found

    def _tell(self, batch: Batch) -> None:
        self._log.emit(
            catalogue.BatchAppended(
                root=self.root.path,
                batch=batch.number,
                first_position=batch.first_position,
                count=batch.count,
                seal=batch.seal,
            )
        )


def _pieces(events: Iterable[Event]) -> list[Piece]:
    return [Piece(uuid4(), batch) for batch in store.chunks(events, BATCH)]


def _without_arrival(event: Event) -> Event | None:
    """What an event of the past says without taking a name out of the missing set: another has looked since."""
    match event:
        case FileCreated():
            return None
        case FileMoved():
            return FileDeleted(root=event.root, path=event.path, occurred_at=event.occurred_at, cause="renamed")
    return event


def _crashed(span: Span, now: datetime) -> SpanClosed:
    return SpanClosed(
        root=span.root_id,
        occurred_at=now,
        span=str(span.uid),
        covered_until=span.covered_until.isoformat(),
        reason=GapReason.CRASHED,
        detail="Found open by the next start.",
    )
