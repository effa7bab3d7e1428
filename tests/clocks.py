"""Clocks that a test sets, in the place of the database's and the machine's."""

from datetime import UTC, datetime, timedelta

from auditor.auditlog import clocks, store
from auditor.auditlog.elapsed import Clocks

START = datetime(2026, 3, 1, 10, 2, 11, tzinfo=UTC)
DAY = 86_400.0


class SetClocks:
    """A wall clock and the uptime of one machine, read as the real ones are."""

    def __init__(self) -> None:
        self.wall = START
        self.boot = "first start"
        self.up_seconds = 1_000.0

    def __call__(self, using: str) -> Clocks:
        return Clocks(read_at=self.wall, boot=self.boot, uptime_ms=round(self.up_seconds * 1_000))

    def let_pass(self, seconds: float) -> None:
        """Time passes, and both clocks show it."""
        self.set_wall(seconds)
        self.up_seconds += seconds

    def set_wall(self, seconds: float) -> None:
        """Somebody moves the hands of the wall clock, forwards or backwards."""
        self.wall += timedelta(seconds=seconds)

    def reboot(self, boot: str, up_for: float = 0.0) -> None:
        """The machine starts again, or another one is asked, which has been up for longer."""
        self.boot, self.up_seconds = boot, up_for

    def keep(self) -> None:
        """Keeps a reading, as the watcher does beside its watermark."""
        clocks.keep_reading(store.head_position("default"), self("default"), using="default")
