"""Fills a database with a log of so many events: `python -m tests.benchmarks.logs EVENTS`.

A thousand files vanish from a folder, now and then one is renamed, and a run deletes the records of some.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tests.benchmarks.building import build

if TYPE_CHECKING:
    from auditor.auditlog.events import StoredEvent

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
IN_A_FOLDER = 1_000
IN_A_BATCH = 2_000
BATCHES_AT_ONCE = 50  # to a transaction
RUNS = 100
SPANS = 1_000


def path(number: int) -> str:
    """The name that the event of this number, from 0, is about."""
    return f"photos/{number // IN_A_FOLDER:05}/{number:08}.jpg"


def is_move(number: int) -> bool:
    return number % 50 == 7


def is_of_record(number: int) -> bool:
    return number % 50 == 13


def run_of(number: int, events: int) -> UUID:
    """The run that deleted this record."""
    return UUID(int=1 + number * RUNS // events)


def main(events: int) -> None:
    """Makes the events, with seals as the log makes them; nothing is projected."""

    def fill() -> None:
        from django.db import transaction

        from auditor.auditlog import store
        from auditor.auditlog.seal import events_hash

        root = make_surroundings(events)
        for numbers in store.chunks(store.chunks(range(events), IN_A_BATCH), BATCHES_AT_ONCE):
            with transaction.atomic():
                head = store.lock_head("default")
                for some in numbers:
                    stored = list(stored_events(some, root, events))
                    batch = store._seal_batch(head, uuid4(), len(stored), events_hash(stored))
                    store._insert(batch, stored, "default")

    build(fill)


def make_surroundings(events: int) -> int:
    """The root, its spans, and the runs; gives back the root's number."""
    from django.conf import settings

    from auditor.models import Root, Run, Span

    root = Root.objects.create(path=settings.MEDIA_ROOT)
    Run.objects.bulk_create(
        Run(uid=UUID(int=1 + number), command="cleanup_orphaned_media", started_at=BEGAN, finished_at=at(number))
        for number in range(RUNS)
    )
    Span.objects.bulk_create(
        Span(
            uid=uuid4(),
            root=root,
            opened_at=at(number * 60),
            opened_position=1 + number * events // SPANS,
            covered_until=at(number * 60 + 50),
            closed_at=at(number * 60 + 50),
            closed_reason="stopped",
        )
        for number in range(SPANS)
    )
    return root.pk


def stored_events(numbers: list[int], root: int, events: int) -> Iterator["StoredEvent"]:
    from auditor.auditlog.events import StoredEvent

    for number in numbers:
        kind, data, run = event(number, events)
        yield StoredEvent(
            type=kind,
            version=1,
            root=root,
            path=path(number),
            occurred_at=at(number // IN_A_FOLDER),
            run_id=run,
            data=data,
        )


def event(number: int, events: int) -> tuple[str, dict[str, Any], UUID | None]:
    """Type, data and run of the event of this number."""
    if is_move(number):
        return "file.moved", {"to": f"sorted/{number:08}.jpg"}, None
    if is_of_record(number):
        record = {"model": "gallery.Photo", "key": str(number), "field": "image"}
        return "record.deleted", record, run_of(number, events)
    return "file.deleted", {"cause": "unlinked"}, None


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]))
