"""A watcher as a program of its own, and the lines of its JSON log."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.conftest import line_faults
from tests.running import PROJECT
from tests.watcher.waiting import wait_until


class Watcher:
    """A running `python -m watcher`; `through` is what starts it, such as `unshare`."""

    def __init__(
        self,
        log: Path,
        environment: dict[str, str],
        *,
        arguments: tuple[str, ...] = (),
        through: tuple[str, ...] = (),
    ) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.program = subprocess.Popen(
                [*through, sys.executable, "-m", "watcher", *arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=stderr,
            )

    @property
    def is_running(self) -> bool:
        return self.program.poll() is None

    @property
    def lines(self) -> list[dict[str, Any]]:
        # The last line may be half written.
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line[-1] == "\n"]

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def named(self, event: str, **values: str) -> list[dict[str, Any]]:
        """The lines with this event name and these values."""
        return [line for line in self.lines if {"event": event, **values}.items() <= line.items()]

    def wait_for(self, event: str, *, seconds: float = 20.0, **values: str) -> dict[str, Any]:
        """The first line with this event name and these values; fails at once if the watcher ends without it."""
        wait_until(lambda: self.named(event, **values) or not self.is_running, seconds=seconds)
        assert self.named(event, **values), f"the watcher has ended: {self.log.read_text()[-2_000:]}"
        return self.named(event, **values)[0]

    def wait_for_gap(self, *, seconds: float = 20.0) -> dict[str, Any]:
        """The first line that says why a span was closed."""
        return self.wait_for("span.closed", seconds=seconds)

    def wait_for_outage(self, *, seconds: float = 20.0) -> None:
        """Waits until it has said that the database cannot be used; fails at once if the watcher ends instead."""

        def is_told() -> bool:
            return bool(self.named("append.retried") or self.named("root.waiting", reason="database"))

        wait_until(lambda: is_told() or not self.is_running, seconds=seconds)
        assert is_told(), f"the watcher has ended: {self.log.read_text()[-2_000:]}"

    def send(self, number: signal.Signals) -> None:
        self.program.send_signal(number)

    def freeze(self) -> None:
        """Stops the process in its tracks, and waits until it has."""
        self.send(signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(") ")[2][0] == "T")

    def watched_inodes(self) -> set[int]:
        """The directories that the kernel watches for it, by their inodes."""
        inodes = set()
        for entry in Path(f"/proc/{self.program.pid}/fdinfo").iterdir():
            with suppress(FileNotFoundError):  # closed in between
                found = re.findall(r"^inotify wd:\S+ ino:([0-9a-f]+)", entry.read_text(), re.MULTILINE)
                inodes |= {int(inode, 16) for inode in found}
        return inodes

    def end(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 30.0) -> int:
        """The exit code after a signal; negative if the signal itself ended it."""
        self.send(number)
        return self.program.wait(seconds)

    def kill(self) -> None:
        self.program.kill()
        self.program.wait()

    def faults(self) -> list[str]:
        """What is wrong with the lines of its log."""
        return [fault for line in self.lines for fault in line_faults(json.dumps(line))]


def moment_of(line: dict[str, Any]) -> datetime:
    """When a line of the JSON log was written."""
    return datetime.fromisoformat(line["timestamp"])


def without_coverage() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
