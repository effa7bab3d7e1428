"""A program that runs clean-ups in processes of their own, and kills them in the middle.

It is started once and forks for each run, because starting Django takes longer than all the killing.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from uuid import uuid4

import django

from tests.running import PROJECT, environment

PATIENCE = 60.0  # seconds


class Killer(AbstractContextManager["Killer"]):
    """The program, as a test uses it."""

    def __enter__(self) -> "Killer":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.removal.killing"],
            cwd=PROJECT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def run(self, *, kill_after: float = PATIENCE) -> float:
        """Runs a clean-up and kills it after so many seconds in its removal; gives back the seconds that it had."""
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
    for line in sys.stdin:
        sys.stdout.write(f"{run_and_kill(float(line))}\n")
        sys.stdout.flush()


def run_and_kill(seconds: float) -> float:
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        remove_and_tell(theirs)
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

    try:
        plan = planned()
        os.write(pipe, b"b")
        plan.execute(run=replace(RUN, uid=uuid4()))
        os.write(pipe, b"e")
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
