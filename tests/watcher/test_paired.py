"""The halves of a move, put together however they were read."""

import struct

import pytest

from auditor.auditlog.coverage import GapReason
from watcher.masks import DELETE, MOVED_FROM, MOVED_TO
from watcher.notices import GapError
from watcher.readings import RawEvent, Readings, parsed

pytestmark = pytest.mark.sqlite


def raw(mask: int, cookie: int, name: bytes) -> RawEvent:
    return (1, mask, cookie, name)


def read(readings: Readings, *events: RawEvent) -> None:
    """Puts events in, as one reading."""
    readings.put(b"".join(struct.pack(f"iIII{len(name) + 1}s", *head, len(name) + 1, name) for *head, name in events))


def told(readings: Readings) -> list[tuple[RawEvent, RawEvent | None]]:
    """All that was put in, each departure with its arrival."""
    readings.end()
    pairs: list[tuple[RawEvent, RawEvent | None]] = []
    while (batch := readings.next()) is not None:
        for event in batch.events:
            if event[1] == MOVED_FROM:
                pairs.append((event, readings.arrival_of(event, batch.moment)))
            elif event[1] != MOVED_TO or not readings.is_told(event):
                pairs.append((event, None))
    return pairs


DEPARTURE, ARRIVAL = raw(MOVED_FROM, 7, b"a"), raw(MOVED_TO, 7, b"b")
OTHER, STRANGER = raw(DELETE, 0, b"c"), raw(MOVED_TO, 8, b"d")


def test_events_are_parsed_as_the_kernel_lays_them_out() -> None:
    data = struct.pack("iIII8s", 3, 0x40, 77, 8, b"a.jpg") + struct.pack("iIII", -1, 0x4000, 0, 0)

    assert parsed(data) == [(3, 0x40, 77, b"a.jpg"), (-1, 0x4000, 0, b"")]


def test_a_departure_and_the_arrival_after_it_are_one_move() -> None:
    readings = Readings()
    read(readings, DEPARTURE, ARRIVAL)

    assert told(readings) == [(DEPARTURE, ARRIVAL)]


def test_halves_with_something_between_them_are_one_move() -> None:
    readings = Readings()
    read(readings, DEPARTURE, OTHER, STRANGER, ARRIVAL)

    assert told(readings) == [(DEPARTURE, ARRIVAL), (OTHER, None), (STRANGER, None)]


def test_halves_in_two_readings_are_one_move() -> None:
    readings = Readings()
    read(readings, DEPARTURE, OTHER)
    read(readings, STRANGER, ARRIVAL)

    assert told(readings) == [(DEPARTURE, ARRIVAL), (OTHER, None), (STRANGER, None)]


def test_a_departure_without_its_arrival_is_alone() -> None:
    readings = Readings()
    read(readings, OTHER, DEPARTURE, STRANGER)

    assert told(readings) == [(OTHER, None), (DEPARTURE, None), (STRANGER, None)]


def test_departures_in_a_row_each_keep_their_place() -> None:
    readings = Readings()
    second, arrival = raw(MOVED_FROM, 8, b"b"), raw(MOVED_TO, 8, b"c")
    read(readings, DEPARTURE, second, arrival)

    assert told(readings) == [(DEPARTURE, None), (second, arrival)]


def test_an_arrival_is_not_waited_for_longer_than_it_can_take() -> None:
    readings = Readings()
    read(readings, DEPARTURE)
    batch = readings.next()
    assert batch is not None

    assert readings.arrival_of(DEPARTURE, batch.moment) is None
    read(readings, ARRIVAL)
    assert told(readings) == [(ARRIVAL, None)]


def test_what_was_read_long_after_a_departure_is_not_looked_through() -> None:
    readings = Readings()
    read(readings, OTHER)
    read(readings, ARRIVAL)
    batch = readings.next()
    assert batch is not None

    assert readings.arrival_of(DEPARTURE, batch.moment - 60) is None
    assert readings.waiting_bytes > 0


def test_a_gap_is_raised_after_all_that_was_read_before_it() -> None:
    readings = Readings()
    read(readings, DEPARTURE)
    readings.end(GapError(GapReason.QUEUE_FULL, "too much"))
    batch = readings.next()
    assert batch is not None
    assert readings.arrival_of(DEPARTURE, batch.moment) is None

    with pytest.raises(GapError) as raised:
        readings.next()

    assert (batch.events, raised.value.detail, readings.waiting_bytes) == ([DEPARTURE], "too much", 0)
