"""Every line of the JSON log: its event name, its level and its fields, with a JSON Schema for each.

`docs/reference/json-log.md` is made from this module.
A new field may join a line within one version of `SCHEMA`; a changed or dropped one makes a new version.
"""

from types import UnionType
from typing import Any, ClassVar, dataclass_transform, get_args, get_origin, get_type_hints

SCHEMA = "media-auditor/1"
LINES: dict[str, type["LogLine"]] = {}
REQUIRED = object()  # the default of a field that has none


@dataclass_transform(kw_only_default=True)
class LogLine:
    """One line of the JSON log, whose fields are what its class annotates.

    To a type checker it is a dataclass; to make a real one of each kind would take 30 ms of every command.
    """

    event: ClassVar[str] = ""
    level: ClassVar[str] = "info"
    defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        LINES[cls.event] = cls
        kinds: dict[str, Any] = {name: get_origin(hint) for name, hint in cls.__annotations__.items()}
        cls.defaults = {name: getattr(cls, name, REQUIRED) for name, kind in kinds.items() if kind is not ClassVar}

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(self.defaults, **values)
        wrong = [name for name, value in vars(self).items() if value is REQUIRED or name not in self.defaults]
        if wrong:
            raise TypeError(f"{type(self).__name__} lacks, or does not know: {', '.join(wrong)}")


class RunStarted(LogLine):
    """A command began."""

    event: ClassVar[str] = "run.started"
    command: str
    version: str
    database: str
    dry_run: bool


class RouteChosen(LogLine):
    """Where the answer for one root comes from, and for a scan why; times are ISO 8601 in UTC."""

    event: ClassVar[str] = "route.chosen"
    root: str
    route: str
    reason: str
    fields: list[str]
    covered_until: str | None = None
    blind_since: str | None = None
    blind_until: str | None = None
    deletions: int | None = None


class OrphanFound(LogLine):
    """A record's primary file is not there; `named` says whether a person named its model for deletion."""

    event: ClassVar[str] = "orphan.found"
    model: str
    key: str
    field: str
    path: str
    group: str
    named: bool
    fate: str | None = None
    moved_to: str | None = None
    evidence: str | None = None
    missing_seconds: int | None = None
    reason: str | None = None


class CascadePlanned(LogLine):
    """What the deletion takes along, as {"app.Model": rows}, and empties, as {"app.Model.field": rows}."""

    event: ClassVar[str] = "cascade.planned"
    taken: dict[str, int]
    emptied: dict[str, int]


class LimitExceeded(LogLine):
    """More orphans than AUDITOR_MAX_ORPHANS or --max-orphans allows; an empty `model` stands for all together."""

    event: ClassVar[str] = "limit.exceeded"
    level: ClassVar[str] = "warning"
    model: str
    orphans: int
    total: int
    limit: str


class LossAcknowledged(LogLine):
    """A person knows that this file is gone; its record stays, and is not reported again."""

    event: ClassVar[str] = "loss.acknowledged"
    model: str
    key: str
    field: str
    path: str
    acknowledged_at: str
    user: str


class DerivedMissing(LogLine):
    """A derived file, such as a thumbnail, is not there; its record stays."""

    event: ClassVar[str] = "derived.missing"
    model: str
    field: str
    missing: int


class NameUnknown(LogLine):
    """Nobody can say whether the file is there; its record stays."""

    event: ClassVar[str] = "name.unknown"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    field: str
    path: str
    reason: str


class RecordDeleted(LogLine):
    """A record was deleted, and the transaction is committed; `position` is its event in the audit log."""

    event: ClassVar[str] = "record.deleted"
    model: str
    key: str
    field: str
    path: str
    position: int


class RecordRelinked(LogLine):
    """A record was pointed at `to`, where its file was found, and the transaction is committed."""

    event: ClassVar[str] = "record.relinked"
    model: str
    key: str
    field: str
    path: str
    to: str
    evidence: str
    position: int


class RecordKept(LogLine):
    """A record of the plan was not deleted after all."""

    event: ClassVar[str] = "record.kept"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    field: str
    path: str
    reason: str


