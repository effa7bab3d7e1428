"""The law: while the log route is open, it gives exactly the orphans that a full scan gives, by one process or two.

The disk, the audit log, the recorder and the census are real; only the kernel's word is spoken by `World`.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from auditor.orphans import looking, references
from auditor.orphans.finder import find
from auditor.orphans.plan import Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey
from tests.orphans.world import World
from watcher import candidates, census

MODELS = ("gallery.Photo", "shapes.Pair", "shapes.Document")


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
        patch.setattr(candidates, "BATCH", 2)
        patch.setattr(references, "READ_CHUNK", 3)
        media = Path(folder, "media")
        media.mkdir()
        world = World(media)
        yield world
        world.recorder.close()
        transaction.set_rollback(True)


def plan_by(kind: RouteKind) -> Plan:
    audited = [one for one in audited_models() if one.id in MODELS]
    return find(audited, make_survey(audited, using="default", wanted=kind))


def assert_law(world: World) -> None:
    world.come_to_rest()

    by_log, by_scan = plan_by(RouteKind.LOG), plan_by(RouteKind.SCAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looking, "WORTH_A_PROCESS", 0)
        by_two_processes = plan_by(RouteKind.SCAN)

    assert (by_two_processes.findings, by_two_processes.unknown) == (by_scan.findings, by_scan.unknown)
    assert by_log.findings == by_scan.findings
    assert unknown(by_log) == unknown(by_scan)


def unknown(plan: Plan) -> Counter[tuple[Any, ...]]:
    # Without the reasons: of two things that are wrong with a name, each route may meet another one first.
    return Counter((one.model, one.key, one.field, one.name) for one in plan.unknown)
