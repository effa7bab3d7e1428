"""The watcher next to plain watchdog and inotifywait, each on the same tree: `python -m tests.benchmarks.watcher`.

Every figure is taken by a process of its own, on a new tree, with a listener that has just been started.
TMPDIR chooses the file system; where files are made slowly, most of the time goes into the trees.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.watched_site import memory_mib
from tests.benchmarks.watcher_listeners import LISTENERS, is_installed, listening

BURST = 100_000
PER_SECOND = 1_000
SECONDS = 10
DIRECTORIES = 20_000
SHAPES = {"burst_in_many": 100, "burst_in_one": 1}  # how many folders hold the files
DELETE = """
import json, os, sys, time
folder, count, per_second = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begun, deleted = time.monotonic(), {}
for number in range(count):
    time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
    deleted[f"0/{number}.jpg"] = time.monotonic()
    os.unlink(f"{folder}/0/{number}.jpg")
json.dump(deleted, sys.stdout)
"""

Result = dict[str, Any]


def main() -> None:
    """Measures and prints one table."""
    parser = ArgumentParser(prog="python -m tests.benchmarks.watcher")
    parser.add_argument("--runs", type=int, default=3, help="how often each burst is repeated")
    parser.add_argument("cell", nargs="*", help=f"measure one alone: {', '.join(SHAPES)}, latency or start, and whom")
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(measure(*options.cell)))
        return
    columns = [column(name, options.runs) for name in LISTENERS]
    print_table(options.runs, columns)


def column(name: str, runs: int) -> dict[str, list[Result]]:
    """All that is measured of one listener; nothing if it is not installed."""
    if not is_installed(name):
        return {}
    plan = dict.fromkeys(SHAPES, runs) | {"latency": 1, "start": 1}
    return {scenario: [in_a_process(scenario, name) for _ in range(times)] for scenario, times in plan.items()}


def in_a_process(scenario: str, name: str) -> Result:
    print(f"{scenario}: {name} ...", file=sys.stderr, flush=True)
    arguments = [sys.executable, "-m", "tests.benchmarks.watcher", scenario, name]
    done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def measure(scenario: str, name: str) -> Result:
    """One figure of one listener."""
    if scenario in SHAPES:
        return burst(name, SHAPES[scenario])
    return {"latency": latency, "start": start}[scenario](name)


def burst(name: str, folders: int) -> Result:
    """`rm -rf` of all files at full speed."""
    with made_tree(folders, BURST // folders) as media, listening(name, media) as listener:
        begun = time.monotonic()
        subprocess.run(["rm", "-rf", *(f"{media}/{folder}" for folder in range(folders))], check=True)
        deleted_in = time.monotonic() - begun
        names = listener.names(BURST)
        return {
            "per_second": BURST / deleted_in,
            "lost": BURST - len(names),
            "told": listener.told(),
            "known_after": max(names.values(), default=begun) - begun,
            "peak_mib": memory_mib(listener.pid, "VmHWM"),
        }


def latency(name: str) -> Result:
    """Milliseconds from just before each `rm` to when it was known, at a steady rate."""
    count = PER_SECOND * SECONDS
    with made_tree(1, count) as media, listening(name, media) as listener:
        arguments = [sys.executable, "-c", DELETE, str(media), str(count), str(PER_SECOND)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as deleting:
            known = listener.names(count)
            deleted: dict[str, float] = json.loads(deleting.communicate()[0])
    took = sorted((known[path] - at) * 1_000 for path, at in deleted.items() if path in known)
    return {
        "lost": count - len(took),
        "median": statistics.median(took),
        "p99": took[int(0.99 * len(took))],
        "worst": took[-1],
    }


def start(name: str) -> Result:
    """Until every directory is watched, and for the watcher until its first checkpoint too."""
    with made_tree(DIRECTORIES, 0) as media, listening(name, media) as listener:
        return {
            "seconds": listener.started_in,
            "now_mib": memory_mib(listener.pid, "VmRSS"),
            "peak_mib": memory_mib(listener.pid, "VmHWM"),
        }


@contextmanager
def made_tree(folders: int, files: int) -> Iterator[Path]:
    """A media folder with so many folders, and so many files in each."""
    with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as place:
        media = Path(os.path.realpath(place), "media")
        for folder in range(folders):
            (media / str(folder)).mkdir(parents=True)
            for number in range(files):
                (media / f"{folder}/{number}.jpg").touch()
        yield media


def print_table(runs: int, columns: list[dict[str, list[Result]]]) -> None:
    """One row to a figure, one column to a listener."""
    row("", *LISTENERS)
    for shape, folders in SHAPES.items():
        print(f"rm -rf of {BURST:,} files in {folders} {'folders' if folders > 1 else 'folder'}, {runs} runs")
        bursts = [some.get(shape, []) for some in columns]
        row("  deletions/s, median", *(said(median(of, "per_second"), ",.0f") for of in bursts))
        row("  lost, median", *(said(median(of, "lost"), ",.0f") for of in bursts))
        row("  lost, worst", *(said(max((one["lost"] for one in of), default=None), ",.0f") for of in bursts))
        row("  told of the loss", *(", ".join(sorted({one["told"] for one in of})) for of in bursts))
        row("  all known after, s, median", *(said(median(of, "known_after"), ".2f") for of in bursts))
        row("  memory at most, MiB", *(said(median(of, "peak_mib"), ".0f") for of in bursts))
    print(f"{PER_SECOND:,} deletions/s for {SECONDS} s, from rm to known")
    print_one(columns, "latency", {"median": "median, ms", "p99": "p99, ms", "worst": "worst, ms", "lost": "lost"})
    print(f"start with {DIRECTORIES:,} folders")
    print_one(columns, "start", {"seconds": "seconds", "now_mib": "memory, MiB", "peak_mib": "memory at most, MiB"})


def print_one(columns: list[dict[str, list[Result]]], scenario: str, figures: dict[str, str]) -> None:
    for figure, label in figures.items():
        row(f"  {label}", *(said(median(some.get(scenario, []), figure), ".4g") for some in columns))


def median(of: list[Result], figure: str) -> float | None:
    return statistics.median(one[figure] for one in of) if of else None


def said(value: float | None, form: str) -> str:
    return "not installed" if value is None else format(value, form)


def row(label: str, *values: str) -> None:
    print(f"{label:34}" + "".join(f"{value:>24}" for value in values))


if __name__ == "__main__":
    main()
