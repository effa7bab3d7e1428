"""The law of the ages: whatever the clocks do, no age is longer than the time that has passed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.auditlog.elapsed import PRECISION, Clocks, Elapsed, Reading, passed_ms, until_last_ms

START = datetime(2026, 3, 1, 10, 2, 11, tzinfo=UTC)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
CENTURY = 100 * 365 * DAY


@dataclass(slots=True)
class World:
    """A database's clock and some machines, with the true time beside them; `readings` are taken by `read`."""

    now: int = 0
    wall_is_off_by: int = 0
    started: dict[int, tuple[str, int]] = field(default_factory=dict)
    starts: int = 0
    readings: list[Reading] = field(default_factory=list)
    taken_at: list[int] = field(default_factory=list)

    def start(self, machine: int, *, up_for: int = 0) -> None:
        self.starts += 1
        self.started[machine] = (f"start {self.starts}", self.now - up_for)

    def read(self, machine: int = 0, *, lies_by: int = 0) -> None:
        if machine not in self.started:
            self.start(machine, up_for=machine * 30 * DAY)
        boot, since = self.started[machine]
        clocks = Clocks(
            read_at=START + timedelta(milliseconds=self.now + self.wall_is_off_by),
            boot=boot,
            uptime_ms=max(0, self.now - since + lies_by),
        )
        number = len(self.readings) + 1
        self.readings.append(Reading(number=number * 2, position=number * 10, clocks=clocks))
        self.taken_at.append(self.now)

    def true_ages(self) -> list[int]:
        return [self.now - moment for moment in self.taken_at]


PASS = st.tuples(st.just("pass"), st.integers(0, 10 * DAY))
READ = st.tuples(st.just("read"), st.integers(0, 2))
SET_WALL = st.tuples(st.just("set wall"), st.integers(-10 * 365 * DAY, 10 * 365 * DAY))
REBOOT = st.tuples(st.just("reboot"), st.integers(0, 2))
ROLL_BACK = st.tuples(st.just("roll back"), st.integers(0, 2))
LIE = st.tuples(st.just("lie"), st.integers(-CENTURY, CENTURY))


def play(steps: list[tuple[str, int]]) -> World:
    """The world after the steps and one reading more, which is now."""
    world = World()
    for step, value in steps:
        match step:
            case "pass":
                world.now += value
            case "read":
                world.read(value)
            case "lie":
                world.read(0, lies_by=value)
            case "set wall":
                world.wall_is_off_by = value
            case "reboot":
                world.start(value)
            case "roll back" if value in world.started:  # a virtual machine is set back to an hour ago
                boot, since = world.started[value]
                world.started[value] = (boot, min(world.now, since + HOUR))
    world.read()
    return world


def without_superfluous(readings: list[Reading]) -> list[Reading]:
    gone = set(Elapsed(readings).superfluous())
    return [one for one in readings if one.number not in gone]


def age_at(elapsed: Elapsed, position: int) -> float:
    """The age of an event in seconds."""
    number = elapsed.reading_at(position)
    return 0.0 if number is None else elapsed.seconds_since(number)


@given(st.lists(st.one_of(PASS, READ, SET_WALL, REBOOT, ROLL_BACK), max_size=40))
def test_no_age_is_longer_than_the_time_that_has_passed(steps: list[tuple[str, int]]) -> None:
    world = play(steps)

    sure = until_last_ms(world.readings)

    assert [age for age, true in zip(sure, world.true_ages(), strict=True) if not 0 <= age <= true] == []


@given(st.lists(st.one_of(PASS, LIE), max_size=40))
def test_no_age_is_longer_while_only_the_uptime_lies(steps: list[tuple[str, int]]) -> None:
    """As that of a machine which is a copy of another one, with its start's name."""
    world = play(steps)

    sure = until_last_ms(world.readings)

    assert [age for age, true in zip(sure, world.true_ages(), strict=True) if not 0 <= age <= true] == []


@given(st.lists(st.one_of(PASS, READ, SET_WALL, REBOOT, ROLL_BACK), max_size=40))
def test_ages_grow_with_the_log(steps: list[tuple[str, int]]) -> None:
    world = play(steps)

    sure = until_last_ms(world.readings)

    assert [pair for pair in pairwise(sure) if pair[0] < pair[1]] == []


@given(st.lists(st.one_of(PASS, st.tuples(st.just("read"), st.just(0))), max_size=40))
def test_ages_are_right_where_nothing_happens_to_the_clocks(steps: list[tuple[str, int]]) -> None:
    world = play(steps)

    assert until_last_ms(world.readings) == world.true_ages()


@given(st.lists(st.one_of(PASS, READ, SET_WALL, REBOOT, ROLL_BACK), max_size=40), st.integers(0, 500))
def test_thinned_readings_make_no_age_too_long(steps: list[tuple[str, int]], position: int) -> None:
    world = play(steps)

    thinned = Elapsed(without_superfluous(world.readings))

    known = [at for at, one in enumerate(world.readings) if one.position >= position]
    true = world.true_ages()[known[0]] if known else 0
    assert age_at(thinned, position) * 1000 <= true


