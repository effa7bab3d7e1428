"""The watcher next to plain watchdog and inotifywait, each on the same tree.

Every figure is taken by a process of its own, on a new tree, with a listener that has just been started:
`python -m tests.benchmarks.watcher SCENARIO LISTENER` takes one.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.databases import Kind, Sqlite
from tests.benchmarks.libraries import touch
from tests.benchmarks.measuring import NotMeasuredError, module
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row, Target
from tests.benchmarks.watched_site import memory_mib
from tests.benchmarks.watcher_listeners import OURS, PLAIN, TOOL, is_installed, listening

BURST = 100_000
PER_SECOND = 1_000
SECONDS = 10
DIRECTORIES = 20_000
BURST_RUNS = 3
SHAPES = {"burst_in_many": 100, "burst_in_one": 1}  # how many folders hold the files
WORDS = {
    "burst_in_many": f"burst of {BURST:,} deletions, rm to known",
    "burst_in_one": f"burst of {BURST:,} deletions, rm to known",
    "latency": f"{PER_SECOND:,} deletions/s for {SECONDS} s, rm to known, median",
    "start": f"start with {DIRECTORIES:,} directories",
}
LAYOUTS = {"burst_in_many": "directories of 1,000", "burst_in_one": "one directory", "latency": "one directory"}
ASKS_THE_DATABASE = ("burst_in_many", "latency")  # what is measured on PostgreSQL too
TARGETS = {"burst_in_many": Target(lost=0), "burst_in_one": Target(lost=0), "latency": Target(lost=0)}
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


def groups(scope: Scope) -> Iterator[Group]:
    """One group to a scenario and a listener; on PostgreSQL, only what depends on the database."""
    for scenario, words in WORDS.items():
        for listener in (PLAIN, TOOL):
            yield Group(
                rows=(row(scenario, f"{listener}: {words}"),),
                measure=partial(figures, scenario, listener, Sqlite),
            )
        for kind in [kind for kind in scope.kinds if kind is Sqlite or scenario in ASKS_THE_DATABASE]:
            yield Group(
                rows=(row(scenario, f"{OURS}: {words}", kind),),
                measure=partial(figures, scenario, OURS, kind),
            )


def row(scenario: str, what: str, kind: Kind | None = None) -> Row:
    """The row of one listener; only our own has a target."""
    return Row(
        what=what,
        layout=LAYOUTS.get(scenario, ""),
        database=kind.label if kind else "",
        target=TARGETS.get(scenario) if kind else None,
    )


def figures(scenario: str, listener: str, kind: Kind) -> list[Figures]:
    """What a listener reached; raises NotMeasuredError where it is not installed."""
    if not is_installed(listener):
        raise NotMeasuredError(f"{listener} is not installed")
    environment = {"TEST_DATABASE": "sqlite" if kind is Sqlite else "postgresql", "PYTHONWARNINGS": "ignore"}
    runs = BURST_RUNS if scenario in SHAPES and listener == OURS else 1
    results = [module(environment, "watcher", scenario, listener) for _ in range(runs)]
    lost = max(one["lost"] for one in results)
    return [
        Figures(
            seconds=statistics.median(one["seconds"] for one in results),
            peak_mb=max(one["peak_mib"] for one in results) * 1.048576,
            runs=runs,
            lost=lost,
            note=", ".join(filter(None, (f"{lost:,} lost" if lost else "", results[-1]["note"]))),
        )
    ]


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
        lost, told = BURST - len(names), listener.told()
        return {
            "seconds": max(names.values(), default=begun) - begun,
            "lost": lost,
            "peak_mib": memory_mib(listener.pid, "VmHWM"),
            "note": f"{BURST / deleted_in:,.0f} deletions/s" + f", said of the loss: {told}" * bool(lost),
        }


def latency(name: str) -> Result:
    """From just before each `rm` to when it was known, at a steady rate."""
    count = PER_SECOND * SECONDS
    with made_tree(1, count) as media, listening(name, media) as listener:
        arguments = [sys.executable, "-c", DELETE, str(media), str(count), str(PER_SECOND)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as deleting:
            known = listener.names(count)
            deleted: dict[str, float] = json.loads(deleting.communicate()[0])
        peak = memory_mib(listener.pid, "VmHWM")
    took = sorted((known[path] - at) * 1_000 for path, at in deleted.items() if path in known)
    return {
        "seconds": statistics.median(took) / 1_000,
        "lost": count - len(took),
        "peak_mib": peak,
        "note": f"99 %: {took[int(0.99 * len(took))]:.1f} ms, worst {took[-1]:.0f} ms",
    }


def start(name: str) -> Result:
    """Until every directory is watched, and for the watcher until its first checkpoint too."""
    with made_tree(DIRECTORIES, 0) as media, listening(name, media) as listener:
        return {
            "seconds": listener.started_in,
            "lost": 0,
            "peak_mib": memory_mib(listener.pid, "VmHWM"),
            "note": "",
        }


@contextmanager
def made_tree(folders: int, files: int) -> Iterator[Path]:
    """A media folder with so many folders, and so many files in each."""
    with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as place:
        media = Path(os.path.realpath(place), "media")
        for folder in range(folders):
            (media / str(folder)).mkdir(parents=True)
        touch(media, (f"{folder}/{number}.jpg" for folder in range(folders) for number in range(files)))
        yield media


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
