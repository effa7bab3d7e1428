"""Programs of their own that a test talks to while they run: through pipes, or at a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running import PROJECT, environment

PATIENCE = 60  # seconds until a program that says nothing is taken for hanging
NAME = "cleanup_orphaned_media"
CONFIRMED = "(yes/no): "
# A shell's background job ignores Ctrl-C, and so does everything that it starts; a terminal's is for its session.
HEARING_INTERRUPTS = """
import fcntl, os, signal, sys, termios

signal.signal(signal.SIGINT, signal.SIG_DFL)
if os.isatty(0):
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@dataclass(slots=True)
class Program:
    """A running program: what it said so far, and where to answer."""

    process: subprocess.Popen[bytes]
    listens_at: int
    speaks_at: int
    said: str = ""
    insist: Callable[[], object] = int

    def wait_for(self, text: str) -> None:
        while text not in self.said:
            assert self._hear(), f"It ended, and said only: {self.said}"

    def answer(self, text: str) -> None:
        os.write(self.listens_at, text.encode())

    def interrupt(self, how: Callable[[], object] | None = None) -> None:
        # Python does not see an interrupt that comes just before it waits for input: a person presses again.
        self.insist = how or (lambda: self.process.send_signal(signal.SIGINT))
        self.insist()

    def end(self) -> int:
        """Hears it out; gives back its exit code."""
        while self._hear():
            pass
        return self.process.wait(PATIENCE)

    def _hear(self) -> bool:
        for _ in range(int(PATIENCE)):
            ready, _, _ = select.select([self.speaks_at], [], [], 1)
            if ready:
                break
            self.insist()
        assert ready, f"It hangs, and said only: {self.said}"
        try:
            heard = os.read(self.speaks_at, 65_536)
        except OSError:  # a terminal's way to say that nobody is at the other end
            heard = b""
        self.said += heard.decode()
        return bool(heard)


@contextmanager
def program(*arguments: str, stderr: Path, **extra: str) -> Iterator[Program]:
    """`manage.py` with its stdin and stdout at pipes, and its stderr in a file."""
    with stderr.open("wb") as log:
        process = _start(arguments, extra, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    assert process.stdin is not None
    assert process.stdout is not None
    with _ended(process), process.stdin, process.stdout:
        yield Program(process, process.stdin.fileno(), process.stdout.fileno())


@contextmanager
def at_terminal(*arguments: str, stdout: Path | None = None, **extra: str) -> Iterator[Program]:
    """`manage.py` at a terminal; with `stdout`, only its stdin and stderr are there.

    What is typed is not echoed, and Django paints nothing red unless `DJANGO_COLORS` says so.
    """
    extra = {"DJANGO_COLORS": "nocolor"} | extra
    ours, theirs = pty.openpty()
    settings = termios.tcgetattr(theirs)
    settings[1] &= ~termios.ONLCR
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    try:
        with open(stdout or os.devnull, "wb") as file:
            out = file if stdout else theirs
            process = _start(arguments, extra, stdin=theirs, stdout=out, stderr=theirs)
    finally:
        os.close(theirs)
    try:
        with _ended(process):
            yield Program(process, ours, ours)
    finally:
        os.close(ours)


def _start(arguments: tuple[str, ...], extra: dict[str, str], **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-ISc", HEARING_INTERRUPTS, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(**extra),
        **streams,
    )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE)