@given(st.lists(st.integers(1, 3 * HOUR), min_size=1, max_size=200), st.integers(0, 2_000))
def test_thinned_readings_make_ages_hardly_shorter(pauses: list[int], position: int) -> None:
    world = play([step for pause in pauses for step in (("read", 0), ("pass", pause))])

    thinned = Elapsed(without_superfluous(world.readings))

    before = age_at(Elapsed(world.readings), position)
    assert before * (1 - 2 / PRECISION) <= age_at(thinned, position) <= before


def test_a_year_of_readings_is_thinned_to_a_few_hundred() -> None:
    world = World()
    for _ in range(12_000):
        world.read()
        world.now += 365 * DAY // 12_000

    left = without_superfluous(world.readings)

    assert len(left) < 800
    assert list(Elapsed(left).superfluous()) == []


@pytest.mark.parametrize("jump", [-CENTURY, -DAY, -1, 1, DAY, CENTURY])
def test_a_clock_that_jumps_once_costs_one_pause_at_most(jump: int) -> None:
    world = World()
    for hour in range(48):
        if hour == 20:
            world.wall_is_off_by = jump
        world.read()
        world.now += HOUR
    world.read()

    assert 47 * HOUR <= until_last_ms(world.readings)[0] <= 48 * HOUR


def test_a_reboot_costs_the_pause_in_which_it_happens() -> None:
    world = World()
    for hour in range(48):
        if hour == 20:
            world.start(0)
        world.read()
        world.now += HOUR
    world.read()

    assert until_last_ms(world.readings)[0] == 47 * HOUR


def test_two_machines_in_turn_do_not_hide_the_time_from_each_other() -> None:
    world = World()
    for hour in range(48):
        world.read(hour % 2)
        world.now += HOUR
    world.read(0)

    assert until_last_ms(world.readings)[0] == 48 * HOUR
    assert until_last_ms(world.readings)[1] == 46 * HOUR  # from the next reading of the machine that reads now


def test_a_machine_that_has_been_up_for_long_says_nothing_of_another_one() -> None:
    world = World()
    world.read(0)
    world.now, world.wall_is_off_by = 1_000, CENTURY

    world.read(2)  # up for two months, and by the wall clock a century later

    assert until_last_ms(world.readings) == [0, 0]


def test_machine_that_is_new_each_time_never_lets_time_pass() -> None:
    world = World()
    for _ in range(10):
        world.start(0)
        world.now += MINUTE
        world.read()
        world.now += DAY

    assert until_last_ms(world.readings) == [0] * 10


def test_event_begins_to_age_with_the_next_reading() -> None:
    world = play([("read", 0), ("pass", HOUR), ("read", 0), ("pass", HOUR)])
    elapsed = Elapsed(world.readings)  # at the positions 10, 20 and, now, 30

    found = [age_at(elapsed, position) for position in (1, 10, 11, 20, 21, 30)]

    assert found == [7_200.0, 7_200.0, 3_600.0, 3_600.0, 0.0, 0.0]
    assert elapsed.reading_at(31) is None


def test_reading_that_is_gone_is_stood_for_by_the_next() -> None:
    world = play([("read", 0), ("pass", HOUR), ("read", 0), ("pass", HOUR)])
    elapsed = Elapsed(world.readings)  # with the numbers 2, 4 and, now, 6

    found = [elapsed.seconds_since(number) for number in (1, 2, 3, 4, 5, 7)]

    assert found == [7_200.0, 7_200.0, 3_600.0, 3_600.0, 0.0, 0.0]


def test_position_that_went_back_is_not_taken_for_a_later_one() -> None:
    """As after a log that was emptied by hand."""
    world = play([("read", 0), ("pass", HOUR), ("read", 0), ("pass", HOUR)])
    first, second, now = world.readings
    turned = [first, Reading(number=second.number, position=1, clocks=second.clocks), now]

    assert Elapsed(turned).reading_at(15) == now.number


def test_no_reading_no_age() -> None:
    nothing = Elapsed([])

    assert (nothing.reading_at(1), nothing.seconds_since(1), list(nothing.superfluous())) == (None, 0.0, [])


def test_both_clocks_bound_the_time_between_two_readings() -> None:
    def clocks(wall: int, uptime: int, boot: str = "a") -> Clocks:
        return Clocks(read_at=START + timedelta(milliseconds=wall), boot=boot, uptime_ms=uptime)

    first = clocks(0, 1_000)

    assert passed_ms(first, clocks(500, 3_000)) == 500
    assert passed_ms(first, clocks(5_000, 3_000)) == 2_000
    assert passed_ms(first, clocks(-5_000, 3_000)) == 0
    assert passed_ms(first, clocks(5_000, 900)) == 0
    assert passed_ms(first, clocks(5_000, 3_000, "b")) == 0
