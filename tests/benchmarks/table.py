"""The one table: what each row measures, its target, its figures, and whether the target was met."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

COLUMNS = (
    "what",
    "records",
    "layout",
    "database",
    "seconds",
    "start-up",
    "ratio",
    "to",
    "peak MB",
    "growth",
    "runs",
    "target",
    "result",
)
WIDTHS = (64, 9, 20, 10, 8, 8, 7, 22, 7, 7, 4, 26, 30)
FIXED = ("what", "records", "layout", "database", "to", "target")  # what is known before anything is measured
NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a row is to reach; None is not asked for. `growth` is from one size to the next."""

    ratio: float | None = None
    ratio_at_least: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
    growth: float | None = None
    lost: int | None = None

    def __str__(self) -> str:
        words = {
            "ratio": self.ratio and f"ratio ≤ {self.ratio:g}",
            "ratio_at_least": self.ratio_at_least and f"ratio ≥ {self.ratio_at_least:g}",
            "seconds": self.seconds and f"≤ {self.seconds:g} s",
            "peak_mb": self.peak_mb and f"≤ {self.peak_mb:,.0f} MB",
            "growth": self.growth and f"growth ≤ {self.growth:g}",
            "lost": None if self.lost is None else f"{self.lost} lost",
        }
        return ", ".join(word for word in words.values() if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured for a row: start-up is no part of `seconds`; `note` is for what has no column."""

    seconds: float
    start_up: float = 0.0
    ratio: float | None = None
    peak_mb: float | None = None
    runs: int = 1
    lost: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `to` names what the ratio compares with.

    `grows_whole`: the growth is that of the whole command, start-up included.
    """

    what: str
    size: int | None = None
    layout: str = ""
    database: str = ""
    to: str = ""
    target: Target | None = None
    grows_whole: bool = False

    def is_smaller(self, other: "Row") -> bool:
        """Whether this is the same measurement as the other, on fewer records."""
        same = (self.what, self.layout, self.database) == (other.what, other.layout, other.database)
        return same and self.size is not None and other.size is not None and self.size < other.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that are measured together; `measure` gives figures for each of them, in their order."""

    rows: tuple[Row, ...]
    measure: Callable[[], list[Figures]]


@dataclass(slots=True)
class Table:
    """The rows that were measured so far: (row, its figures, or why there are none)."""

    taken: list[tuple[Row, Figures | str]] = field(default_factory=list)

    def add(self, row: Row, figures: Figures | str) -> dict[str, str]:
        """Takes a row in; gives back its cells."""
        cells = self.cells(row, figures)
        self.taken.append((row, figures))
        return cells

    def all_cells(self) -> Iterator[dict[str, str]]:
        """The cells of every row."""
        return (self.cells(row, figures) for row, figures in self.taken)

    def cells(self, row: Row, figures: Figures | str) -> dict[str, str]:
        """One line of the table, as {column: text}."""
        if isinstance(figures, str):
            return dict.fromkeys(COLUMNS, NONE) | fixed_cells(row) | {"result": f"not measured: {figures}"}
        growth = self.growth(row, figures)
        return fixed_cells(row) | {
            "seconds": said(figures.seconds),
            "start-up": said(figures.start_up) if figures.start_up else NONE,
            "ratio": NONE if figures.ratio is None else f"{figures.ratio:.2f}",
            "peak MB": NONE if figures.peak_mb is None else f"{figures.peak_mb:,.0f}",
            "growth": NONE if growth is None else f"× {growth:.2f}",
            "runs": str(figures.runs),
            "result": "; ".join(filter(None, (verdict(row.target, figures, growth), figures.note))),
        }

    def growth(self, row: Row, figures: Figures) -> float | None:
        """How many times the time of the next smaller size this took."""
        smaller = [(one, its) for one, its in self.taken if one.is_smaller(row) and isinstance(its, Figures)]
        if not smaller:
            return None
        before = max(smaller, key=lambda pair: pair[0].size or 0)[1]
        if row.grows_whole:
            return (figures.seconds + figures.start_up) / (before.seconds + before.start_up)
        return figures.seconds / before.seconds if before.seconds > 0 else None

    def missed(self) -> int:
        """How many targets were missed."""
        return sum(cells["result"].startswith("missed") for cells in self.all_cells())


def fixed_cells(row: Row) -> dict[str, str]:
    """What a row says before anything is measured."""
    return {
        "what": row.what,
        "records": NONE if row.size is None else f"{row.size:,}",
        "layout": row.layout or NONE,
        "database": row.database or NONE,
        "to": row.to or NONE,
        "target": str(row.target or "") or NONE,
    }


def verdict(target: Target | None, figures: Figures, growth: float | None) -> str:
    """Whether the target was met; nothing where there is none, or nothing yet to hold against it."""
    if target is None:
        return ""
    most = (
        (figures.ratio, target.ratio),
        (figures.seconds, target.seconds),
        (figures.peak_mb, target.peak_mb),
        (growth, target.growth),
        (figures.lost, target.lost),
    )
    held = [value <= limit for value, limit in most if value is not None and limit is not None]
    if figures.ratio is not None and target.ratio_at_least is not None:
        held.append(figures.ratio >= target.ratio_at_least)
    if not held:
        return ""
    return "met" if all(held) else "missed"


def said(seconds: float) -> str:
    """Seconds with as many digits as mean something."""
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:,.2f}"


def line(cells: dict[str, str]) -> str:
    """A line for a terminal."""
    return " ".join(f"{cells[column]:<{width}}" for column, width in zip(COLUMNS, WIDTHS, strict=True)).rstrip()


def heading() -> str:
    """The first line for a terminal."""
    return line(dict(zip(COLUMNS, COLUMNS, strict=True)))


def markdown(cells: dict[str, str]) -> str:
    """A line of a table in Markdown."""
    return f"| {' | '.join(cells[column] for column in COLUMNS)} |"
