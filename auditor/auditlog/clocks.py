"""Keeps readings of the clocks, so that later the time since an event can be told."""

from collections.abc import Callable
from typing import TypeAlias

from auditor.auditlog import store
from auditor.auditlog.elapsed import Clocks, Elapsed, Reading
from auditor.machine import uptime
from auditor.models import ClockReading

READING_SECONDS = 60.0  # how often the watcher keeps one: an age begins at most so much too late
THINNED_EVERY = 64  # readings

ReadClocks: TypeAlias = Callable[[str], Clocks]


def read_clocks(using: str) -> Clocks:
    """The clocks of a database and of this machine, now."""
    boot, uptime_ms = uptime()
    return Clocks(read_at=store.database_time(using), boot=boot, uptime_ms=uptime_ms)


def keep_reading(position: int, clocks: Clocks, *, using: str) -> ClockReading:
    """Keeps a reading of now, and throws out old ones that are not needed.

    The log must have reached `position`, and its head be locked: so readings are numbered in their order.
    """
    kept = ClockReading.objects.using(using).create(
        position=position, read_at=clocks.read_at, boot=clocks.boot, uptime_ms=clocks.uptime_ms
    )
    if kept.pk % THINNED_EVERY == 0:
        _thin(using)
    return kept


def elapsed(*, using: str, read: ReadClocks = read_clocks) -> Elapsed:
    """What the readings say of the time until now. Only reads."""
    readings = _kept(using)
    # Read after the others: it must be the last.
    now = Reading(
        number=readings[-1].number + 1 if readings else 1,
        position=readings[-1].position if readings else 0,
        clocks=read(using),
    )
    return Elapsed([*readings, now])


def _thin(using: str) -> None:
    superfluous = list(Elapsed(_kept(using)).superfluous())
    for numbers in store.chunks(superfluous, store.CHUNK):
        ClockReading.objects.using(using).filter(pk__in=numbers).delete()


def _kept(using: str) -> list[Reading]:
    rows = ClockReading.objects.using(using).order_by("pk")
    return [
        Reading(number=number, position=position, clocks=Clocks(read_at=read_at, boot=boot, uptime_ms=uptime_ms))
        for number, position, read_at, boot, uptime_ms in rows.values_list(
            "pk", "position", "read_at", "boot", "uptime_ms"
        )
    ]
