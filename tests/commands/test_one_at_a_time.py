"""One clean-up is at work at a time; the lock dies with its process."""

import os
import signal
from pathlib import Path

import pytest

from auditor.removal.runs import one_run_at_a_time
from deploy.gallery.models import Photo
from tests.commands.library import make_library, shell
from tests.commands.programs import NAME, at_terminal
from tests.running import manage
from tests.shapes.models import Lock, Locked

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
BUSY = "Another clean-up or restore is at work on this database: process {} on "


def test_a_clean_up_beside_one_that_asks_is_refused_and_told_who_it_is(media: Path) -> None:
    make_library(media, photos=2, videos=0)

    with at_terminal(NAME) as asking:
        asking.wait_for("(yes/no): ")
        second = manage(NAME, "--force")
        dry = manage(NAME, "--dry-run")
        asking.answer("yes\n")
        first = asking.end()

    assert (first, second.code, dry.code, Photo.objects.count()) == (0, 7, 0, 0)
    assert second.log[-1]["message"].startswith(BUSY.format(asking.process.pid))
    assert second.log[-1]["hint"] == "Wait until it has ended, and run the command again."


def test_the_lock_of_a_killed_clean_up_is_free_at_once(media: Path) -> None:
    make_library(media, photos=2, videos=0)

    with at_terminal(NAME) as asking:
        asking.wait_for("(yes/no): ")
        os.kill(asking.process.pid, signal.SIGKILL)
        asking.end()
        second = manage(NAME, "--force")

    assert (second.code, Photo.objects.count()) == (0, 0)


def test_a_dry_run_needs_no_lock(media: Path) -> None:
    make_library(media, photos=2, videos=0)

    with one_run_at_a_time("default"):
        ran = shell("--dry-run")

    assert ran.code == 0


@pytest.mark.parametrize(("way", "code", "left"), [("skip", 4, 1), ("abort", 1, 3)])
def test_a_protected_record_is_kept_or_ends_the_run(media: Path, way: str, code: int, left: int) -> None:
    make_library(media, photos=0, videos=0)
    locked = [Locked.objects.create(file=f"locked/{number}") for number in range(3)]
    Lock.objects.create(target=locked[1])

    ran = shell("--force", "--model", "shapes.Locked", "--on-protected", way)

    assert (ran.code, Locked.objects.count()) == (code, left)
