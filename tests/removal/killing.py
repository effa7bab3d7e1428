"""A program that runs clean-ups and restores in processes of their own, and kills them in the middle.

It is started once and forks for each run, because starting Django takes longer than all the killing.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from uuid import uuid4

import django

from tests.running import PROJECT, environment

PATIENCE = 60.0  # seconds


class Killer(AbstractContextManager["Killer"]):
    """The program, as a test uses it; `does` is "clean", "restore" or "prune"."""

    def __init__(self, does: str = "clean") -> None:
        self.does = does

    def __enter__(self) -> "Killer":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.removal.killing", self.does],
            cwd=PROJECT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def run(self, *, kill_after: float = PATIENCE) -> float:
        """Runs it once and kills it after so many seconds of its work; gives back the seconds that it had."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(kill_after, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.process:
            self.process.kill()


def main() -> None:
    django.setup()
    work = {"clean": remove_and_tell, "restore": restore_and_tell, "prune": prune_and_tell}[sys.argv[1]]
    for line in sys.stdin:
        sys.stdout.write(f"{run_and_kill(work, float(line))}\n")
        sys.stdout.flush()


def run_and_kill(work: Callable[[int], object], seconds: float) -> float:
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            work(theirs)
        finally:
            os._exit(0)
    os.close(theirs)
    try:
        assert os.read(ours, 1) == b"b"
        begun = time.monotonic()
        select.select([ours], [], [], seconds)
        os.kill(child, signal.SIGKILL)
        return time.monotonic() - begun
    finally:
        os.close(ours)
        os.waitpid(child, 0)


def remove_and_tell(pipe: int) -> None:
    from tests.removal.removing import RUN, planned  # noqa: PLC0415 - wants Django to be set up

    plan = planned()
    os.write(pipe, b"b")
    plan.execute(run=replace(RUN, uid=uuid4()))
    os.write(pipe, b"e")


def restore_and_tell(pipe: int) -> None:
    from auditor.removal.restore import restore  # noqa: PLC0415
    from auditor.removal.runs import find_run, one_run_at_a_time  # noqa: PLC0415
    from tests.removal.restoring import AGAIN, EVERYTHING  # noqa: PLC0415

    with one_run_at_a_time("default"):
        removed = find_run("", "default")
        os.write(pipe, b"b")
        restore(removed.uid, EVERYTHING, replace(AGAIN, uid=uuid4()), using="default")
        os.write(pipe, b"e")


def prune_and_tell(pipe: int) -> None:
    from django.conf import settings  # noqa: PLC0415

    from auditor.archive.pruning import prune  # noqa: PLC0415
    from auditor.auditlog.store import database_time  # noqa: PLC0415

    os.write(pipe, b"b")
    list(prune(database_time("default"), into=f"{settings.MEDIA_ROOT}/../archive", using="default"))
    os.write(pipe, b"e")


if __name__ == "__main__":
    main()
