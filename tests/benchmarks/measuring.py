"""Takes figures: each side in a process of its own, the sides in turns, the median of several after a warm-up."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))  # fewer are for the work on a benchmark
SLOW_SECONDS = 5.0  # what takes longer than this is run three times, the first one included
SLOW_ROUNDS = min(3, ROUNDS)
QUICK_SECONDS = 1.0  # what takes less is run more often: of two such times, the difference is small
QUICK_ROUNDS = 3 * ROUNDS
SHOWN = 20_000  # characters of an output that are kept


class NotMeasuredError(Exception):
    """A side failed, or gave another answer than it should; the message says so in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one side; `text` is the beginning of what it printed, `lines` how many lines that was."""

    seconds: float
    peak_mb: float
    text: str = ""
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of all runs of one side."""

    seconds: float
    peak_mb: float
    runs: int


def program(arguments: list[str], environment: Mapping[str, str]) -> Sample:
    """Runs a program from its start to its end.

    The peak is that of the largest process among it and those it waited for.
    It is never below that of this process, whose memory a child shares until it begins: so import little here.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=PROJECT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(max(0, errors.tell() - SHOWN))
            last = " / ".join(errors.read().decode(errors="replace").strip().splitlines()[-2:])
            raise NotMeasuredError(f"{' '.join(arguments[1:4])} ended with {process.returncode}: {last}")
        lines = _lines(output)
        output.seek(0)
        text = output.read(SHOWN).decode(errors="replace")
    return Sample(seconds=seconds, peak_mb=usage.ru_maxrss / 1024, text=text, lines=lines)


def _lines(output: Any) -> int:
    output.seek(0)
    return sum(chunk.count(b"\n") for chunk in iter(lambda: output.read(1_000_000), b""))


def manage(environment: Mapping[str, str], *arguments: str) -> Sample:
    """Runs a command of the site, as a user does."""
    return program([sys.executable, "manage.py", *arguments], environment)


def module(environment: Mapping[str, str], name: str, *arguments: str) -> dict[str, Any]:
    """Runs a module of this package; it prints its figures as JSON, in its last line."""
    sample = program([sys.executable, "-m", f"tests.benchmarks.{name}", *arguments], environment)
    figures: dict[str, Any] = json.loads(sample.text.splitlines()[-1])
    return figures | {"peak_mb": sample.peak_mb}


def side(environment: Mapping[str, str], name: str, *arguments: str) -> Sample:
    """Runs a module that tells its own `seconds`, start-up taken off."""
    figures = module(environment, name, *arguments)
    return Sample(seconds=figures["seconds"], peak_mb=figures["peak_mb"], text=json.dumps(figures))


def in_turns(sides: Mapping[str, Callable[[], Sample]]) -> dict[str, Measured]:
    """Measures sides by turns: what else the machine does hits all of them."""
    first = {name: take() for name, take in sides.items()}
    taken: dict[str, list[Sample]] = {
        name: [sample] if sample.seconds > SLOW_SECONDS else [] for name, sample in first.items()
    }
    rounds = {name: rounds_for(sample) for name, sample in first.items()}
    for _ in range(max(rounds.values())):
        for name, take in sides.items():
            if len(taken[name]) < rounds[name]:
                taken[name].append(take())
    return {name: median(samples) for name, samples in taken.items()}


def rounds_for(first: Sample) -> int:
    """How often a side is run whose first run was this one."""
    if first.seconds > SLOW_SECONDS:
        return SLOW_ROUNDS
    return QUICK_ROUNDS if first.seconds < QUICK_SECONDS else ROUNDS


def median(samples: list[Sample]) -> Measured:
    """The median time, and the highest peak."""
    return Measured(
        seconds=statistics.median(one.seconds for one in samples),
        peak_mb=max(one.peak_mb for one in samples),
        runs=len(samples),
    )
