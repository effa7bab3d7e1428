"""The watcher's memory over a million deletions: `python -m tests.benchmarks.watcher_memory`. It takes minutes."""

import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from tests.benchmarks.watched_site import gaps, head_position, memory_mib, watched_site

DIRECTORIES = 100
WAVE = 10_000  # files that are there at once
MARK = 100_000  # deletions from one reading to the next
PATIENCE_SECONDS = 60.0
FLAT = 1.10  # the last reading against the second: the first may still be of the start


def main() -> None:
    """Prints the memory at every mark; exits with 1 if it grew, or if a gap was told."""
    parser = ArgumentParser(prog="python -m tests.benchmarks.watcher_memory")
    parser.add_argument("--deletions", type=int, default=1_000_000)
    deletions = parser.parse_args().deletions
    with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as place:
        media = Path(os.path.realpath(place), "media")
        for number in range(DIRECTORIES):
            (media / str(number)).mkdir(parents=True)
        with watched_site(media) as (watcher, _):
            begun = head_position()
            memory = [waves(media, watcher, mark, begun) for mark in range(MARK, deletions + 1, MARK)]
            peak, ended = memory_mib(watcher, "VmHWM"), gaps()
    growth = memory[-1] / memory[min(1, len(memory) - 1)]
    print(f"last against second {growth:.2f}, at most {peak:.0f} MiB, gaps: {', '.join(ended) or 'none'}")
    sys.exit(growth > FLAT or bool(ended))


def waves(media: Path, watcher: int, mark: int, begun: int) -> float:
    """Makes and deletes files until so many deletions are in the log; the memory then, in MiB."""
    for wave in range(mark - MARK, mark, WAVE):
        names = [f"{media}/{number % DIRECTORIES}/{wave + number}.jpg" for number in range(WAVE)]
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        for name in names:
            os.unlink(name)
        _wait_for_the_log(begun + wave + WAVE)
    memory = memory_mib(watcher, "VmRSS")
    print(f"{mark:>9,} deletions committed: {memory:.1f} MiB", flush=True)
    return memory


def _wait_for_the_log(position: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while head_position() < position:
        if time.monotonic() > deadline:
            raise SystemExit(f"The log is at {head_position():,} and not at {position:,}. Gaps: {gaps() or 'none'}")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
