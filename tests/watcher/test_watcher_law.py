"""The law, on a real folder with a real daemon: at every quiet moment the log knows what the disk knows.

Also: nobody is told of a deletion that did not happen, and the watcher always finds its way back by itself.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from auditor.models import Span
from tests.laws import examples
from tests.watcher.mounted_world import MountedWorld
from tests.watcher.world_machine import WatcherMachine
from watcher import root_watch

pytestmark = [pytest.mark.live, pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]

EXAMPLES = examples(25)
STEPS = 25


class MountedMachine(WatcherMachine):
    """The same on a file system of its own, whose mount point is an empty folder when it is gone."""

    make_world = MountedWorld


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_watch, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(root_watch, "RETRY_UNWATCHED_SECONDS", 0.01)


def run(machine: type[WatcherMachine], examples: int) -> None:
    patience = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate],  # a history takes its time: to find a shorter one would take minutes
    )
    run_state_machine_as_test(machine, settings=patience)


def reasons() -> set[str]:
    """Why spans ended in any of the histories."""
    return set(Span.objects.values_list("closed_reason", flat=True))


def test_the_log_knows_what_the_disk_knows() -> None:
    run(WatcherMachine, EXAMPLES)

    assert {"crashed", "stopped"} <= reasons()
    assert reasons() & {"overflow", "queue_full"}


needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@needs_mounts
def test_it_does_on_a_file_system_that_comes_and_goes() -> None:
    run(MountedMachine, examples(6))
