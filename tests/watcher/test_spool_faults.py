"""Kills, full disks and disks that cannot be written, with real processes and real disks."""

import random
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from tests.watcher.spool_programs import ON_A_DISK_OF_ITS_OWN, start
from tests.watcher.spools import deleted, opened, why_not

pytestmark = [pytest.mark.sqlite, pytest.mark.live]
needs_namespaces = pytest.mark.skipif(
    subprocess.run([*ON_A_DISK_OF_ITS_OWN, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine does not let its users make user namespaces",
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "spool")


def run(function: str, folder: Path) -> list[str]:
    """What a program says that has a disk of its own mounted at the folder."""
    with start(function, str(folder), through=ON_A_DISK_OF_ITS_OWN) as program:
        said, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    return said.splitlines()


def test_a_spool_held_by_another_process_is_free_as_soon_as_that_is_killed(path: str) -> None:
    with start("hold", path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held 0\n"
        assert why_not(path) == f"The spool {path} is in use by another process."
        holder.kill()

    with opened(path) as spool:
        assert (spool.put_aside, spool.is_empty) == ("", True)


def test_nothing_that_was_acknowledged_is_lost_by_a_kill(path: str) -> None:
    chance = random.Random()
    acknowledged: list[UUID] = []
    for _ in range(6):
        with start("append_without_end", path) as program:
            assert program.stdout is not None
            heard = [program.stdout.readline() for _ in range(chance.randrange(1, 60))]
            program.kill()
            heard += program.stdout.readlines()
        acknowledged += [UUID(line.strip()) for line in heard if line.endswith("\n")]

        with opened(path) as spool:
            kept = [(entry.uid, entry.events) for entry in spool.entries()]
            assert (spool.put_aside, spool.count) == ("", len(kept))
        # One more may have been on disk before it was said.
        assert len(acknowledged) <= len(kept) <= len(acknowledged) + 1
        acknowledged = [uid for uid, _ in kept]
        assert kept == [(UUID(int=n), (deleted(f"{n}.jpg"),)) for n in range(len(kept))]


@needs_namespaces
def test_a_full_disk_is_told_and_forgotten_when_there_is_space_again(tmp_path: Path) -> None:
    assert run("fill_the_disk_with_another_file", tmp_path) == [
        f"spool_failed: The spool {tmp_path}/spool could not be written: database or disk is full. "
        "Set AUDITOR_STATE_DIR to a folder that can be written.",
        "kept ['first.jpg']",
        "kept after opening again ['first.jpg']",
        "appended third.jpg",
        "kept in the end ['first.jpg', 'third.jpg']",
    ]


@needs_namespaces
def test_a_spool_that_filled_its_disk_can_be_emptied(tmp_path: Path) -> None:
    assert run("fill_the_disk_with_the_spool", tmp_path) == [
        f"spool_failed: The spool {tmp_path}/spool could not be written: database or disk is full. "
        "Set AUDITOR_STATE_DIR to a folder that can be written.",
        "all kept True True",
        "left 0 [] True",
        "appended next.jpg",
        "kept in the end ['next.jpg']",
    ]


@needs_namespaces
def test_a_spool_is_not_opened_on_a_full_disk(tmp_path: Path) -> None:
    assert run("start_with_a_disk_that_is_full", tmp_path) == [
        f"spool_failed: The spool {tmp_path}/spool could not be opened: database or disk is full. "
        "Set AUDITOR_STATE_DIR to a folder that can be written."
    ]


@needs_namespaces
def test_a_spool_is_not_opened_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert run("start_on_a_disk_that_cannot_be_written", tmp_path) == [
        f"spool_failed: The spool {tmp_path}/state/spool could not be opened: Read-only file system. "
        "Set AUDITOR_STATE_DIR to a folder that can be written."
    ]
