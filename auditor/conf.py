"""The settings: their names, types and defaults, read when they are needed."""

import os
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the host project; `kind` is what its value must be, `at_least` its smallest value."""

    name: str
    kind: Any
    default: Any
    words: str
    at_least: float | None = None

    def value(self) -> Any:
        """The project's value, or the default where it has none."""
        return getattr(settings, self.name, self.default)

    def fault(self) -> str | None:
        """What is wrong with the project's value, or None."""
        value: Any = self.value()
        if isinstance(value, bool) or not isinstance(value, self.kind):
            return f"{self.name} must be {self.words}, not {value!r}"
        if self.at_least is not None and value < self.at_least:
            return f"{self.name} must be at least {self.at_least}, not {value!r}"
        return None


MODELS = Setting("AUDITOR_MODELS", (list, tuple), (), "a list of model names such as 'gallery.Photo'")
FRESHNESS_SECONDS = Setting("AUDITOR_FRESHNESS_SECONDS", (int, float), 30.0, "a number of seconds", 1)
WATERMARK_SECONDS = Setting("AUDITOR_WATERMARK_SECONDS", (int, float), 2.0, "a number of seconds", 0.1)
CHECKPOINT_HOURS = Setting("AUDITOR_CHECKPOINT_HOURS", (int, float), 24.0, "a number of hours", 0.01)
QUEUE_LIMIT = Setting("AUDITOR_QUEUE_LIMIT", int, 500_000, "a number of notices held in memory", 1_000)
IGNORE = Setting("AUDITOR_IGNORE", (list, tuple), ("**/lost+found",), "a list of patterns such as '**/*.tmp'")
POLL_SECONDS = Setting("AUDITOR_POLL_SECONDS", (int, float), 20.0, "a number of seconds", 0.1)
STALL_SECONDS = Setting("AUDITOR_STALL_SECONDS", (int, float), 60.0, "a number of seconds", 5)
STATE_DIR = Setting("AUDITOR_STATE_DIR", str, "", "the path of a folder")
SPOOL_MEGABYTES = Setting("AUDITOR_SPOOL_MEGABYTES", int, 1_024, "a number of megabytes", 1)

ALL = (
    MODELS,
    FRESHNESS_SECONDS,
    WATERMARK_SECONDS,
    CHECKPOINT_HOURS,
    QUEUE_LIMIT,
    IGNORE,
    POLL_SECONDS,
    STALL_SECONDS,
    STATE_DIR,
    SPOOL_MEGABYTES,
)


def named_models() -> tuple[str, ...]:
    """The models whose records may be deleted, as 'app.Model'."""
    return tuple(MODELS.value())


def freshness_seconds() -> float:
    """How old the watermark may be for the audit log to be believed."""
    return float(FRESHNESS_SECONDS.value())


def watermark_seconds() -> float:
    """How often the watcher proves that it still hears."""
    return float(WATERMARK_SECONDS.value())


def checkpoint_hours() -> float:
    """How often the watcher compares everything again, as a safety net."""
    return float(CHECKPOINT_HOURS.value())


def queue_limit() -> int:
    """How many notices the watcher holds in memory before it gives up its span."""
    return int(QUEUE_LIMIT.value())


def ignored_patterns() -> tuple[str, ...]:
    """What the watcher does not listen to: patterns for whole paths, as watchdog's handlers match them."""
    return tuple(IGNORE.value())


def poll_seconds() -> float:
    """How long the watcher rests between two looks at a folder of which the kernel does not tell."""
    return float(POLL_SECONDS.value())


def stall_seconds() -> float:
    """How long the watcher may be held up before it ends, for its supervisor to start it again."""
    return float(STALL_SECONDS.value())


def state_dir() -> str:
    """The folder in which the watcher keeps what must outlive it; the default is that of systemd, else of the user."""
    chosen = str(STATE_DIR.value()) or os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.abspath(chosen or os.path.join(home, "media-auditor"))


def spool_bytes() -> int:
    """How large the watcher's spool may grow while the database is away."""
    return int(SPOOL_MEGABYTES.value()) * 1_000_000
