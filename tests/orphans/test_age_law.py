"""The law of the ages: no file counts as missing since a time after which it was seen, by whoever saw it.

Seen means: there while the watcher listened, if it can follow the name, or when a run looked.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.auditlog import clocks
from auditor.orphans.age import aged, remember
from auditor.orphans.plan import Plan
from auditor.orphans.route import RouteKind
from tests.clocks import DAY, SetClocks
from tests.laws import examples
from tests.makers import make_photo
from tests.orphans.law import made_world, plan_by
from tests.orphans.world import World

pytestmark = pytest.mark.django_db

Deed: TypeAlias = tuple[Any, ...]
PATHS = ["a", "d", "d/a", "d/b", "d/e", "d/e/a", "d-", "l"]
NAMES = ["a", "d", "d/a", "d/b", "d/e", "d/e/a", "d-", "l", "l/a", "d//a", "d/../a"]
ANY = st.integers(0, 11)


@dataclass(slots=True)
class Witness:
    """Knows when each name was seen last, in the seconds that have truly passed."""

    world: World
    clocks: SetClocks = field(default_factory=SetClocks)
    now: float = 0.0
    starts: int = 0
    seen: dict[str, float] = field(default_factory=dict)

    def do(self, what: str, *how: Any) -> None:
        """Lets something happen, and is told of it at once if the watcher listens."""
        self._listen()
        match what:
            case "pass":
                self.now += how[0]
                self.clocks.let_pass(how[0])
            case "reboot":
                self.starts += 1
                self.clocks.reboot(f"start {self.starts}", *how)
            case "set_wall" | "keep":
                getattr(self.clocks, what)(*how)
            case "run":
                self._run()
            case "remove" | "move" | "move_out":
                there = self.world.paths()
                if there:
                    getattr(self.world, what)(there[how[0] % len(there)], *how[1:])
            case "come_to_rest" | "close_span" | "open_span":
                getattr(self.world, what)()
            case _:
                getattr(self.world, what)(*how)
        self._listen()

    def assert_law(self, plan: Plan) -> None:
        told = aged(plan, DAY, using="default", read=self.clocks)
        ages = {orphan.name: orphan.missing_seconds or 0.0 for _, orphan in told.orphans()}
        true = {name: self.now - self.seen.get(name, 0.0) for name in ages}
        assert {name: (age, true[name]) for name, age in ages.items() if age > true[name] + 0.01} == {}

    def _listen(self) -> None:
        if self.world.is_watched:
            self.world.record()
            self.seen |= {name: self.now for name in PATHS if self._is_file(name) and self.world.is_there(name)}

    def _run(self) -> None:
        remember(plan_by(RouteKind.AUTO), using="default", read=self.clocks)
        self.seen |= {name: self.now for name in NAMES if self._is_file(name)}

    def _is_file(self, name: str) -> bool:
        """Whether there is a file, or a symlink, at the name as its storage would open it."""
        place = os.path.normpath(self.world.media / name)
        return os.path.lexists(place) and (os.path.islink(place) or not os.path.isdir(place))


@contextmanager
def witnessed() -> Iterator[Witness]:
    """A world with a record for every name, one file, and clocks that only the test moves."""
    with made_world() as world, pytest.MonkeyPatch.context() as patch:
        witness = Witness(world)
        patch.setattr(clocks, "read_clocks", witness.clocks)
        patch.setattr(clocks, "READING_SECONDS", 0.0)
        for name in NAMES:
            make_photo(name)
        yield witness


DEEDS = st.one_of(
    st.tuples(st.just("pass"), st.floats(1, 10 * DAY)),
    st.tuples(st.just("pass"), st.floats(1, 10 * DAY)),
    st.tuples(st.sampled_from(["run", "run", "keep", "come_to_rest", "open_span", "close_span"])),
    st.tuples(st.sampled_from(["create", "create", "move_in", "make_directory"]), st.sampled_from(PATHS)),
    st.tuples(st.sampled_from(["create", "create", "move_in", "make_directory"]), st.sampled_from(PATHS)),
    st.tuples(st.sampled_from(["remove", "remove", "move_out"]), ANY),
    st.tuples(st.sampled_from(["remove", "remove", "move_out"]), ANY),
    st.tuples(st.just("move"), ANY, st.sampled_from(PATHS)),
    st.tuples(st.just("link"), st.just("l"), st.sampled_from(["d", "a", "d/e"])),
    st.tuples(st.just("set_wall"), st.sampled_from([-3_650 * DAY, 3_650 * DAY])),
    st.tuples(st.just("reboot"), st.sampled_from([0.0, 300 * DAY])),
)


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(DEEDS, min_size=8, max_size=40))
def test_no_file_is_missing_since_before_it_was_seen(deeds: Sequence[Deed]) -> None:
    with witnessed() as witness:
        for deed in deeds:
            witness.do(*deed)

        witness.assert_law(plan_by(RouteKind.AUTO))
        witness.assert_law(plan_by(RouteKind.SCAN))


def test_file_that_came_back_with_its_directory_and_went_unseen() -> None:
    with witnessed() as witness:
        for deed in (
            ("create", "d/a"),
            ("come_to_rest",),
            ("remove", 0),
            ("keep",),
            ("pass", 9 * DAY),
            ("create", "d/a"),
            ("close_span",),
            ("remove", 0),
            ("pass", DAY),
        ):
            witness.do(*deed)

        witness.assert_law(plan_by(RouteKind.AUTO))
