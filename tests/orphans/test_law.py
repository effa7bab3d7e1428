"""The law: while the log route is open, it gives exactly the orphans that a full scan gives.

The disk, the audit log, the recorder and the census are real; only the kernel's word is spoken by `World`.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.orphans import references
from auditor.orphans.finder import find
from auditor.orphans.plan import Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind, RouteReason
from auditor.orphans.survey import make_survey
from deploy.gallery.models import Photo
from tests.makers import make_photo
from tests.orphans.world import World
from tests.shapes.models import Contract, Pair
from watcher import census

pytestmark = pytest.mark.django_db

Deed: TypeAlias = tuple[Any, ...]

MODELS = ("gallery.Photo", "shapes.Pair", "shapes.Document")
# Files and folders of one name, neighbours that sort around a folder's slash, wildcards, a newline, symlinks.
PATHS = [
    "a",
    "d",
    "d/a",
    "d/b",
    "d/e",
    "d/e/a",
    "d/e/b",
    "d-",
    "d-/a",
    "d.a",
    "d0",
    "d0/a",
    "D/a",
    "f/a",
    "ä\n/%_",
    "l",
    "m",
]
TARGETS = ["d", "d", "d/e", "a", "nowhere", ".", "../outside", "../outside/0", "/nonexistent", "l", "m"]
LINKED_NAMES = ["l/a", "l/b", "l/e/a", "l/m/a", "m/a", "d/l/a"]  # through a symlink, if there is one
ODD_NAMES = [
    *("d//a", "./a", "d/./a", "d/../a", "f/../d/a", "l/../a", "d/", "d/e/", ".", "a/.", "a/b"),
    *("../outside/0", "../media/a", "/etc/hostname", "d/../../a"),
    *(() if connection.vendor == "postgresql" else ("d/\0", "d/e/\0a", "\0/a")),  # PostgreSQL holds no NUL
]
ANY = st.integers(0, 11)  # which of those that there are


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Deed], ...]:
    """What there is before the watcher comes, and what happens then, twice; over a few names, so that they meet."""
    paths = st.sampled_from(draw(st.lists(st.sampled_from(PATHS), min_size=2, max_size=5, unique=True)))
    names = paths | paths | st.sampled_from(LINKED_NAMES[: draw(st.integers(1, 6))]) | st.sampled_from(ODD_NAMES)
    models = st.sampled_from([Photo, Pair, Contract])
    upload = st.tuples(st.just("upload"), models, paths)
    insert = st.tuples(st.just("insert"), models, names, st.just("") | names)
    link = st.tuples(st.just("link"), paths, st.sampled_from(TARGETS))
    remove = st.tuples(st.just("remove"), ANY)
    create = st.tuples(st.just("create"), paths)
    before = st.lists(st.one_of(upload, upload, insert, link), min_size=3, max_size=10)
    after = st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["record", "begin_census", "step_census"])),
            st.tuples(st.sampled_from(["begin_census", "step_census", "come_to_rest", "close_span", "open_span"])),
            *(upload, insert, create, create, link, remove, remove),
            st.tuples(st.just("move"), ANY, paths),
            st.tuples(st.just("move"), ANY, paths),
            st.tuples(st.just("move_out"), ANY),
            st.tuples(st.just("move_in"), paths),
            st.tuples(st.just("make_directory"), paths),
            st.tuples(st.just("delete"), models, ANY),
            st.tuples(st.just("name_another"), ANY, ANY),
        ),
        min_size=8,
        max_size=24,
    )
    return draw(before), draw(after), draw(after)


@contextmanager
def made_world() -> Iterator[World]:
    """A world, and afterwards a database as before; every batch and every chunk is small enough to be one of many."""
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(MEDIA_ROOT=f"{folder}/media", AUDITOR_MODELS=MODELS),
        pytest.MonkeyPatch.context() as patch,
        transaction.atomic(),
    ):
        patch.setattr(census, "BATCH", 1)
        patch.setattr(references, "READ_CHUNK", 3)
        media = Path(folder, "media")
        media.mkdir()
        yield World(media)
        transaction.set_rollback(True)


def play(world: World, history: Sequence[Deed]) -> None:
    """Lets things happen, one after the other."""
    for what, *how in history:
        match what:
            case "upload":
                world.create(how[1])
                insert(how[0], how[1], "")
            case "insert":
                insert(*how)
            case "delete":
                how[0].objects.filter(pk__in=some(keys(how[0]), how[1])).delete()
            case "name_another":
                # An old record's new name is vouched for if it is on disk at that time, as it is after an upload.
                # One that is not is beyond this law: nothing tells the log of it before the next census.
                for path in some(world.paths(), how[1]):
                    Photo.objects.filter(pk__in=some(keys(Photo), how[0])).update(image=path)
            case "remove" | "move" | "move_out":
                for path in some(world.paths(), how[0]):
                    getattr(world, what)(path, *how[1:])
            case _:
                getattr(world, what)(*how)


def some(things: Sequence[Any], number: int) -> list[Any]:
    """One of the things, if there is one."""
    return [things[number % len(things)]] if things else []


def keys(model: type[Any]) -> list[Any]:
    return list(model.objects.order_by("pk").values_list("pk", flat=True))


def insert(model: type[Any], name: str, other: str) -> None:
    match model.__name__:
        case "Photo":
            make_photo(name, thumbnail=other)
        case "Pair":
            Pair.objects.create(left=name, right=other or "a")
        case "Contract":
            Contract.objects.create(file=name)


def plan_by(kind: RouteKind) -> Plan:
    audited = [one for one in audited_models() if one.id in MODELS]
    return find(audited, make_survey(audited, using="default", wanted=kind))


def assert_law(world: World) -> None:
    world.come_to_rest()

    by_log, by_scan = plan_by(RouteKind.LOG), plan_by(RouteKind.SCAN)

    assert by_log.findings == by_scan.findings
    assert unknown(by_log) == unknown(by_scan)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_log_and_scan_agree(history: tuple[list[Deed], ...]) -> None:
    with made_world() as world:
        for part in history:
            play(world, part)
            assert_law(world)


def unknown(plan: Plan) -> Counter[tuple[Any, ...]]:
    # Without the reasons: of two things that are wrong with a name, each route may meet another one first.
    return Counter((one.model, one.key, one.field, one.name) for one in plan.unknown)


def orphans(kind: RouteKind) -> list[str]:
    return [orphan.name for _, orphan in plan_by(kind).orphans()]


def assert_both_find(world: World, *names: str) -> None:
    assert_law(world)
    assert orphans(RouteKind.LOG) == list(names)


def watched_world(world: World, *names: str) -> World:
    """The world with photos of these names, compared by a watcher that goes on watching."""
    for name in names:
        make_photo(name, media=None if "l/" in name else world.media)
    world.come_to_rest()
    return world


def test_a_removed_folder_does_not_take_its_neighbours_along() -> None:
    with made_world() as world:
        watched_world(world, "d/a", "d-/a", "d.a", "d0", "d0a/a")
        for path in ("d-", "d.a", "d0", "d0a"):
            world.remove(path)
        world.record()

        world.remove("d")

        assert_both_find(world, "d/a", "d-/a", "d.a", "d0", "d0a/a")


def test_neighbours_that_sort_around_a_folder_are_told_apart() -> None:
    with made_world() as world:
        watched_world(world, "d/a", "d-/a", "d0/a")

        for path in ("d-", "d", "d0"):
            world.move_out(path)

        assert_both_find(world, "d/a", "d-/a", "d0/a")


@pytest.mark.parametrize("is_compared_again", [False, True])
def test_a_folder_made_anew_brings_nothing_back_but_what_is_in_it(is_compared_again: bool) -> None:
    with made_world() as world:
        watched_world(world, "d/a", "d/b", "d/e/a").remove("d")
        world.record()

        world.create("d/b")
        world.record()
        if is_compared_again:
            world.begin_census()

        assert_both_find(world, "d/a", "d/e/a")


def test_a_folder_that_vanishes_again_during_a_census_stays_missing() -> None:
    with made_world() as world:
        watched_world(world, "d/a").remove("d")
        world.record()
        world.create("d/a")
        make_photo("never/there")
        world.begin_census()
        world.step_census()  # it saw the folder, and has yet to say so

        world.remove("d")
        world.record()

        assert_both_find(world, "d/a", "never/there")


def test_a_file_that_vanishes_again_during_a_census_stays_missing() -> None:
    with made_world() as world:
        watched_world(world, "a", "b").remove("a")
        world.remove("b")
        world.record()
        world.create("a")
        world.create("b")
        world.begin_census()
        world.step_census()  # it saw both, and has said so of one

        world.remove("a")
        world.remove("b")
        world.record()

        assert_both_find(world, "a", "b")


def test_a_name_through_a_symlink_is_looked_at_each_time() -> None:
    with made_world() as world:
        world.link("l", "d")
        watched_world(world, "d/a", "l/a")

        world.remove("d/a")

        assert_both_find(world, "d/a", "l/a")


def test_a_folder_replaced_by_a_symlink_keeps_its_names_under_watch() -> None:
    with made_world() as world:
        watched_world(world, "l2/a", "l2/b").move("l2", "d")
        world.link("l2", "d")
        world.come_to_rest()

        world.remove("d/a")

        assert_both_find(world, "l2/a")


def test_more_odd_names_than_are_kept_close_the_log_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "ODD_KEYS_KEPT", 1)
    with made_world() as world:
        world.link("l", "d")

        watched_world(world, "d/a", "d/b", "l/a", "l/b").remove("d/b")

        audited = [one for one in audited_models() if one.id == "gallery.Photo"]
        routes = make_survey(audited, using="default").routes
        assert routes["gallery.Photo.image"].reason is RouteReason.TOO_MANY_ODD_NAMES
        assert orphans(RouteKind.AUTO) == ["d/b", "l/b"]
