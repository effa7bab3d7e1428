"""The table of faults: how soon each was noticed, how soon the log could answer again, and what was lost."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HEAD = (
    "| fault | noticed after | covered again after | lost with a gap | lost without a gap | invented |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: |\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault; times in seconds, `noticed_after` is None where no span had to be closed."""

    fault: str
    noticed_after: float | None
    covered_after: float
    lost_in_gaps: int
    lost: int
    invented: int

    def __str__(self) -> str:
        noticed = "no gap" if self.noticed_after is None else f"{self.noticed_after:.1f} s"
        cells = (self.fault, noticed, f"{self.covered_after:.1f} s", self.lost_in_gaps, self.lost, self.invented)
        return f"| {' | '.join(str(cell) for cell in cells)} |\n"


ROWS: list[Row] = []


def write(path: Path) -> None:
    """Adds the rows of this process to a Markdown table, which is begun if it is not there."""
    with suppress(FileExistsError), path.open("x") as begun:
        begun.write(HEAD)
    with path.open("a") as going_on:
        going_on.write("".join(str(row) for row in ROWS))
