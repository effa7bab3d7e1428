"""The laws of pruning: whatever has happened, no answer to a question about a record's files is another one after it.

And nothing that it has left can be changed without its being seen.
"""

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.answers.life import life_of
from auditor.archive import pruning, reading
from auditor.auditlog import store
from auditor.auditlog.rebuilding import rebuild
from auditor.auditlog.verifying import Fault, Place, verify
from auditor.models import MissingFile
from auditor.orphans.age import aged
from auditor.orphans.moves import whereabouts
from auditor.orphans.plan import Plan
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.answers.happening import at
from tests.clocks import DAY
from tests.laws import examples
from tests.orphans.law import made_world
from tests.orphans.test_moves_law import PATHS, Library, histories, traced
from tests.orphans.world import World

pytestmark = pytest.mark.django_db

NAMES = [*PATHS, "g", "f/b", "f/e", "d/e/b"]
LATER = at(100 * 365 * DAY)


def answers(world: World, route: RouteKind) -> tuple[dict[str, Any], list[set[int]]]:
    """All that is said of records, of the names that they have, and of where files went; and which events are told."""
    plan = aged(traced(route), 0, using="default")
    held = sorted(set(Photo.objects.values_list("image", flat=True)))
    lives = [life_of(world.root.path, name, using="default") for name in held]
    return {
        "orphans": [(finding.model, orphan) for finding, orphan in without_ages(plan).orphans()],
        "missing": sorted(MissingFile.objects.values_list("path", "is_directory", "position", "moved_to")),
        "moved": whereabouts(world.root.path, NAMES, "default"),
        "lives": [(one.name, one.holders, one.look) for one in lives],
    }, [{told.position for told in one.told} for one in lives]


def without_ages(plan: Plan) -> Plan:
    """Time goes on between two looks; that an age is known, and not how long it is, can be compared."""
    from dataclasses import replace  # noqa: PLC0415

    return plan.changed(lambda _, one: replace(one, missing_seconds=float(bool(one.missing_seconds))))


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.sampled_from(PATHS), max_size=5, unique=True),
    histories(),
    histories(),
    st.sampled_from(RouteKind),
    st.booleans(),
)
def test_no_answer_changes_when_the_log_is_pruned(
    uploaded: list[str],
    history: list[tuple[Any, ...]],
    later: list[tuple[Any, ...]],
    route: RouteKind,
    is_bound: bool,
) -> None:
    with made_world() as world, pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(pruning, "EVENTS_IN_A_SEGMENT", 4)
        if not is_bound:  # more goes than a watcher would let go
            patch.setattr(pruning, "prunable_until", store.head_position)
        library = Library(world)
        for path in uploaded:
            library.play("upload", path)
        world.come_to_rest()
        for some in (history, later):
            for what, *how in some:
                library.play(what, *how)
            world.come_to_rest()
            before, told = answers(world, route)

            list(pruning.prune(LATER, into=folder, using="default"))

            after, told_after = answers(world, route)
            assert after == before
            # Who vanished with a file is not known any more; so a folder that went is told of by itself.
            assert all(some <= more for some, more in zip(told, told_after, strict=True))
            assert not isinstance(verify(Place(), key=None, using="default"), Fault)
            assert list(pruning.prune(LATER, into=folder, using="default")) == []
        events = reading.events_in(reading.checked(folder, using="default"))
        assert not any(rebuild(is_dry=True, using="default", archived=events))


@settings(max_examples=examples(20), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_altered_byte_of_a_segment_shows(history: list[tuple[Any, ...]], chance: random.Random) -> None:
    with made_world() as world, tempfile.TemporaryDirectory() as folder:
        library = Library(world)
        library.play("upload", "a")
        world.come_to_rest()
        for what, *how in history:
            library.play(what, *how)
        world.come_to_rest()
        for _ in pruning.prune(LATER, into=folder, using="default"):
            pass
        for file in Path(folder).iterdir():
            whole = file.read_bytes()
            place = chance.randrange(len(whole))
            file.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])

            with pytest.raises(Exception, match="is not as it was written"):
                reading.checked(folder, using="default")
            file.write_bytes(whole)
