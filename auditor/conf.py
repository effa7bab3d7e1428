"""The settings: their names, types and defaults, read when they are needed."""

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings

from auditor import limits
from auditor.durations import seconds_of
from auditor.errors import AuditorError


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the host project; `kind` is what its value must be, `at_least` its smallest value.

    `reads` raises AuditorError or ValueError for what says nothing.
    """

    name: str
    kind: Any
    default: Any
    words: str
    at_least: float | None = None
    reads: Callable[..., object] | None = None

    def value(self) -> Any:
        """The project's value, or the default where it has none."""
        return getattr(settings, self.name, self.default)

    def fault(self) -> str | None:
        """What is wrong with the project's value, or None."""
        value: Any = self.value()
        if not isinstance(value, self.kind) or (isinstance(value, bool) and self.kind is not bool):
            return f"{self.name} must be {self.words}, not {value!r}"
        if self.at_least is not None and value < self.at_least:
            return f"{self.name} must be at least {self.at_least}, not {value!r}"
        return f"{self.name} must be {self.words}, not {value!r}" if self._is_unreadable(value) else None

    def _is_unreadable(self, value: Any) -> bool:
        try:
            if self.reads:
                self.reads(value)
        except (AuditorError, ValueError):
            return True
        return False


MOST_DAYS = 365_000  # a thousand years
DAYS = "a number of days, or 0 for ever"
PRESET_NAMES = ("compressor", "easy_thumbnails", "filer", "imagekit", "sorl", "stdimage", "versatileimagefield")


def texts_of(value: Iterable[object], *, of: str, among: Collection[str] = ()) -> tuple[str, ...]:
    """The texts of a list; ValueError for what is empty, no text, or none of those that it has to be among."""
    for one in value:
        if not isinstance(one, str) or not one.strip() or (among and one not in among):
            raise ValueError(f"{of}: {one!r}")
    return tuple(map(str, value))


def key_in(path: str) -> bytes | None:
    """The key that a file holds, or None for no path; raises AuditorError if there is none in it."""
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            key = file.read().strip()
    except OSError as error:
        raise AuditorError(
            f"The key of the seals in {path} cannot be read: {error.strerror}.",
            hint="Let this user read the file that AUDITOR_SEAL_KEY_FILE names.",
        ) from error
    if not key:
        raise AuditorError(f"There is no key in {path}.", hint="Make one, for instance with: openssl rand -hex 32")
    return key


def days_in(value: float) -> float:
    """A number of days that a clock can go back; ValueError for more, and for what is no number."""
    if not value <= MOST_DAYS:
        raise ValueError(f"{value!r} days")
    return float(value)


JSON_INTO = Setting("AUDITOR_JSON_INTO", str, "", "the path of a file")
MODELS = Setting("AUDITOR_MODELS", (list, tuple), (), "a list of model names such as 'gallery.Photo'")
MAX_ORPHANS = Setting(
    "AUDITOR_MAX_ORPHANS",
    (int, str, dict),
    "",
    "a number of records, a percentage such as '5%', or one of these for each model",
    reads=limits.limits_of,
)
MIN_AGE = Setting(
    "AUDITOR_MIN_AGE", str, "0", "a length of time such as '7d'", reads=partial(seconds_of, of="AUDITOR_MIN_AGE")
)
FRESHNESS_SECONDS = Setting("AUDITOR_FRESHNESS_SECONDS", (int, float), 30.0, "a number of seconds", 1)
WATERMARK_SECONDS = Setting("AUDITOR_WATERMARK_SECONDS", (int, float), 2.0, "a number of seconds", 0.1)
CHECKPOINT_HOURS = Setting("AUDITOR_CHECKPOINT_HOURS", (int, float), 24.0, "a number of hours", 0.01)
QUEUE_LIMIT = Setting("AUDITOR_QUEUE_LIMIT", int, 500_000, "a number of notices held in memory", 1_000)
IGNORE = Setting("AUDITOR_IGNORE", (list, tuple), ("**/lost+found",), "a list of patterns such as '**/*.tmp'")
POLL_SECONDS = Setting("AUDITOR_POLL_SECONDS", (int, float), 20.0, "a number of seconds", 0.1)
STALL_SECONDS = Setting("AUDITOR_STALL_SECONDS", (int, float), 60.0, "a number of seconds", 5)
STATE_DIR = Setting("AUDITOR_STATE_DIR", str, "", "the path of a folder")
SPOOL_MEGABYTES = Setting("AUDITOR_SPOOL_MEGABYTES", int, 1_024, "a number of megabytes", 1)
JOURNAL = Setting("AUDITOR_JOURNAL", bool, True, "True or False")
FINGERPRINTS = Setting("AUDITOR_FINGERPRINTS", bool, False, "True or False")
TOMBSTONE_DAYS = Setting("AUDITOR_TOMBSTONE_DAYS", (int, float), 0, DAYS, 0, days_in)
KEEP = Setting(
    "AUDITOR_KEEP",
    (list, tuple),
    (),
    "a list of patterns such as 'press/*'",
    reads=partial(texts_of, of="AUDITOR_KEEP"),
)
PRESETS = Setting(
    "AUDITOR_PRESETS",
    (list, tuple),
    (),
    f"a list with some of {', '.join(PRESET_NAMES)}",
    reads=partial(texts_of, of="AUDITOR_PRESETS", among=PRESET_NAMES),
)
UNUSED_MIN_AGE = Setting(
    "AUDITOR_UNUSED_MIN_AGE",
    str,
    "24h",
    "a length of time such as '24h'",
    reads=partial(seconds_of, of="AUDITOR_UNUSED_MIN_AGE"),
)
SEARCH_TEXTS = Setting("AUDITOR_SEARCH_TEXTS", bool, True, "True or False")
MAX_UNUSED = Setting(
    "AUDITOR_MAX_UNUSED", (int, str), "", "a number of files, or a percentage such as '5%'", reads=limits.limits_of
)
SEAL_KEY_FILE = Setting("AUDITOR_SEAL_KEY_FILE", str, "", "the path of a file that holds a key", reads=key_in)
RETENTION_DAYS = Setting("AUDITOR_RETENTION_DAYS", (int, float), 0, DAYS, 0, days_in)
ARCHIVE_DIR = Setting("AUDITOR_ARCHIVE_DIR", str, "", "the path of a folder")

