"""What is done again and again takes a part of the time, and no more."""

import pytest

from watcher import pace
from watcher.pace import Pace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


@pytest.mark.parametrize(("took", "pause"), [(0.5, 2.0), (0.1, 1.0)])
def test_a_pause_is_four_times_what_it_took_and_at_least_so_long(clock: Clock, took: float, pause: float) -> None:
    made = Pace(1.0)
    with made.kept():
        clock.now += took

    clock.now += pause - 0.01
    assert not made.is_due
    clock.now += 0.01
    assert made.is_due


def test_what_fails_is_not_due_at_once(clock: Clock) -> None:
    made = Pace(1.0)
    with pytest.raises(ZeroDivisionError), made.kept():
        raise ZeroDivisionError

    assert not made.is_due


def test_a_rest_can_be_ended_and_a_pause_cannot(clock: Clock) -> None:
    made = Pace(1.0)
    made.rest(60.0)
    assert not made.is_due

    made.hasten()
    assert made.is_due

    with made.kept():
        pass
    made.hasten()
    assert not made.is_due
