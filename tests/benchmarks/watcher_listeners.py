"""Who listens to deletions: this project's watcher, plain watchdog, and inotifywait, behind one face."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.benchmarks.measuring import PROJECT
from tests.benchmarks.watched_site import deletions_after, gaps, watched_site

IDLE_SECONDS = 15.0  # who has said nothing new for so long has said all


class Listener(Protocol):
    """A process that listens to a folder; `started_in` seconds it began to."""

    pid: int
    started_in: float

    def names(self, wanted: int) -> dict[str, float]:
        """When each deleted file was known; waits for so many, or until nothing new has come for a while."""

    def told(self) -> str:
        """What the listener says of a loss."""


class Auditor:
    """A deletion is known when another connection to the database sees it; it looks every 2 ms."""

    def __init__(self, pid: int, started_in: float) -> None:
        self.pid = pid
        self.started_in = started_in
        self._position = 0
        self._names: dict[str, float] = {}

    def names(self, wanted: int) -> dict[str, float]:
        def count() -> int:
            rows = deletions_after(self._position)
            now = time.monotonic()
            for self._position, path in rows:
                self._names.setdefault(path, now)
            return len(self._names)

        _wait(count, wanted, pause=0.002)
        return self._names

    def told(self) -> str:
        return ", ".join(gaps()) or "-"


class PlainWatchdog:
    """A deletion is known when the handler is called."""

    def __init__(self, process: subprocess.Popen[str], media: Path, started_in: float) -> None:
        self.pid = process.pid
        self.started_in = started_in
        self._process = process
        self._media = media

    def names(self, wanted: int) -> dict[str, float]:
        _wait(lambda: int(self._ask("count")["count"]), wanted, pause=0.2)
        return {os.path.relpath(path, self._media): at for path, at in self._ask("names")["names"]}

    def told(self) -> str:
        return "in a log line" if self._ask("count")["warnings"] else "-"

    def _ask(self, question: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))


class Inotifywait:
    """A deletion is known when its line arrives."""

    def __init__(self, process: subprocess.Popen[bytes], media: Path, started_in: float) -> None:
        self.pid = process.pid
        self.started_in = started_in
        self._process = process
        self._media = os.fsencode(media)
        self._chunks: list[tuple[bytes, float]] = []
        self._lines = 0
        threading.Thread(target=self._read, daemon=True).start()

    def names(self, wanted: int) -> dict[str, float]:
        _wait(lambda: self._lines, wanted, pause=0.2)
        names: dict[str, float] = {}
        rest = b""
        for chunk, at in self._chunks.copy():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                kind, _, path = line.partition(b" ")
                if kind == b"DELETE":
                    names.setdefault(os.fsdecode(os.path.relpath(path, self._media)), at)
        return names

    def told(self) -> str:
        return "yes" if any(b"OVERFLOW" in chunk for chunk, _ in self._chunks) else "-"

    def _read(self) -> None:
        assert self._process.stdout
        # Not parsed while it comes: a full pipe would hold inotifywait up.
        while chunk := os.read(self._process.stdout.fileno(), 1_000_000):
            self._chunks.append((chunk, time.monotonic()))
            self._lines += chunk.count(b"\nDELETE ") + chunk.startswith(b"DELETE ")


@contextmanager
def auditor(media: Path) -> Iterator[Listener]:
    with watched_site(media) as (pid, started_in):
        yield Auditor(pid, started_in)


@contextmanager
def plain_watchdog(media: Path) -> Iterator[Listener]:
    arguments = [sys.executable, "-m", "tests.benchmarks.watcher_plain", str(media)]
    begun = time.monotonic()
    with subprocess.Popen(arguments, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "READY\n"
        yield PlainWatchdog(process, media, time.monotonic() - begun)


@contextmanager
def inotifywait(media: Path) -> Iterator[Listener]:
    arguments = ["inotifywait", "--monitor", "--recursive", "--event", "delete,move", "--format", "%e %w%f"]
    begun = time.monotonic()
    with subprocess.Popen([*arguments, str(media)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        while b"Watches established" not in process.stderr.readline():
            assert process.poll() is None
        try:
            yield Inotifywait(process, media, time.monotonic() - begun)
        finally:
            process.terminate()


OURS, PLAIN, TOOL = "watch_media", "plain watchdog", "inotifywait"
LISTENERS: dict[str, Callable[[Path], AbstractContextManager[Listener]]] = {
    OURS: auditor,
    PLAIN: plain_watchdog,
    TOOL: inotifywait,
}


def is_installed(name: str) -> bool:
    """Whether there is such a listener on this machine."""
    return name != TOOL or shutil.which(name) is not None


def listening(name: str, media: Path) -> AbstractContextManager[Listener]:
    """A listener to this folder, from its start to its end."""
    return LISTENERS[name](media)


def _wait(count: Callable[[], int], wanted: int, *, pause: float) -> None:
    known, since = 0, time.monotonic()
    while known < wanted and time.monotonic() - since < IDLE_SECONDS:
        now_known = count()
        if now_known > known:
            known, since = now_known, time.monotonic()
        time.sleep(pause)
