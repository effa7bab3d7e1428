"""Where the files of orphans went, by the log of a real recorder and the disk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auditor.auditlog import store
from auditor.auditlog.events import FileMoved
from auditor.orphans.moves import decide, trace
from auditor.orphans.plan import Evidence, Fate, Finding, Move, Orphan, Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.wishes import RelinkWanted
from tests.makers import make_file, make_photo
from tests.orphans.law import MODELS, made_world, plan_by
from tests.orphans.planning import finding, planned, watch
from tests.orphans.world import World
from tests.shapes.models import Invoice, Pair, Passport, Voucher

pytestmark = pytest.mark.django_db
ROUTES = pytest.mark.parametrize("route", [RouteKind.LOG, RouteKind.SCAN])


def traced(world: World, route: RouteKind = RouteKind.LOG) -> Plan:
    world.come_to_rest()
    return trace(plan_by(route), [one for one in audited_models() if one.id in MODELS], using="default")


def story(plan: Plan) -> list[tuple[str, str, str]]:
    """Each orphan as (name, where its file is, why it is nowhere)."""
    told = []
    for _, orphan in plan.orphans():
        to = orphan.moves[0].to if orphan.moves else ""
        assert orphan.fate is (Fate.MOVED if to else Fate.DELETE)
        told.append((orphan.name, to, orphan.why))
    return told


def watched(world: World, *names: str) -> World:
    for name in names:
        world.create(name)
        make_photo(name)
    world.come_to_rest()
    return world


def move(*steps: tuple[str, str]) -> Callable[[World], None]:
    def play(world: World) -> None:
        for path, to in steps:
            world.move(path, to)

    return play


def move_and(what: str, path: str, *steps: tuple[str, str]) -> Callable[[World], None]:
    def play(world: World) -> None:
        move(*steps)(world)
        getattr(world, what)(path)

    return play


@ROUTES
@pytest.mark.parametrize(
    ("happens", "to"),
    [
        (move(("d/a", "b")), "b"),
        (move(("d/a", "b"), ("b", "c/b")), "c/b"),
        (move(("d/a", "b"), ("b", "d/a"), ("d/a", "e")), "e"),
        (move(("d", "e")), "e/a"),
        (move(("d", "e"), ("e", "f"), ("f/a", "b")), "b"),
        (move(("d/a", "d/b"), ("d", "x/e")), "x/e/b"),
        (move(("d/a", "e/b"), ("e", "f")), "f/b"),
        (move_and("create", "d/a", ("d", "e")), None),
        (move_and("create", "d/b", ("d", "e")), "e/a"),
        (move_and("make_directory", "d", ("d", "e")), "e/a"),
    ],
)
def test_moved_file_is_found(route: RouteKind, happens: Callable[[World], None], to: str | None) -> None:
    with made_world() as world:
        happens(watched(world, "d/a"))

        plan = traced(world, route)

    assert story(plan) == ([("d/a", to, "")] if to else [])


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (move_and("remove", "b", ("d/a", "b")), "moved to b, where it is no longer"),
        (move_and("remove", "e", ("d", "e")), "moved to e/a, where it is no longer"),
        (move_and("move_out", "b", ("d/a", "b")), "moved to b, where it is no longer"),
        (move_and("move_out", "e", ("d", "e")), "moved to e/a, where it is no longer"),
        (move_and("move_out", "d/a"), ""),
        (move_and("move_out", "d"), ""),
        (move_and("remove", "d/a"), ""),
        (move_and("remove", "d"), ""),
        (move_and("remove", "d/a", ("d/a", "b"), ("b", "d/a")), ""),
    ],
)
def test_file_that_is_gone_was_not_moved(happens: Callable[[World], None], why: str) -> None:
    with made_world() as world:
        happens(watched(world, "d/a"))

        assert story(traced(world)) == [("d/a", "", why)]


def again(world: World) -> None:
    """The watcher is started again, and compares everything anew."""
    world.record()
    world.close_span()
    world.come_to_rest()


@pytest.mark.parametrize(
    ("happens", "to"),
    [
        ("move d/a b; move d e; create e/a", "b"),  # it was not in the folder any more
        ("remove d/a; move d e; create e/a", None),
        ("move d e; create d/b; move d f; create f/a", None),  # nobody knows which of the two folders it was in
        ("move d e; create d/b; remove d", "e/a"),  # a folder that can be removed is empty
        ("move d e; create d/b; again", "e/a"),  # the census only repeats that it is gone
        ("move d e; create d/b; again; move d f; create f/a", "e/a"),
        ("move d e; create d/b; again; create d/a; move d f", "f/a"),
        ("move d e; create d/a; again; move d f", "f/a"),
        ("move d e; create d/a; again; close_span; remove d/a; come_to_rest", None),
        ("move d/a b; create x; move x d/a; move d e", "e/a"),
        ("move d/a b; create x; move x b", None),
        ("move d/a b; move b c; create b; move b x", "c"),
        ("move d/a b; create d/a; remove d/a", None),
        ("move d/a b; create d/a; record; close_span; remove d/a; come_to_rest", None),
        ("move d/a b; record; close_span; remove b; come_to_rest", None),
        ("close_span; remove d/a; come_to_rest; move d e; create e/a", None),
        ("move d/a b; remove b; link b d", None),
        ("move d/a l; move l x/l; move x y; link x y", "y/l"),
        ("move d/a b; again; begin_census; create d/a; move d/a c; step_census", "c"),
        ("again; begin_census; move d/a c; step_census; record", "c"),  # the census misses it before the move is told
        ("again; begin_census; move d e; step_census; record", "e/a"),
        ("again; begin_census; move d e; step_census; record; create d/b; again; move d f; create f/a", "e/a"),
    ],
)
def test_trail_of_a_file_is_not_mixed_up_with_that_of_another(happens: str, to: str | None) -> None:
    with made_world() as world:
        watched(world, "d/a")
        for step in happens.split("; "):
            what, *how = step.split()
            again(world) if what == "again" else getattr(world, what)(*how)

        plan = traced(world)

    assert [(name, found or None) for name, found, _ in story(plan)] == [("d/a", to)]


LONG = "x" * 21


@pytest.mark.parametrize(
    ("model", "to", "why"),
    [
        (Passport, LONG, f"moved to {LONG}: the name has 21 characters, and the column takes 20"),
        (Passport, "taken", "moved to taken: another record holds the name, and only one may"),
        (Voucher, "taken", "moved to taken: another record holds the name, and only one may"),
        (Invoice, "taken", ""),  # two records may share a file
    ],
)
def test_record_that_cannot_hold_the_new_name_is_kept(media: Path, model: Any, to: str, why: str) -> None:
    for name in ("old", "taken"):
        make_file(media, name)
        model.objects.create(scan=name)
    root = watch(media)
    (media / "old").rename(media / to)
    moved = FileMoved(root=root.pk, path="old", to=to, occurred_at=store.database_time("default"))
    store.append([moved], using="default")
    audited = audited_models([model._meta.label])

    plan = trace(planned(model._meta.label), audited, using="default")

    [orphan] = finding(plan, model._meta.label).orphans
    expected = () if why else (Move("scan", "old", to, Evidence.SEEN),)
    assert (orphan.moves, orphan.why, orphan.fate) == (expected, why, Fate.MOVED)


SEEN = (Move("image", "a", "b", Evidence.SEEN),)
FOUND = (Move("image", "a", "b", Evidence.SAME_INODE),)


@pytest.mark.parametrize(
    ("moves", "fate", "wanted", "delete_moved", "expected"),
    [
        (SEEN, Fate.MOVED, RelinkWanted.NOTHING, False, Fate.MOVED),
        (SEEN, Fate.MOVED, RelinkWanted.NOTHING, True, Fate.DELETE),
        (SEEN, Fate.MOVED, RelinkWanted.SEEN, False, Fate.RELINK),
        (SEEN, Fate.MOVED, RelinkWanted.SEEN, True, Fate.RELINK),
        (SEEN, Fate.MOVED, RelinkWanted.PROPOSED, False, Fate.RELINK),
        (SEEN, Fate.WAITING, RelinkWanted.SEEN, False, Fate.WAITING),
        (FOUND, Fate.DELETE, RelinkWanted.NOTHING, False, Fate.MOVED),
        (FOUND, Fate.DELETE, RelinkWanted.NOTHING, True, Fate.DELETE),
        (FOUND, Fate.DELETE, RelinkWanted.SEEN, False, Fate.MOVED),
        (FOUND, Fate.DELETE, RelinkWanted.PROPOSED, False, Fate.RELINK),
        ((), Fate.DELETE, RelinkWanted.PROPOSED, False, Fate.DELETE),
    ],
)
def test_fate_of_a_moved_orphan(
    moves: tuple[Move, ...], fate: Fate, wanted: RelinkWanted, delete_moved: bool, expected: Fate
) -> None:
    orphan = Orphan(1, (("image", "a"),), fate=fate, moves=moves)
    made = Finding(
        model="gallery.Photo",
        label="Photos",
        label_of_one="Photo",
        total=1,
        named=True,
        has_primary=True,
        orphans=(orphan,),
    )

    [(_, decided)] = decide(Plan(findings=(made,)), wanted, delete_moved=delete_moved).orphans()

    assert decided == replace(orphan, fate=expected)


def test_record_of_which_one_file_is_lost_is_not_moved() -> None:
    with made_world() as world:
        for name in ("l", "r"):
            world.create(name)
        pair = Pair.objects.create(left="l", right="r")
        world.come_to_rest()
        world.move("l", "b")
        world.remove("r")

        plan = traced(world)

    [orphan] = finding(plan, "shapes.Pair").orphans
    assert orphan == Orphan(
        pair.pk, (("left", "l"), ("right", "r")), fate=Fate.DELETE, moves=(Move("left", "l", "b", Evidence.SEEN),)
    )
    assert decide(plan, RelinkWanted.PROPOSED).to_do == plan.to_do


def test_tracing_asks_a_few_questions_for_any_number_of_orphans() -> None:
    with made_world() as world:
        names = [f"d/{number}" for number in range(100)]
        watched(world, *names)
        world.move("d", "e")
        world.come_to_rest()
        plan = plan_by(RouteKind.LOG)
        audited = audited_models()

        with CaptureQueriesContext(connection) as queries:
            found = trace(plan, audited, using="default")

    assert [to for _, to, _ in story(found)] == [f"e/{number}" for number in range(100)]
    assert len(queries) < 10
    assert {query["sql"].split()[0] for query in queries.captured_queries} == {"SELECT"}
