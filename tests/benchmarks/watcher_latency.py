"""Seconds from unlink to the committed event, over single deletions: `python -m tests.benchmarks.watcher_latency`."""

import statistics
import sys
import threading
import time
from pathlib import Path

from tests.benchmarks.watched_site import events_after, spans, watched_site

DELETIONS = 1_000
PER_SECOND = 200


def main() -> None:
    with watched_site(_fill) as (media, _):
        unlinked: dict[str, float] = {}
        deleting = threading.Thread(target=_delete, args=(media, unlinked))
        deleting.start()
        committed = _watch_the_log()
        deleting.join()
        ended = [reason for reason in spans() if reason]
    seconds = sorted(committed[name] - unlinked[name] for name in unlinked)
    sys.stdout.write(
        f"unlink to committed event, {DELETIONS} deletions at {PER_SECOND}/s: "
        f"median {statistics.median(seconds):.3f} s, p99 {seconds[int(0.99 * len(seconds))]:.3f} s, "
        f"worst {seconds[-1]:.3f} s; gaps: {ended or 'none'}\n"
    )


def _fill(media: Path) -> None:
    for number in range(DELETIONS):
        (media / f"{number}.jpg").touch()


def _delete(media: Path, unlinked: dict[str, float]) -> None:
    started = time.monotonic()
    for number in range(DELETIONS):
        time.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
        unlinked[f"{number}.jpg"] = time.monotonic()
        (media / f"{number}.jpg").unlink()


def _watch_the_log() -> dict[str, float]:
    """When another connection first saw each deletion; it looks every 2 ms."""
    seen: dict[str, float] = {}
    position, deadline = 0, time.monotonic() + DELETIONS / PER_SECOND + 60
    while len(seen) < DELETIONS:
        if time.monotonic() > deadline:
            raise SystemExit(f"Only {len(seen)} of {DELETIONS} deletions were recorded.")
        rows = events_after(position)
        now = time.monotonic()
        seen.update((path, now) for _, kind, path in rows if kind == "file.deleted")
        position = rows[-1][0] if rows else position
        time.sleep(0.002)
    return seen


if __name__ == "__main__":
    main()
