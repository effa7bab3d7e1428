"""Every line of the JSON log: its event name, its level and its fields, with a JSON Schema for each.

`docs/reference/json-log.md` is made from this module.
A new field may join a line within one version of `SCHEMA`; a changed or dropped one makes a new version.
"""

from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

SCHEMA = "media-auditor/1"
LINES: dict[str, type["LogLine"]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the JSON log."""

    event: ClassVar[str] = ""
    level: ClassVar[str] = "info"

    def __init_subclass__(cls) -> None:
        LINES[cls.event] = cls  # slots=True makes the class twice: the later one is the one in use


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(LogLine):
    """A command began."""

    event: ClassVar[str] = "run.started"
    command: str
    version: str
    database: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanFound(LogLine):
    """A record's primary file is not there; `named` says whether a person named its model for deletion."""

    event: ClassVar[str] = "orphan.found"
    model: str
    key: str
    field: str
    path: str
    group: str
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedMissing(LogLine):
    """A derived file, such as a thumbnail, is not there; its record stays."""

    event: ClassVar[str] = "derived.missing"
    model: str
    field: str
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUnknown(LogLine):
    """Nobody can say whether the file is there; its record stays."""

    event: ClassVar[str] = "name.unknown"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    field: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeleted(LogLine):
    """A record was deleted, and the transaction is committed; `position` is its event in the audit log."""

    event: ClassVar[str] = "record.deleted"
    model: str
    key: str
    field: str
    path: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKept(LogLine):
    """A record of the plan was not deleted after all."""

    event: ClassVar[str] = "record.kept"
    level: ClassVar[str] = "warning"
    model: str
    key: str
    field: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(LogLine):
    """A command ended early; the message says what had been done."""

    event: ClassVar[str] = "run.failed"
    level: ClassVar[str] = "error"
    command: str
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLost(LogLine):
    """Another stream of this JSON log cannot be written any more."""

    event: ClassVar[str] = "log.lost"
    level: ClassVar[str] = "error"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStarted(LogLine):
    """The watcher began to look after its roots."""

    event: ClassVar[str] = "watcher.started"
    version: str
    database: str
    roots: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStopped(LogLine):
    """The watcher left; a span that could not be closed, with the database away, is closed by the next start."""

    event: ClassVar[str] = "watcher.stopped"
    reason: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherFailed(LogLine):
    """The watcher cannot go on."""

    event: ClassVar[str] = "watcher.failed"
    level: ClassVar[str] = "error"
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RootWaiting(LogLine):
    """A root cannot be vouched for now; the watcher tries again."""

    event: ClassVar[str] = "root.waiting"
    level: ClassVar[str] = "warning"
    root: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRegistered(LogLine):
    """From now on this folder is the one that the database knows; without a `marker`, by its device and inode."""

    event: ClassVar[str] = "root.registered"
    root: str
    registration: str
    mounts: list[str]
    forgotten: list[str]
    marker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverChosen(LogLine):
    """How a root is listened to; `polling` means that its watermark is the last complete look at it."""

    event: ClassVar[str] = "observer.chosen"
    root: str
    observer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanOpened(LogLine):
    """Every directory of the root is watched."""

    event: ClassVar[str] = "span.opened"
    root: str
    span: str
    directories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanClosed(LogLine):
    """Nobody vouches for the root after `covered_until`."""

    event: ClassVar[str] = "span.closed"
    level: ClassVar[str] = "warning"
    root: str
    span: str
    covered_until: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointCompleted(LogLine):
    """References and disk were compared inside the open span."""

    event: ClassVar[str] = "checkpoint.completed"
    root: str
    span: str
    position: int
    references: int
    missing: int
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAppended(LogLine):
    """Events were committed; keep the seal, and a log rewritten later can be told."""

    event: ClassVar[str] = "batch.appended"
    root: str
    batch: int
    first_position: int
    count: int
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendRetried(LogLine):
    """The database failed; `count` events wait in the spool of this machine, and it is tried again."""

    event: ClassVar[str] = "append.retried"
    level: ClassVar[str] = "warning"
    root: str
    count: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolReplayed(LogLine):
    """The database has taken all that waited in the spool."""

    event: ClassVar[str] = "spool.replayed"
    root: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolBroken(LogLine):
    """The spool could not be read; it was kept under another name, and what it held is not in the audit log."""

    event: ClassVar[str] = "spool.broken"
    level: ClassVar[str] = "warning"
    root: str
    moved_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
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
    own = {field.name: _type_schema(hints[field.name]) for field in fields(kind)}
    required = [field.name for field in fields(kind) if field.default is MISSING]
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
