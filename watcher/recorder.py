"""Writes what a root's span has to tell into the audit log, and keeps it until the database has taken it."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connections, transaction

from auditor import catalogue
from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import Event, FileCreated, FileDeleted, FileMoved, SpanClosed, SpanOpened
from auditor.jsonlog import JsonLog
from auditor.models import Batch, MissingFile, Root, Span
from watcher.notices import GapError

BATCH = 2_000  # events
AWAY = (OperationalError, InterfaceError)  # what Django raises when the database cannot be reached or used


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A proof: every deletion up to `covered_until` is in the log once this is."""

    span: UUID
    covered_until: datetime


@dataclass(slots=True, kw_only=True)
class Entry:
    """What goes into one transaction; `batches`, with their uids, are made once and kept over all tries."""

    events: Sequence[Event]
    watermark: Watermark | None = None
    batches: list[tuple[UUID, list[Event]]] | None = field(default=None)


class Recorder:
    """Appends the events of one root, in order, none twice."""

    def __init__(self, root: Root, *, using: str, log: JsonLog) -> None:
        self._root = root
        self._using = using
        self._log = log
        self._waiting: deque[Entry] = deque()
        self._told = ""
        self.committed = 0
        self.position = 0

    @property
    def is_waiting(self) -> bool:
        """Whether the database has yet to take something."""
        return bool(self._waiting)

    def record(self, events: Sequence[Event], watermark: Watermark | None = None) -> bool:
        """Commits events and the watermark together; whether nothing is left waiting for the database.

        What the database cannot take now is kept, and goes first at the next try.
        Raises GapError (TAKEN_OVER), with the events committed, if the span is not open any more.
        """
        if events or watermark:
            self._waiting.append(Entry(events=events, watermark=watermark))
        return self.retry()

    def retry(self) -> bool:
        """Commits what is waiting; whether nothing is left."""
        try:
            while self._waiting:
                self._commit(self._waiting[0])
        except AWAY as error:
            self._tell(error)
            connections[self._using].close()
            return False
        self._told = ""
        return True

    def commit(self, events: Sequence[Event]) -> None:
        """Commits events that need not be kept; raises what the database raises."""
        self._commit_batches(_batches(events), None)

    def open_span(self, span: UUID, identity: str, opened_at: datetime) -> list[SpanClosed]:
        """Opens a span, after closing the one that a crash has left open; gives back what was closed."""
        with transaction.atomic(self._using):
            store.lock_head(self._using)
            left = [
                _crashed(one, opened_at)
                for one in Span.objects.using(self._using).filter(root=self._root, closed_at__isnull=True)
            ]
            opened = SpanOpened(root=self._root.pk, occurred_at=opened_at, span=str(span), identity=identity)
            batch = store.append([*left, opened], using=self._using)
        self._told_of(batch)
        return left

    def _commit(self, entry: Entry) -> None:
        if entry.batches is None:
            entry.batches = _batches(self._worth_keeping(entry.events))
        try:
            self._commit_batches(entry.batches, entry.watermark)
        except GapError:
            self._waiting.popleft()
            raise
        self._waiting.popleft()

    def _commit_batches(self, batches: list[tuple[UUID, list[Event]]], watermark: Watermark | None) -> None:
        with transaction.atomic(self._using):
            appended = [store.append(events, using=self._using, uid=uid) for uid, events in batches]
            is_open = watermark is None or store.move_watermark(
                watermark.span, watermark.covered_until, using=self._using
            )
        for batch in appended:
            self._told_of(batch)
        if not is_open:
            raise GapError(GapReason.TAKEN_OVER, "Another process has closed the span.")

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
        rows = MissingFile.objects.using(self._using).filter(root=self._root, is_directory=False)
        found: set[str] = set()
        for chunk in store.chunks(paths, store.CHUNK):
            found.update(rows.filter(path__in=chunk).values_list("path", flat=True))
        return found

    def _told_of(self, batch: Batch | None) -> None:
        if batch is None:
            return
        self.committed += batch.count
        self.position = batch.first_position + batch.count - 1
        self._log.emit(
            catalogue.BatchAppended(
                root=self._root.path,
                batch=batch.number,
                first_position=batch.first_position,
                count=batch.count,
                seal=batch.seal,
            )
        )

    def _tell(self, error: Exception) -> None:
        text = one_line(error)
        if text != self._told:  # once, not at every try
            count = sum(len(entry.events) for entry in self._waiting)
            self._log.emit(catalogue.AppendRetried(root=self._root.path, count=count, error=text))
        self._told = text


def _batches(events: Iterable[Event]) -> list[tuple[UUID, list[Event]]]:
    return [(uuid4(), batch) for batch in store.chunks(events, BATCH)]


def _crashed(span: Span, now: datetime) -> SpanClosed:
    return SpanClosed(
        root=span.root_id,
        occurred_at=now,
        span=str(span.uid),
        covered_until=span.covered_until.isoformat(),
        reason=GapReason.CRASHED,
        detail="Found open by the next start.",
    )


def one_line(error: Exception) -> str:
    """The error's text without line breaks."""
    return " ".join(str(error).split())
