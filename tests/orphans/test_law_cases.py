"""The law, for histories that have led or could lead it astray."""

import pytest

from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind, RouteReason
from auditor.orphans.survey import make_survey
from tests.makers import make_photo
from tests.orphans.law import assert_law, made_world, plan_by
from tests.orphans.world import World
from watcher import census

pytestmark = pytest.mark.django_db


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
