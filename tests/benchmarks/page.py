"""The page in `docs/` with the table of what was measured last, and the machine that it ran on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.cases import CASES, EVERYTHING, groups
from tests.benchmarks.databases import ask
from tests.benchmarks.measuring import PROJECT, NotMeasuredError
from tests.benchmarks.table import COLUMNS, FIXED, Table, markdown

HEADING = ("what", "---")
PAGE = Path("docs/reference/benchmarks.md")
ABOUT = """# Benchmarks

<!-- Made by `make bench`, and by nothing else: these figures are of one machine and one moment. -->

`make bench` measures all of this anew and writes this page.
`make bench SIZES="10000 100000" ONLY=scan` measures a part of it, and writes the rows of that part.

## The machine

{machine}

## How it is measured

- Every side runs in a process of its own, on a warm cache; the sides of a comparison take turns.
- `seconds` is the median of all runs after one more, the warm-up.
  There are five of them, and fifteen of what takes less than 1 s.
  What takes longer than 5 s is run three times, the first one included.
- Rows may be of different runs: each run writes its own.
- The peak is that of the largest process of a side, in all its runs, as `getrusage` tells it.
- A command is measured whole, as a user runs it, with `--log-format none`.
  The time of `manage.py check` is subtracted from it, and stands under `start-up`.
- The loops time themselves when Django is set up and connected, and the limits when their Python has started.
- One limit is `find -type f` and the bare column, each through `sort`, into `comm`, all of them at work at once.
  The other one is `find`, then the bare column, then the difference of two sets in Python.
- A library lacks 1 % of its files.
  For the log route it lacks what was deleted with `rm` since the checkpoint, and nothing else.
- The ratio of the log route is that of the whole commands, start-up included; so is the growth for 571 deletions.
- `growth` is how many times the time of the next smaller library it took.
- Without the journal means: with its triggers removed.
- A log has ten times as many events as a library has files, a thousand of them to a folder.
  What reads all of it (`verify`, `export`, `prune`) is run once.
- "All gone" is run once, in a media folder that holds nothing but its marker.
- The watcher, plain watchdog and inotifywait each listen to a new tree.
  A deletion is known to the watcher when another connection sees it in the database, to the others when they tell it.

## The table

{table}
"""


def write(table: Table) -> None:
    """Writes the page with what was measured, and all other rows as they were."""
    path = PROJECT / PAGE
    measured = {known_by(cells): cells for cells in table.all_cells()}
    known = [cells for cells in map(cells_of, renewed(path.read_text(encoding="utf-8")).splitlines()) if cells]
    lines = [markdown(measured.get(known_by(cells), cells)) for cells in known if cells["what"] not in HEADING]
    path.write_text(text(machine(), lines), encoding="utf-8")


def text(facts: list[str], lines: list[str]) -> str:
    """The page with these facts of the machine, and these lines in its table."""
    return ABOUT.format(
        machine="\n".join(f"- {fact}" for fact in facts),
        table="\n".join([markdown(dict(zip(COLUMNS, COLUMNS, strict=True))), "| --- " * len(COLUMNS) + "|", *lines]),
    )


def renewed(page: str) -> str:
    """The page as the code would write it today, with the machine and the figures that it has now.

    Rows that the page does not have yet are not measured.
    """
    _, _, below = page.partition("## The machine\n\n")
    facts = [line.removeprefix("- ") for line in below.partition("\n\n")[0].splitlines()]
    measured = {known_by(cells): markdown(cells) for cells in map(cells_of, page.splitlines()) if cells}
    rows = (row for group in groups(list(CASES), EVERYTHING) for row in group.rows)
    blank = Table()
    expected = [blank.cells(row, "no full run yet") for row in rows]
    return text(facts, [measured.get(known_by(cells)) or markdown(cells) for cells in expected])


def cells_of(line: str) -> dict[str, str]:
    """The cells of a line of the table; nothing for any other line."""
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    return dict(zip(COLUMNS, cells, strict=True)) if len(cells) == len(COLUMNS) else {}


def known_by(cells: dict[str, str]) -> tuple[str, ...]:
    """What tells a row from all others."""
    return tuple(cells[column] for column in FIXED)


def machine() -> list[str]:
    """What the figures depend on, a fact to a line."""
    import sqlite3

    return [
        f"{cpu()}, {os.cpu_count()} cores, {memory_gb():.0f} GB",
        f"Linux {platform.release()}, {file_system()}",
        f"Python {platform.python_version()}, Django {version('django')}, watchdog {version('watchdog')}",
        f"SQLite {sqlite3.sqlite_version}, {postgresql()}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    ]


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def file_system() -> str:
    asked = ["df", "--output=fstype", str(PROJECT)]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[-1]


def postgresql() -> str:
    try:
        return f"PostgreSQL {ask('SHOW server_version')[0][0]}"
    except NotMeasuredError:
        return "no PostgreSQL"
