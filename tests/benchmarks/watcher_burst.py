"""`rm -rf` of 100,000 files at full speed: deleted against recorded. `python -m tests.benchmarks.watcher_burst`."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.benchmarks.watched_site import events_after, memory_mib, spans, watched_site

DIRECTORIES = 100
FILES = 1_000  # in each


def main() -> None:
    with watched_site(_fill) as (media, watcher):
        before = memory_mib(watcher, "VmRSS")
        started = time.monotonic()
        subprocess.run(["rm", "-rf", *sorted(map(str, media.iterdir()))], check=True)
        deleted_in = time.monotonic() - started
        counts = _wait_for_the_log()
        recorded_in = time.monotonic() - started
        after, peak = memory_mib(watcher, "VmRSS"), memory_mib(watcher, "VmHWM")
        ended = [reason for reason in spans() if reason]
    sys.stdout.write(
        f"deleted {DIRECTORIES * FILES} files and {DIRECTORIES} directories in {deleted_in:.2f} s, "
        f"recorded {counts['file.deleted']} and {counts['directory.deleted']} in {recorded_in:.2f} s; "
        f"gaps: {ended or 'none'}; memory {before:.0f} MiB before, {after:.0f} after, {peak:.0f} at most\n"
    )


def _fill(media: Path) -> None:
    for directory in range(DIRECTORIES):
        (media / f"{directory:03}").mkdir()
        for number in range(FILES):
            (media / f"{directory:03}/{number:04}.jpg").touch()


def _wait_for_the_log() -> Counter[str]:
    """How many of each deletion, each name once; waits until all are there, or none has come for 10 s."""
    names: set[tuple[str, str]] = set()
    position, last = 0, time.monotonic()
    while len(names) < DIRECTORIES * (FILES + 1) and time.monotonic() - last < 10:
        rows = events_after(position)
        names.update((kind, path) for _, kind, path in rows if kind.endswith(".deleted"))
        if rows:
            position, last = rows[-1][0], time.monotonic()
        time.sleep(0.1)
    return Counter(kind for kind, _ in names)


if __name__ == "__main__":
    main()
