"""The law of moves: while the log is open, a file that is found by it is the very file that the record had."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.orphans.moves import trace
from auditor.orphans.plan import Evidence, Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.laws import examples
from tests.makers import make_photo
from tests.orphans.law import MODELS, made_world, plan_by
from tests.orphans.world import World

pytestmark = pytest.mark.django_db

PATHS = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f/a", "f/e/a", "f"]
ANY = st.integers(0, 11)  # which of those that there are


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """What happens while the watcher watches; over a few names, so that they meet."""
    paths = st.sampled_from(draw(st.lists(st.sampled_from(PATHS), min_size=3, max_size=6, unique=True)))
    move = st.tuples(st.just("move"), ANY, paths)
    deeds = st.one_of(
        *(move, move, move, move),
        st.tuples(st.sampled_from(["create", "upload", "make_directory"]), paths),
        st.tuples(st.sampled_from(["create", "upload"]), paths),
        st.tuples(st.sampled_from(["remove", "move_out"]), ANY),
        st.tuples(st.sampled_from(["record", "come_to_rest", "begin_census", "step_census", "move_in"])),
    )
    return draw(st.lists(deeds, min_size=4, max_size=30))


class Library:
    """Files of which no two are alike, and what the file of each record was like when it was last there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.contents: dict[str, bytes] = {}
        self._made = 0

    def play(self, what: str, *how: Any) -> None:
        match what:
            case "create" | "upload":
                self._create(how[0])
                if what == "upload" and self._content(how[0]) is not None:
                    make_photo(how[0])
            case "remove" | "move" | "move_out":
                if paths := self.world.paths():
                    getattr(self.world, what)(paths[how[0] % len(paths)], *how[1:])
            case "move_in":
                self.world.move_in("back")
            case _:
                getattr(self.world, what)(*how)
        self._remember()

    def _create(self, path: str) -> None:
        is_new = not self.world.is_there(path)
        self.world.create(path)
        if is_new and self._content(path) is not None:
            self._made += 1
            (self.world.media / path).write_text(str(self._made))

    def _content(self, name: str) -> bytes | None:
        place = self.world.media / name
        return place.read_bytes() if place.is_file() else None

    def _remember(self) -> None:
        for name in set(Photo.objects.values_list("image", flat=True)):
            content = self._content(name)
            if content is not None:
                self.contents[name] = content

    def assert_law(self, plan: Plan) -> None:
        for _, orphan in plan.orphans():
            for move in orphan.moves:
                assert move.evidence is Evidence.SEEN
                assert self._content(move.to) == self.contents[move.name]


def traced(route: RouteKind) -> Plan:
    audited = [one for one in audited_models() if one.id in MODELS]
    return trace(plan_by(route), audited, using="default")


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from(PATHS), max_size=5, unique=True), histories(), st.sampled_from(RouteKind))
def test_traced_file_is_the_one_that_the_record_had(
    uploaded: list[str], history: list[tuple[Any, ...]], route: RouteKind
) -> None:
    with made_world() as world:
        library = Library(world)
        for path in uploaded:
            library.play("upload", path)
        world.come_to_rest()

        for what, *how in history:
            library.play(what, *how)
        world.come_to_rest()

        library.assert_law(traced(route))
