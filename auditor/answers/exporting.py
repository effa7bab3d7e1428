"""The log as JSON lines: every batch and its events, as they are stored, so that all seals can be computed again."""

import json
from collections.abc import Iterator
from typing import Any

from auditor.auditlog.seal import FORMAT
from auditor.auditlog.store import chunks
from auditor.models import Batch, Event, Head, Root

READ_AT_ONCE = 2_000  # events
BATCHES_AT_ONCE = 500


def exported(after: int, *, using: str) -> Iterator[str]:
    """The lines: the log itself, then each batch with events behind a position and these events, then the end.

    The log is taken as it is now; without its last line, an export is not whole.
    """
    head = Head.objects.using(using).first()
    roots = dict(Root.objects.using(using).values_list("pk", "path"))
    yield _line("log", log_id=str(head.log_id) if head else None, format=FORMAT, roots=roots)
    if head is not None:
        events = _events(after, head.position, using)
        for batch in _batches(after, head.batch, using):
            yield _batch_line(batch)
            for _ in range(max(after + 1, batch.first_position), batch.last_position + 1):
                event = next(events, None)
                if event is not None:
                    yield _event_line(event)
    yield _line("end", position=head.position, batch=head.batch, seal=head.seal) if head else _line("end", position=0)


def _line(kind: str, **values: Any) -> str:
    return json.dumps({kind: values})


def _batch_line(batch: Batch) -> str:
    return _line(
        "batch",
        number=batch.number,
        uid=str(batch.uid),
        first_position=batch.first_position,
        count=batch.count,
        recorded_at=batch.recorded_at.isoformat(),
        events_hash=batch.events_hash,
        previous_seal=batch.previous_seal,
        seal=batch.seal,
    )


def _event_line(event: Event) -> str:
    return _line(
        "event",
        position=event.position,
        type=event.type,
        version=event.version,
        root=event.root_id,
        path=event.path,
        occurred_at=event.occurred_at.isoformat(),
        run_id=str(event.run_id) if event.run_id else None,
        data=event.data,
    )


def _batches(after: int, until: int, using: str) -> Iterator[Batch]:
    batches = Batch.objects.using(using).order_by("number").filter(number__lte=until)
    first = batches.filter(first_position__lte=after + 1).order_by("-first_position").first()
    number = first.number - 1 if first else 0
    while found := list(batches.filter(number__gt=number)[:BATCHES_AT_ONCE]):
        yield from (batch for batch in found if batch.last_position > after)
        number = found[-1].number


def _events(after: int, until: int, using: str) -> Iterator[Event]:
    rows = Event.objects.using(using).order_by("position").filter(position__lte=until)
    while found := list(rows.filter(position__gt=after)[:READ_AT_ONCE]):
        yield from found
        after = found[-1].position


def in_parts(lines: Iterator[str], size: int = READ_AT_ONCE) -> Iterator[str]:
    """The lines, many at once: each write of a command takes longer than making the line."""
    for part in chunks(lines, size):
        yield "\n".join(part)
