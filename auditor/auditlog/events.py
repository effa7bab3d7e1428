"""What can happen, as frozen values, and the form in which the log keeps it."""

from base64 import b64decode, b64encode
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from auditor.errors import AuditorError

LONGEST_PATH = 2_000  # bytes: PostgreSQL indexes nothing longer than 2,704

REGISTRY: dict[str, type["Event"]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """The columns of an event; `data` holds only text, whole numbers, booleans, lists and objects of these."""

    type: str
    version: int
    root: int | None
    path: str
    occurred_at: datetime
    run_id: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact. `path` is relative to the root; `path_bytes` is set where it is not the whole name in UTF-8."""

    type: ClassVar[str] = ""
    version: ClassVar[int] = 1

    occurred_at: datetime
    root: int | None = None
    path: str = ""
    path_bytes: bytes | None = None
    run_id: UUID | None = None

    def __init_subclass__(cls) -> None:
        # slots=True builds every class a second time: the later one, which instances have, wins.
        REGISTRY[cls.type] = cls


COLUMNS = frozenset(column.name for column in fields(StoredEvent)) | {"path_bytes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDeleted(Event):
    """A name was unlinked, or moved out of the root (`cause`: unlinked, moved_out, renamed, trashed, census).

    What a census finds vanished some time between `since`, in ISO 8601, and `occurred_at`; without `since`, it is
    not known that it was ever there.
    Trashed means moved into the trash by the run with `run_id`.
    """

    type: ClassVar[str] = "file.deleted"
    cause: str
    since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMoved(Event):
    """A name was renamed inside the root; the file is at `to`."""

    type: ClassVar[str] = "file.moved"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCreated(Event):
    """A name that was missing is there again."""

    type: ClassVar[str] = "file.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFound(Event):
    """A census saw the name on disk, after the log had reached position `as_of`."""

    type: ClassVar[str] = "file.found"
    as_of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryDeleted(Event):
    """A directory was removed, or moved out of the root, with all below it.

    `cause`: removed, moved_out, renamed (to a name that is not UTF-8), trashed.
    """

    type: ClassVar[str] = "directory.deleted"
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryMoved(Event):
    """A directory was renamed inside the root with all below it; it is at `to`."""

    type: ClassVar[str] = "directory.moved"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryFound(Event):
    """A census saw the directory on disk, after the log had reached `as_of`; its gaps are named one by one."""

    type: ClassVar[str] = "directory.found"
    as_of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanOpened(Event):
    """Every directory of the root is watched; `identity` is the root's device and inode."""

    type: ClassVar[str] = "span.opened"
    span: str
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanClosed(Event):
    """Nobody vouches for the root after `covered_until`, and why."""

    type: ClassVar[str] = "span.closed"
    span: str
    covered_until: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointCompleted(Event):
    """References and disk were compared: here, every referenced file that is missing is in the log.

    `compared`: {"app.Model.field": {"journal": str, "has_too_many_odd": bool}}; see `coverage.FieldSeen`.
    """

    type: ClassVar[str] = "checkpoint.completed"
    span: str
    compared: dict[str, Any]
    references: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeleted(Event):
    """A run deleted a record because the file at `path` was gone; its row is kept in the run's tombstones."""

    type: ClassVar[str] = "record.deleted"
    model: str
    key: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRelinked(Event):
    """A run pointed a record at `to`, where its file was found; before, the field held `path`."""

    type: ClassVar[str] = "record.relinked"
    model: str
    key: str
    field: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossAcknowledged(Event):
    """A person knows that the file at `path` is gone: the record stays, and is not reported again."""

    type: ClassVar[str] = "loss.acknowledged"
    model: str
    key: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRestored(Event):
    """A run brought back a record that the run `deleted_by` had deleted or relinked; `path` is its file's name."""

    type: ClassVar[str] = "record.restored"
    model: str
    key: str
    field: str
    deleted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TombstoneErased(Event):
    """What was kept of rows was erased for good; `tombstones` counts them: {"app.Model": count}."""

    type: ClassVar[str] = "tombstone.erased"
    deleted_by: str
    cause: str
    tombstones: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrashed(Event):
    """A run is moving a file that no record names into the trash, to `to`; it is told before it is done.

    `cause`: unused, or still_there where an earlier event said of what is in the trash that it was leaving it.
    """

    type: ClassVar[str] = "file.trashed"
    to: str
    size: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUntrashed(Event):
    """A file is at its own name, and not in the trash of the run `trashed_by`; a return is told before it is done.

    `cause`: restored (a person asked for it), named (a record names it after all), kept (it was not moved).
    """

    type: ClassVar[str] = "file.untrashed"
    trashed_by: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFreed(Event):
    """A run is removing a file for good from the trash of the run `trashed_by`; it is told before it is done."""

    type: ClassVar[str] = "file.freed"
    trashed_by: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCompleted(Event):
    """A run reached its end; {"app.Model": count} of what went, what went along, was relinked, and stayed.

    `emptied` counts the rows in which a key was set, by "app.Model.field"; of a restore, `restored` counts the
    records that came back, `cascade` what came with them, and `kept` what stayed away.
    Of a run that cleaned up files, `files` counts those that were trashed, untrashed and freed.
    `options` are those that the command was given, as a shell takes them.
    """

    type: ClassVar[str] = "run.completed"
    command: str
    deleted: dict[str, int]
    cascade: dict[str, int]
    kept: dict[str, int]
    emptied: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    relinked: dict[str, int] | None = None
    files: dict[str, int] | None = None
    options: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRefused(Event):
    """A run that would have changed something was not allowed to, for the disk or a limit forbade it.

    `exit_code`, `message` and `hint` are what its command ended with.
    """

    type: ClassVar[str] = "run.refused"
    command: str
    user: str
    options: str
    exit_code: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesDoubted(Event):
    """A run could not tell of some names whether their files are there, and kept the records that hold them.

    `records` counts them, {"app.Model": count}; `sample` are the first of them, each with its reason.
    """

    type: ClassVar[str] = "names.doubted"
    command: str
    user: str
    records: dict[str, int]
    sample: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPruned(Event):
    """Events up to the position `until`, that of the last event of `batch`, were archived and taken out of the table.

    The file `segment` with the SHA-256 `sha256` holds the `archived` events behind the prune before.
    `kept` events up to `until` are still in the table, with `kept_hash` over them; `seal` is that of `batch`.
    """

    type: ClassVar[str] = "log.pruned"
    until: int
    batch: int
    seal: str
    segment: str
    sha256: str
    archived: int
    kept: int
    kept_hash: str


def to_stored(event: Event) -> StoredEvent:
    """The stored form of an event."""
    data = {name: value for name in _data_of(event.type) if (value := getattr(event, name)) is not None}
    path, path_bytes = event.path, event.path_bytes
    if is_too_long(path):
        path, path_bytes = path[: LONGEST_PATH // 4], path_bytes or path.encode(errors="surrogatepass")
    if path_bytes is not None:
        data["path_b64"] = b64encode(path_bytes).decode()
    return StoredEvent(
        type=event.type,
        version=event.version,
        root=event.root,
        path=path,
        occurred_at=event.occurred_at,
        run_id=event.run_id,
        data=data,
    )


@cache
def _data_of(kind: str) -> tuple[str, ...]:
    return tuple(one.name for one in fields(REGISTRY[kind]) if one.name not in COLUMNS)


def from_stored(stored: StoredEvent) -> Event | None:
    """The event of a stored form, or None for a type that only a newer program knows.

    Raises AuditorError if its data are not those of its type.
    """
    kind = REGISTRY.get(stored.type)
    if kind is None:
        return None
    data = dict(stored.data)
    path_b64 = data.pop("path_b64", None)
    try:
        return kind(
            occurred_at=stored.occurred_at,
            root=stored.root,
            path=stored.path,
            path_bytes=b64decode(path_b64) if path_b64 else None,
            run_id=stored.run_id,
            **data,
        )
    except (TypeError, ValueError) as error:
        raise AuditorError(
            f"An event of the log, {stored.type} of {stored.path!r}, cannot be read: it was edited.",
            hint="Run: python manage.py audit_log verify --full",
        ) from error


def is_too_long(path: str) -> bool:
    """Whether a path is longer than the log's index takes: it is stored cut, with all its bytes beside it."""
    return len(path) > LONGEST_PATH // 4 and len(path.encode(errors="surrogatepass")) > LONGEST_PATH


def readable(path: bytes) -> tuple[str, bytes | None]:
    """A path from disk as text, and its bytes where the text cannot give them back.

    Bytes that are not UTF-8 become \\xNN, so that such a name can be stored and shown.
    """
    try:
        return path.decode(), None
    except UnicodeDecodeError:
        return path.decode(errors="backslashreplace"), path