class RunCompleted(LogLine):
    """A command reached its end; counts are {"app.Model": count}, `orphans_total` those the report is about."""

    event: ClassVar[str] = "run.completed"
    command: str
    dry_run: bool
    exit_code: int
    duration_ms: int
    checked: dict[str, int]
    orphans: dict[str, int]
    deleted: dict[str, int]
    kept: dict[str, int]
    orphans_total: int
    deleted_total: int
    kept_total: int
    unknown_total: int
    derived_missing_total: int
    relinked_total: int = 0
    acknowledged_total: int = 0
    unselected_total: int = 0
    limit_exceeded: bool = False


class RunListed(LogLine):
    """A run of which something can be brought back: how many records, and how many rows in all."""

    event: ClassVar[str] = "run.listed"
    listed: str
    command: str
    user: str
    finished_at: str
    records: int
    rows: int
    erased: int


class RestorePlanned(LogLine):
    """What a restore of the run `restored_run` would bring back: records, rows along, and keys that are set again."""

    event: ClassVar[str] = "restore.planned"
    restored_run: str
    records: dict[str, int]
    along: dict[str, int]
    keys: dict[str, int]
    away_total: int
    conflicts_total: int


class RecordRestorable(LogLine):
    """A record would come back."""

    event: ClassVar[str] = "record.restorable"
    model: str
    key: str
    field: str
    path: str


class RestoreAway(LogLine):
    """A record stays away."""

    event: ClassVar[str] = "restore.away"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    reason: str


class RestoreConflict(LogLine):
    """A row cannot be brought back as it was; `is_mended` if it can with a new column's default."""

    event: ClassVar[str] = "restore.conflict"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    clash: str
    reason: str
    is_mended: bool


class RecordRestored(LogLine):
    """A record is back, and the transaction is committed; `position` is its event in the audit log."""

    event: ClassVar[str] = "record.restored"
    model: str
    key: str
    field: str
    path: str
    position: int


class RestoreCompleted(LogLine):
    """A restore, or an erasing, reached its end; `keys` were set again, `keys_left` stay as they are now."""

    event: ClassVar[str] = "restore.completed"
    command: str
    dry_run: bool
    exit_code: int
    duration_ms: int
    restored: dict[str, int]
    along: dict[str, int]
    keys: dict[str, int]
    keys_left: int
    away_total: int
    conflicts_total: int
    erased_total: int


class RunFailed(LogLine):
    """A command ended early; the message says what had been done."""

    event: ClassVar[str] = "run.failed"
    level: ClassVar[str] = "error"
    command: str
    message: str
    hint: str
    exit_code: int


class LogLost(LogLine):
    """Another stream of this JSON log cannot be written any more."""

    event: ClassVar[str] = "log.lost"
    level: ClassVar[str] = "error"
    error: str


class WatcherStarted(LogLine):
    """The watcher began to look after its roots."""

    event: ClassVar[str] = "watcher.started"
    version: str
    database: str
    roots: list[str]


class WatcherStopped(LogLine):
    """The watcher left; a span that could not be closed, with the database away, is closed by the next start."""

    event: ClassVar[str] = "watcher.stopped"
    reason: str
    events: int


class WatcherFailed(LogLine):
    """The watcher cannot go on."""

    event: ClassVar[str] = "watcher.failed"
    level: ClassVar[str] = "error"
    message: str
    hint: str
    exit_code: int


class RootWaiting(LogLine):
    """A root cannot be vouched for now; the watcher tries again."""

    event: ClassVar[str] = "root.waiting"
    level: ClassVar[str] = "warning"
    root: str
    reason: str
    detail: str


class RootRegistered(LogLine):
    """From now on this folder is the one that the database knows; without a `marker`, by its device and inode."""

    event: ClassVar[str] = "root.registered"
    root: str
    registration: str
    mounts: list[str]
    forgotten: list[str]
    marker: str | None = None


class JournalSeen(LogLine):
    """A column's triggers are `in_place`, `missing` or `impossible`; `unchecked` references are in the journal."""

    event: ClassVar[str] = "journal.seen"
    field: str
    triggers: str
    reason: str
    unchecked: int
    candidates: int


