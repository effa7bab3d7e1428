"""How a file left its name, by events in any order that the log can hold them in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.auditlog.departures import Departure, last_departure, next_departure
from auditor.auditlog.events import (
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileFound,
    FileMoved,
)

pytestmark = pytest.mark.sqlite
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(kind: type[Any], path: str, second: float, **rest: Any) -> Event:
    made: Event = kind(root=1, path=path, occurred_at=at(second), **rest)
    return made


MOVED = event(FileMoved, "a", 1, to="b")
RETURNED = event(FileCreated, "a", 2)
MISSED = event(FileDeleted, "a", 3, cause="census")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([MOVED], Departure(1, at(1), "b")),
        ([MOVED, MISSED], Departure(1, at(1), "b")),
        ([MOVED, RETURNED], None),  # it is gone again, and nobody has heard how
        ([MOVED, RETURNED, MISSED], Departure(3, at(3))),
        ([MOVED, event(FileFound, "a", 2, as_of=1)], None),
        (
            [event(FileDeleted, "x", 0, cause="unlinked"), MOVED, event(FileFound, "a", 2, as_of=1)],
            Departure(2, at(1), "b"),
        ),
    ],
)
def test_last_departure_of_a_name(events: list[Event], expected: Departure | None) -> None:
    assert last_departure("a", enumerate(events, 1)) == expected


@pytest.mark.parametrize(("second", "expected"), [(0.5, None), (2, Departure(2, at(2)))])
def test_census_that_looked_before_the_file_came_does_not_count(second: float, expected: Departure | None) -> None:
    came = Departure(1, at(1), "b")

    assert next_departure("b", came, [(1, MOVED), (2, event(FileDeleted, "b", second, cause="census"))]) == expected


@pytest.mark.parametrize(("second", "expected"), [(3, Departure(2, at(3), "e/a")), (4, Departure(1, at(3)))])
def test_census_that_looked_after_a_folder_was_moved_is_an_echo_of_that(second: float, expected: Departure) -> None:
    missed = event(FileDeleted, "d/a", 3, cause="census")

    assert last_departure("d/a", [(1, missed), (2, event(DirectoryMoved, "d", second, to="e"))]) == expected
