"""The lines of the JSON log with which `audit_log` answers; see `auditor.catalogue`."""

from typing import ClassVar

from auditor.catalogue import LogLine


class LifeTold(LogLine):
    """One thing that the log tells of a file, or of a record (`model` and `key`)."""

    event: ClassVar[str] = "life.told"
    root: str | None = None
    path: str | None = None
    model: str | None = None
    key: str | None = None
    position: int | None = None
    occurred_at: str
    text: str


class LifeSeen(LogLine):
    """How a file is now, by records and disk; of the events up to `archived_until`, only the kept ones were told."""

    event: ClassVar[str] = "life.seen"
    root: str
    path: str
    is_known: bool
    records: list[str]
    verdict: str | None = None
    reason: str | None = None
    archived_until: int | None = None


class IntervalListed(LogLine):
    """A time in which a root was covered, or was not; the reason is that of `span.closed`, or `stale`."""

    event: ClassVar[str] = "interval.listed"
    root: str
    is_covered: bool
    since: str
    until: str
    is_now: bool
    reason: str | None = None
    detail: str | None = None


class EventListed(LogLine):
    """An event of the audit log; `data` is the rest of it as JSON text, and `run` the run that wrote it."""

    event: ClassVar[str] = "event.listed"
    position: int
    type: str
    root: str | None = None
    path: str
    occurred_at: str
    run: str | None = None
    data: str


class ListingStopped(LogLine):
    """Where a listing ended without having shown all; `--before` with this position goes on."""

    event: ClassVar[str] = "listing.stopped"
    before: int


class RunSeen(LogLine):
    """A run that changed something, and how much; not complete if it has not written that it reached its end."""

    event: ClassVar[str] = "run.seen"
    seen: str
    command: str
    user: str
    finished_at: str
    is_complete: bool
    counts: dict[str, int]


class LogMeasured(LogLine):
    """The figures of the log: `sizes` in bytes, `days` as events by day; `kept` up to `archived_until`."""

    event: ClassVar[str] = "log.measured"
    events: int
    batches: int
    first_position: int
    archived_until: int = 0
    kept: int = 0
    oldest: str | None = None
    newest: str | None = None
    sizes: dict[str, int]
    days: dict[str, int]


class LogVerified(LogLine):
    """The log is as it was written, behind `since_batch` up to `batch`, and sealed with a key since `keyed_since`."""

    event: ClassVar[str] = "log.verified"
    since_batch: int
    batch: int
    position: int
    seal: str
    anchors: int
    archived_until: int = 0
    segments: int = 0
    keyed_since: int | None = None


class ArchiveNamed(LogLine):
    """Older events, up to the position `until`, may be in the segments of the archive alone; this is the newest."""

    event: ClassVar[str] = "archive.named"
    until: int
    segment: str


class LogPruned(LogLine):
    """Events up to `until` were archived, and `removed` of them are only there now; a dry run has no segment."""

    event: ClassVar[str] = "log.pruned"
    until: int
    batch: int
    seal: str
    archived: int
    removed: int
    kept: int
    segment: str
    sha256: str
    dry_run: bool


class ProjectionCompared(LogLine):
    """How a projection differed from the events; unless it was a dry run, it does not any more."""

    event: ClassVar[str] = "projection.compared"
    table: str
    lacking: int
    surplus: int
    wrong: int
    dry_run: bool
