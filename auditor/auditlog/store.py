"""Appends to the audit log and reads from it; the only writer of events and of what is projected from them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import connections, transaction
from django.db.models import BigIntegerField, F, Q, QuerySet
from django.db.models.functions import Cast, Now
from django.utils.dateparse import parse_datetime

from auditor import bulk, conf, models
from auditor.auditlog import missing
from auditor.auditlog.coverage import CheckpointSeen, Coverage, FieldSeen, SpanSeen
from auditor.auditlog.events import (
    CheckpointCompleted,
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileFound,
    FileMoved,
    SpanClosed,
    SpanOpened,
    StoredEvent,
    to_stored,
)
from auditor.auditlog.seal import GENESIS, events_hash, seal

CHUNK = 500  # keys to a query: below SQLite's old limit of 999 parameters
BATCH = 2_000  # events to an append
EVENT_COLUMNS = ("position", "type", "version", "root", "path", "occurred_at", "run_id", "data")
MISSING_COLUMNS = ("root", "path", "is_directory", "position", "moved_to")
DELETIONS = (FileDeleted.type, FileMoved.type, DirectoryDeleted.type, DirectoryMoved.type)
ARRIVALS = (FileCreated.type, FileFound.type, FileMoved.type, DirectoryFound.type)


def append(events: Sequence[Event], *, using: str, uid: UUID | None = None) -> models.Batch | None:
    """Appends events as one sealed batch and projects them, in one transaction; None if there are none.

    `uid` makes a repeated append harmless: after a lost answer the batch that is already there is given back.
    """
    if not events:
        return None
    stored = [to_stored(event) for event in events]
    content = events_hash(stored)
    uid = uid or uuid4()
    with transaction.atomic(using):
        head = lock_head(using)
        known = models.Batch.objects.using(using).filter(uid=uid).first()
        if known is not None:
            return known
        batch = _seal_batch(head, uid, len(stored), content)
        _insert(batch, stored, using)
        _project(batch.first_position, events, using)
        return batch


def lock_head(using: str) -> models.Head:
    """The end of the log, locked until the transaction ends."""
    lock_writer(using)
    manager = models.Head.objects.using(using)
    head = manager.select_for_update().filter(pk=1).first()
    if head is not None:
        return head
    manager.get_or_create(pk=1, defaults={"log_id": uuid4(), "seal": GENESIS})
    return manager.select_for_update().get(pk=1)


def lock_writer(using: str) -> None:
    """Takes the one write lock of a database that has no row locks: a later step up from reading can fail there."""
    if not connections[using].features.has_select_for_update:
        models.Head.objects.using(using).filter(pk=1).update(position=F("position"))


def _seal_batch(head: models.Head, uid: UUID, count: int, content: str) -> models.Batch:
    using = cast("str", head._state.db)
    batch = models.Batch(
        number=head.batch + 1,
        uid=uid,
        first_position=head.position + 1,
        count=count,
        recorded_at=database_time(using),
        events_hash=content,
        previous_seal=head.seal,
    )
    batch.seal = seal_of(head.log_id, batch, conf.seal_key())
    batch.save(using=using, force_insert=True)
    head.batch, head.position, head.seal = batch.number, head.position + count, batch.seal
    head.save(using=using, update_fields=["batch", "position", "seal"])
    return batch


def seal_of(log_id: UUID, batch: models.Batch, key: bytes | None) -> str:
    """The seal that a batch must have, with or without a key."""
    return seal(
        log_id=log_id,
        number=batch.number,
        uid=batch.uid,
        first_position=batch.first_position,
        count=batch.count,
        recorded_at=batch.recorded_at,
        content=batch.events_hash,
        previous=batch.previous_seal,
        key=key,
    )


def _insert(batch: models.Batch, stored: Sequence[StoredEvent], using: str) -> None:
    fields = {field.name: field for field in models.Event._meta.concrete_fields}
    adapted: dict[Any, Any] = {}  # most events of a batch share their time and their run

    def adapt(name: str, value: Any) -> Any:
        if (name, value) not in adapted:
            adapted[name, value] = fields[name].get_db_prep_save(value, connections[using])
        return adapted[name, value]

    rows = [
        (
            position,
            event.type,
            event.version,
            event.root,
            event.path,
            adapt("occurred_at", event.occurred_at),
            adapt("run_id", event.run_id),
            json.dumps(event.data),
        )
        for position, event in enumerate(stored, batch.first_position)
    ]
    bulk.insert([fields[name] for name in EVENT_COLUMNS], rows, using)


def _project(first_position: int, events: Sequence[Event], using: str) -> None:
    placed = list(enumerate(events, first_position))
    _apply(missing.fold(placed), using)
    for root, names in missing.known_there(events).items():
        _forget_absences(root, names, using)
    for position, event in placed:
        match event:
            case SpanOpened():
                _open_span(position, event, using)
            case SpanClosed():
                _close_span(event, using)
            case CheckpointCompleted():
                _keep_checkpoint(position, event, using)


def _apply(changes: missing.Changes, using: str) -> None:
    rows = models.MissingFile.objects.using(using)
    for root, directory in changes.swept:
        # "0" follows "/" in ASCII: the range holds all below the directory, and nothing else.
        rows.filter(root_id=root, path__gt=f"{directory}/", path__lt=f"{directory}0").delete()
    for chunk in chunks(list(changes.back.items()), CHUNK // 4):
        rows.filter(reduce(or_, (_is_back(name, until) for name, until in chunk))).delete()
    if changes.gone:
        fields = [models.MissingFile._meta.get_field(name) for name in MISSING_COLUMNS]
        gone = [(*name, one.position, one.moved_to) for name, one in changes.gone.items()]
        bulk.insert_new(fields, gone, using, unique=fields[:3], update=fields[3:])


def _forget_absences(root: int, names: set[str], using: str) -> None:
    absences = models.Absence.objects.using(using).filter(root_id=root)
    if absences.exists():
        for chunk in chunks(names, CHUNK):
            absences.filter(path__in=chunk).delete()


def _is_back(name: missing.MissingName, until: int) -> Q:
    root, path, is_directory = name
    return Q(root_id=root, path=path, is_directory=is_directory, position__lte=until)


def _open_span(position: int, event: SpanOpened, using: str) -> None:
    assert event.root is not None  # a span is of a root
    models.Span.objects.using(using).create(
        uid=UUID(event.span),
        root_id=event.root,
        identity=event.identity,
        opened_at=event.occurred_at,
        opened_position=position,
        covered_until=event.occurred_at,
    )


def _close_span(event: SpanClosed, using: str) -> None:
    models.Span.objects.using(using).filter(uid=UUID(event.span), closed_at__isnull=True).update(
        closed_at=event.occurred_at, closed_reason=event.reason, closed_detail=event.detail
    )


def _keep_checkpoint(position: int, event: CheckpointCompleted, using: str) -> None:
    models.Checkpoint.objects.using(using).create(
        position=position, span_id=UUID(event.span), made_at=event.occurred_at, fields=event.compared
    )


def move_watermark(span: UUID, covered_until: datetime, *, using: str) -> bool:
    """Moves an open span's watermark forward; False if the span is not open any more."""
    spans = models.Span.objects.using(using).filter(uid=span, closed_at__isnull=True)
    return spans.update(covered_until=covered_until) == 1