ALL = (
    MODELS,
    MAX_ORPHANS,
    MIN_AGE,
    FRESHNESS_SECONDS,
    WATERMARK_SECONDS,
    CHECKPOINT_HOURS,
    QUEUE_LIMIT,
    IGNORE,
    POLL_SECONDS,
    STALL_SECONDS,
    STATE_DIR,
    SPOOL_MEGABYTES,
    JOURNAL,
    FINGERPRINTS,
    TOMBSTONE_DAYS,
    SEAL_KEY_FILE,
    JSON_INTO,
    KEEP,
    PRESETS,
    UNUSED_MIN_AGE,
    SEARCH_TEXTS,
    MAX_UNUSED,
    RETENTION_DAYS,
    ARCHIVE_DIR,
)


def named_models() -> tuple[str, ...]:
    """The models whose records may be deleted, as 'app.Model'."""
    return tuple(MODELS.value())


def max_orphans() -> limits.Limits:
    """Above how many orphans nothing at all is deleted; ValueError where the setting cannot be understood."""
    return limits.limits_of(MAX_ORPHANS.value())


def min_age_seconds() -> int:
    """How long a file must have been missing before its record may be deleted."""
    return seconds_of(str(MIN_AGE.value()), of=MIN_AGE.name)


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


def keeps_journal() -> bool:
    """Whether triggers on the audited tables write down which references have changed."""
    return bool(JOURNAL.value())


def keeps_fingerprints() -> bool:
    """Whether a census writes down the size and inode of every referenced file."""
    return bool(FINGERPRINTS.value())


def tombstone_days() -> float:
    """For how many days what is kept of a deleted row can be brought back; 0 is for ever."""
    return float(TOMBSTONE_DAYS.value())


def kept_patterns() -> tuple[str, ...]:
    """Which files are never called unused: patterns for names below a media folder."""
    return tuple(KEEP.value())


def presets() -> tuple[str, ...]:
    """The apps whose derived files stay, besides those that are installed."""
    return tuple(PRESETS.value())


def unused_min_age() -> str:
    """How old a file must be that no record names, as it is written."""
    return str(UNUSED_MIN_AGE.value())


def searches_texts() -> bool:
    """Whether the names of unused files are looked for in all texts of the databases."""
    return bool(SEARCH_TEXTS.value())


def max_unused() -> limits.Limit | None:
    """Above how many unused files nothing is moved; ValueError where the setting cannot be understood."""
    return limits.limits_of(MAX_UNUSED.value()).run


def json_into() -> str:
    """The file to which every command appends its JSON lines, or an empty text."""
    return str(JSON_INTO.value())


def seal_key() -> bytes | None:
    """The key with which batches are sealed, or None; raises AuditorError if its file cannot be read."""
    return key_in(str(SEAL_KEY_FILE.value()))


def retention_days() -> float:
    """For how many days events stay in the log if `audit_log prune` is not told otherwise; 0 is for ever."""
    return float(RETENTION_DAYS.value())


def archive_dir() -> str:
    """The folder in which `audit_log prune` archives what it removes; empty where none is chosen."""
    return str(ARCHIVE_DIR.value())
