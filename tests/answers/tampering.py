"""What somebody who may write to the tables can do to the log."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.db.models import F

from auditor.auditlog import append_only
from auditor.auditlog.events import StoredEvent
from auditor.auditlog.seal import GENESIS, events_hash
from auditor.auditlog.store import seal_of, stored_of
from auditor.models import Batch, Event, Head

Tampering = Callable[[], None]


def lifting(tamper: Tampering) -> Tampering:
    """Tampers as somebody does who can remove the triggers first."""

    @wraps(tamper)
    def lifted() -> None:
        with append_only.lifted("default"):
            tamper()

    return lifted


@lifting
def edit() -> None:
    Event.objects.filter(position=4).update(path="harmless.jpg")


@lifting
def swap() -> None:
    fourth, fifth = Event.objects.filter(position__in=(4, 5)).order_by("position")
    fourth.position, fifth.position = 5, 4
    fourth.save()
    fifth.save()


@lifting
def delete_inside() -> None:
    Event.objects.filter(position=5).delete()


@lifting
def delete_batch() -> None:
    Event.objects.filter(position__in=(4, 5, 6)).delete()
    Batch.objects.filter(number=2).delete()


@lifting
def insert() -> None:
    for position in range(9, 4, -1):
        Event.objects.filter(position=position).update(position=F("position") + 1)
    add(5)


@lifting
def insert_behind_the_head() -> None:
    add(10)


def add(position: int) -> None:
    event = Event.objects.get(position=1)
    event.position, event.path = position, "new.jpg"
    event.save(force_insert=True)


@lifting
def edit_a_batch() -> None:
    Batch.objects.filter(number=2).update(recorded_at=F("recorded_at") - timedelta(days=1))


@lifting
def move_the_head() -> None:
    Head.objects.update(seal="f" * 64)


@lifting
def remove_the_head() -> None:
    Head.objects.all().delete()


@lifting
def cut_the_tail_clumsily() -> None:
    Event.objects.filter(position__gte=7).delete()
    Batch.objects.filter(number=3).delete()


@lifting
def cut_the_tail() -> None:
    """Nothing but an anchor shows it."""
    cut_the_tail_clumsily()
    last = Batch.objects.get(number=2)
    Head.objects.update(position=last.last_position, batch=last.number, seal=last.seal)


@lifting
def write_anew() -> None:
    """Edits an event, and computes all hashes and seals again: nothing but an anchor shows it."""
    edit()
    head, previous = Head.objects.get(), GENESIS
    for batch in Batch.objects.order_by("number"):
        batch.previous_seal, batch.events_hash = previous, events_hash(stored(batch))
        batch.seal = previous = seal_of(head.log_id, batch, None)
        batch.save()
    Head.objects.update(seal=previous)


def stored(batch: Batch) -> list[StoredEvent]:
    rows = Event.objects.filter(position__gte=batch.first_position, position__lte=batch.last_position)
    return [stored_of(row) for row in rows.order_by("position")]