class JournalRemoved(LogLine):
    """The triggers of the reference journal are gone, and so is what was in it."""

    event: ClassVar[str] = "journal.removed"
    triggers: int


class ObserverChosen(LogLine):
    """How a root is listened to; `polling` means that its watermark is the last complete look at it."""

    event: ClassVar[str] = "observer.chosen"
    root: str
    observer: str
    reason: str


class SpanOpened(LogLine):
    """Every directory of the root is watched."""

    event: ClassVar[str] = "span.opened"
    root: str
    span: str
    directories: int


class SpanClosed(LogLine):
    """Nobody vouches for the root after `covered_until`."""

    event: ClassVar[str] = "span.closed"
    level: ClassVar[str] = "warning"
    root: str
    span: str
    covered_until: str
    reason: str
    detail: str


class CheckpointCompleted(LogLine):
    """References and disk were compared inside the open span."""

    event: ClassVar[str] = "checkpoint.completed"
    root: str
    span: str
    position: int
    references: int
    missing: int
    duration_ms: int


class RecordOrphaned(LogLine):
    """A record's primary file is gone, or never came; a loss that is told twice has the same `candidate` twice."""

    event: ClassVar[str] = "record.orphaned"
    level: ClassVar[str] = "warning"
    root: str
    model: str
    key: str
    field: str
    path: str
    group: str
    named: bool
    candidate: int
    moved_to: str | None = None


class JournalFailed(LogLine):
    """The triggers that journal what is written cannot be made; what they would cover is scanned instead."""

    event: ClassVar[str] = "journal.failed"
    level: ClassVar[str] = "warning"
    root: str
    error: str


class BatchAppended(LogLine):
    """Events were committed; keep the seal, and a log rewritten later can be told."""

    event: ClassVar[str] = "batch.appended"
    root: str
    batch: int
    first_position: int
    count: int
    seal: str


class AppendRetried(LogLine):
    """The database failed; `count` events wait in the spool of this machine, and it is tried again."""

    event: ClassVar[str] = "append.retried"
    level: ClassVar[str] = "warning"
    root: str
    count: int
    error: str


class SpoolReplayed(LogLine):
    """The database has taken all that waited in the spool."""

    event: ClassVar[str] = "spool.replayed"
    root: str
    count: int


class SpoolBroken(LogLine):
    """The spool could not be read; it was kept under another name, and what it held is not in the audit log."""

    event: ClassVar[str] = "spool.broken"
    level: ClassVar[str] = "warning"
    root: str
    moved_to: str


class ReportFailed(LogLine):
    """The health file, or systemd, could not be told how the watcher is; the watching goes on."""

    event: ClassVar[str] = "report.failed"
    level: ClassVar[str] = "warning"
    error: str


ENVELOPE: dict[str, Any] = {
    "timestamp": {"type": "string", "format": "date-time"},
    "level": {"enum": ["info", "warning", "error"]},
    "schema": {"const": SCHEMA},
    "run_id": {"type": "string", "format": "uuid"},
}
OPTIONAL: dict[str, Any] = {
    "path_b64": {"type": "string", "contentEncoding": "base64"},
    "cut": {"const": True},
}
PLAIN_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**53},
    type(None): {"type": "null"},
}


def json_schema(kind: type[LogLine]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of line."""
    hints = get_type_hints(kind)
    own = {name: _type_schema(hints[name]) for name in kind.defaults}
    required = [name for name, default in kind.defaults.items() if default is REQUIRED]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:media-auditor:log:{kind.event}:1",
        "description": kind.__doc__,
        "type": "object",
        "properties": {**ENVELOPE, "event": {"const": kind.event}, **own, **OPTIONAL},
        "required": [*ENVELOPE, "event", *required],
        "additionalProperties": False,
    }


def _type_schema(hint: Any) -> dict[str, Any]:
    if isinstance(hint, UnionType):
        return {"anyOf": [_type_schema(part) for part in get_args(hint)]}
    if get_origin(hint) is list:
        return {"type": "array", "items": _type_schema(get_args(hint)[0])}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _type_schema(get_args(hint)[1])}
    return dict(PLAIN_TYPES[hint])
