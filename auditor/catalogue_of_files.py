"""The lines of the JSON log that speak of files that no record names; they join those of the catalogue."""

from typing import ClassVar

from auditor.catalogue import LogLine


class UnusedPlanned(LogLine):
    """What was found in one media folder; `kept` counts the files that no record names and that stay, by reason."""

    event: ClassVar[str] = "unused.planned"
    root: str
    files: int
    named: int
    unused: int
    bytes: int
    kept: dict[str, int]
    unlisted: list[str]


class FileUnused(LogLine):
    """No record names this file; `size` is in bytes, `modified_at` ISO 8601 in UTC."""

    event: ClassVar[str] = "file.unused"
    root: str
    path: str
    size: int
    modified_at: str


class RootLeftOut(LogLine):
    """A media folder in which no file can be called unused, and why."""

    event: ClassVar[str] = "root.left_out"
    level: ClassVar[str] = "warning"
    root: str
    reason: str


class FileTrashed(LogLine):
    """A file is in the trash of this run."""

    event: ClassVar[str] = "file.trashed"
    root: str
    path: str
    to: str
    size: int


class FileKept(LogLine):
    """A file that was to go stays, or went to the trash and is back."""

    event: ClassVar[str] = "file.kept"
    root: str
    path: str
    reason: str


class FileUntrashed(LogLine):
    """A file came back from the trash of the run `trashed_by`."""

    event: ClassVar[str] = "file.untrashed"
    root: str
    path: str
    trashed_by: str


class FileFreed(LogLine):
    """A file was removed for good from the trash of the run `trashed_by`."""

    event: ClassVar[str] = "file.freed"
    root: str
    path: str
    trashed_by: str
    size: int


class TrashListed(LogLine):
    """A run that has files in the trash; `is_known` if the database knows the run."""

    event: ClassVar[str] = "trash.listed"
    root: str
    trashed_by: str
    trashed_at: str | None = None
    files: int
    bytes: int
    is_known: bool


class RunSettled(LogLine):
    """An earlier run did not reach its end: `corrected` of its events told of no move, `put_back` files came back."""

    event: ClassVar[str] = "run.settled"
    level: ClassVar[str] = "warning"
    settled: str
    corrected: int
    put_back: int


class FilesCompleted(LogLine):
    """A clean-up of unused files, or of the trash, reached its end."""

    event: ClassVar[str] = "files.completed"
    command: str
    dry_run: bool
    exit_code: int
    duration_ms: int
    unused_total: int
    unused_bytes: int
    trashed_total: int
    untrashed_total: int
    freed_total: int
    freed_bytes: int
    kept_total: int
