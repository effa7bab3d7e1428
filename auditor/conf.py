"""The settings: their names, types and defaults, read when they are needed."""

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

ALL = (MODELS, FRESHNESS_SECONDS, WATERMARK_SECONDS, CHECKPOINT_HOURS, QUEUE_LIMIT)


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
