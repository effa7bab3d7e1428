"""The law, for random trees, rows and histories."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.gallery.models import Photo
from tests.laws import examples
from tests.makers import make_photo
from tests.orphans.law import assert_law, made_world
from tests.orphans.world import World
from tests.shapes.models import Contract, Pair

pytestmark = pytest.mark.django_db

Deed: TypeAlias = tuple[Any, ...]

# Files and folders of one name, neighbours that sort around a folder's slash, wildcards, a newline, symlinks.
PATHS = [
    *("a", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/b", "d-", "d-/a", "d.a", "d0", "d0/a", "D/a", "f/a", "l", "m"),
    "ä\n/%_",
]
TARGETS = ["d", "d", "d/e", "a", "nowhere", ".", "../outside", "../outside/0", "/nonexistent", "l", "m"]
LINKED_NAMES = ["l/a", "l/b", "l/e/a", "l/m/a", "m/a", "d/l/a"]  # through a symlink, if there is one
ODD_NAMES = [
    *("d//a", "./a", "d/./a", "d/../a", "f/../d/a", "l/../a", "d/", "d/e/", ".", "a/.", "a/b"),
    *("../outside/0", "../media/a", "/etc/hostname", "d/../../a"),
    *(() if connection.vendor == "postgresql" else ("d/\0", "d/e/\0a", "\0/a")),  # PostgreSQL holds no NUL
]
NAMED_BY = {Photo: "image", Pair: "right", Contract: "file"}
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
            st.tuples(st.sampled_from(["record", "drain", "resolve", "review"])),
            st.tuples(st.sampled_from(["drain", "resolve", "review"])),
            st.tuples(st.sampled_from(["begin_census", "step_census", "come_to_rest", "close_span", "open_span"])),
            *(upload, insert, create, create, link, remove, remove),
            st.tuples(st.just("move"), ANY, paths),
            st.tuples(st.just("move"), ANY, paths),
            st.tuples(st.just("move_out"), ANY),
            st.tuples(st.just("move_in"), paths),
            st.tuples(st.just("make_directory"), paths),
            st.tuples(st.just("delete"), models, ANY),
            st.tuples(st.just("name_another"), models, ANY, st.just("") | names),
            st.tuples(st.just("insert_below"), models, names),
        ),
        min_size=8,
        max_size=24,
    )
    return draw(before), draw(after), draw(after)


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
                how[0].objects.filter(pk__in=some(keys(how[0]), how[1])).update(**{NAMED_BY[how[0]]: how[2]})
            case "insert_below":
                insert(how[0], how[1], "", key=min(keys(how[0]), default=100) - 1)
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


def insert(model: type[Any], name: str, other: str, key: int | None = None) -> None:
    match model.__name__:
        case "Photo":
            make_photo(name, thumbnail=other, pk=key)
        case "Pair":
            Pair.objects.create(pk=key, left=name, right=other or "a")
        case "Contract":
            Contract.objects.create(pk=key, file=name)


@settings(max_examples=examples(40), deadline=None)
@given(histories())
def test_log_and_scan_agree(history: tuple[list[Deed], ...]) -> None:
    with made_world() as world:
        for part in history:
            play(world, part)
            assert_law(world)