def reach_of(span: UUID, *, using: str) -> tuple[datetime, datetime | None] | None:
    """How far a span reaches and when it was closed, as (covered_until, closed_at); None if it is not known."""
    spans = models.Span.objects.using(using).filter(uid=span)
    return spans.values_list("covered_until", "closed_at").first()


def newest_span(root: int, *, using: str) -> UUID | None:
    """The span of a root that was opened last, open or closed."""
    spans = models.Span.objects.using(using).filter(root=root)
    return spans.order_by("-opened_position").values_list("uid", flat=True).first()


def seal_at(batch: int, *, using: str) -> str | None:
    """The seal of a batch, or None if the database has no such batch."""
    return models.Batch.objects.using(using).filter(number=batch).values_list("seal", flat=True).first()


def register_root(path: str, *, using: str) -> models.Root:
    """The root with this real path, made known if it is new."""
    return models.Root.objects.using(using).get_or_create(path=path)[0]


def coverage(path: str, *, using: str, most: int | None = None) -> Coverage:
    """What the log knows of the root at this real path; of deletions, no more than `most` are counted. Only reads."""
    now = database_time(using)
    spans = models.Span.objects.using(using).filter(root__path=path)
    opened = spans.filter(closed_at__isnull=True).first()
    previous = spans.filter(closed_at__isnull=False).order_by("-closed_at", "-opened_position").first()
    last = last_checkpoint(opened) if opened else None
    return Coverage(
        now=now,
        span=_seen(opened) if opened else None,
        checkpoint=_checkpoint_seen(last) if last else None,
        previous=_seen(previous) if previous else None,
        deletions=deletions_since(last.position, cast("models.Span", opened).root_id, using, most) if last else 0,
    )


