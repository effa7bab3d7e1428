"""The watcher's memory over many deletions: `python -m tests.benchmarks.watcher_memory [DELETIONS]` takes it."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.databases import Sqlite
from tests.benchmarks.measuring import module
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target
from tests.benchmarks.watched_site import gaps, head_position, memory_mib, watched_site

DELETIONS = 300_000
DIRECTORIES = 100
WAVE = 10_000  # files that are there at once
MARK = 100_000  # deletions from one reading to the next
PATIENCE_SECONDS = 60.0
FLAT = 1.10  # the last reading against the second: the first may still be of the start


def groups(_: Scope) -> Iterator[Group]:
    """One row, on SQLite."""
    row = Row(
        what=f"watch_media: memory over {DELETIONS:,} deletions",
        database=Sqlite.label,
        to=f"memory after {2 * MARK:,}",
        target=Target(ratio=FLAT, lost=0),
    )
    yield Group(rows=(row,), measure=measure)


def measure() -> list[Figures]:
    """The figures of the row; the ratio is of memory."""
    environment = {"TEST_DATABASE": "sqlite", "PYTHONWARNINGS": "ignore"}
    taken = module(environment, "watcher_memory", str(DELETIONS))
    readings, ended = taken["readings"], taken["gaps"]
    note = f"gaps: {', '.join(ended)}" if ended else ""
    return [
        Figures(
            seconds=taken["seconds"],
            ratio=readings[-1] / readings[min(1, len(readings) - 1)],
            peak_mb=taken["peak_mib"] * 1.048576,
            lost=len(ended),
            note=note,
        )
    ]


def main(deletions: int) -> None:
    """Prints the memory at every mark, in MiB, as JSON."""
    with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as place:
        media = Path(os.path.realpath(place), "media")
        for number in range(DIRECTORIES):
            (media / str(number)).mkdir(parents=True)
        with watched_site(media) as (watcher, _):
            position, begun = head_position(), time.perf_counter()
            memory = [waves(media, watcher, mark, position) for mark in range(MARK, deletions + 1, MARK)]
            taken = {
                "seconds": time.perf_counter() - begun,
                "readings": memory,
                "peak_mib": memory_mib(watcher, "VmHWM"),
                "gaps": gaps(),
            }
    print(json.dumps(taken))


def waves(media: Path, watcher: int, mark: int, begun: int) -> float:
    """Makes and deletes files until so many deletions are in the log; the memory then, in MiB."""
    for wave in range(mark - MARK, mark, WAVE):
        names = [f"{media}/{number % DIRECTORIES}/{wave + number}.jpg" for number in range(WAVE)]
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        for name in names:
            os.unlink(name)
        _wait_for_the_log(begun + wave + WAVE)
    return memory_mib(watcher, "VmRSS")


def _wait_for_the_log(position: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while head_position() < position:
        if time.monotonic() > deadline:
            raise SystemExit(f"The log is at {head_position():,} and not at {position:,}. Gaps: {gaps() or 'none'}")
        time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DELETIONS)