def last_checkpoint(span: models.Span) -> models.Checkpoint | None:
    """The newest checkpoint that the watermark has passed, or the first one where it has passed none."""
    made = span.checkpoints.order_by("-position")
    return made.filter(made_at__lte=span.covered_until).first() or made.last()


def deletions_since(position: int, root: int, using: str, most: int | None = None) -> int:
    """How many files and directories of a root vanished after a position, directories counted once, up to `most`."""
    return _events_after(position, DELETIONS, root, using)[:most].count()


def deletions_between(since: int, until: int, *, root: int, using: str) -> QuerySet[models.Event]:
    """The events by which something in a root vanished, after one position and up to another."""
    return _events_after(since, DELETIONS, root, using).filter(position__lte=until)


def arrivals_between(since: int, until: int, *, root: int, using: str) -> QuerySet[models.Event]:
    """The events by which a name that was missing in a root may be there again."""
    return _events_after(since, ARRIVALS, root, using).filter(position__lte=until)


def _events_after(position: int, types: Sequence[str], root: int, using: str) -> QuerySet[models.Event]:
    # By its plain column, SQLite would go through all events that the root ever had.
    of_root = Cast("root_id", BigIntegerField())
    events = models.Event.objects.using(using).filter(position__gt=position, type__in=types)
    return events.alias(of_root=of_root).filter(of_root=root)


def _seen(span: models.Span) -> SpanSeen:
    return SpanSeen(
        uid=str(span.uid),
        identity=span.identity,
        opened_at=span.opened_at,
        covered_until=span.covered_until,
        closed_at=span.closed_at,
        closed_reason=span.closed_reason,
        closed_detail=span.closed_detail,
    )


def _checkpoint_seen(checkpoint: models.Checkpoint) -> CheckpointSeen:
    return CheckpointSeen(
        position=checkpoint.position,
        made_at=checkpoint.made_at,
        fields={name: field_seen(kept) for name, kept in checkpoint.fields.items()},
    )


def field_seen(kept: dict[str, Any]) -> FieldSeen:
    """A checkpoint's word on one field, from its stored form."""
    return FieldSeen(journal=kept.get("journal", ""), has_too_many_odd=kept.get("has_too_many_odd", False))


def stored_field(seen: FieldSeen) -> dict[str, Any]:
    """The stored form of a checkpoint's word on one field."""
    return asdict(seen)


def head_position(using: str) -> int:
    """The position of the newest event; 0 in an empty log."""
    return models.Head.objects.using(using).values_list("position", flat=True).first() or 0


def head_batch(using: str) -> int:
    """The number of the newest batch; 0 in an empty log."""
    return models.Head.objects.using(using).values_list("batch", flat=True).first() or 0


def read(*, after: int = 0, using: str, limit: int = 1000) -> Iterator[tuple[int, StoredEvent]]:
    """The events after a position, in order, as (position, stored form); reads `limit` at a time."""
    while True:
        rows = list(models.Event.objects.using(using).filter(position__gt=after).order_by("position")[:limit])
        for row in rows:
            yield row.position, stored_of(row)
        if len(rows) < limit:
            return
        after = rows[-1].position


def stored_of(row: models.Event) -> StoredEvent:
    """The stored form of a row of the log."""
    return StoredEvent(
        type=row.type,
        version=row.version,
        root=row.root_id,
        path=row.path,
        occurred_at=row.occurred_at,
        run_id=row.run_id,
        data=row.data,
    )


def database_time(using: str) -> datetime:
    """The time by the database's clock: several hosts agree on it, their own clocks may not."""
    connection = connections[using]
    with connection.cursor() as cursor:
        compiler = models.Head.objects.using(using).query.get_compiler(using)
        sql, params = compiler.compile(Now())
        cursor.execute(f"SELECT {sql}", params)
        value = cursor.fetchone()[0]
    moment = value if isinstance(value, datetime) else cast("datetime", parse_datetime(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def chunks(rows: Any, size: int) -> Iterator[list[Any]]:
    """The rows in lists of at most `size`."""
    left = iter(rows)
    while chunk := list(islice(left, size)):
        yield chunk
