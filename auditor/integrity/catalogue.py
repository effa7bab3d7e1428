"""The lines of the JSON log that a check of the media writes; see `auditor.catalogue`."""

from typing import ClassVar

from auditor.catalogue import LogLine


class FindingFound(LogLine):
    """Something is not as it should be; `state` is new, open (since `found_at`) or first_look."""

    event: ClassVar[str] = "finding.found"
    kind: str
    severity: str
    root: str
    path: str
    model: str | None = None
    key: str | None = None
    field: str | None = None
    detail: str | None = None
    state: str
    found_at: str | None = None
    new_since: str | None = None


class FindingHealed(LogLine):
    """A finding of an earlier check is no more: what was wrong is right again, or is gone."""

    event: ClassVar[str] = "finding.healed"
    kind: str
    severity: str
    root: str
    path: str
    model: str | None = None
    key: str | None = None
    field: str | None = None
    found_at: str


class ModelMeasured(LogLine):
    """How much there is of one model; a file that several records name counts for the first of them."""

    event: ClassVar[str] = "model.measured"
    model: str
    records: int
    files: int
    bytes: int
    orphaned: int
    unknown: int


class GroupMeasured(LogLine):
    """How much of one model belongs to one group, such as an album."""

    event: ClassVar[str] = "group.measured"
    model: str
    group: str
    records: int
    files: int
    bytes: int


class NotLookedAt(LogLine):
    """A media folder, a field or something else that the check could not look at, and why."""

    event: ClassVar[str] = "check.omitted"
    level: ClassVar[str] = "warning"
    what: str
    reason: str


class CheckCompleted(LogLine):
    """A check reached its end; `kept` counts what is not unused though no record names it, `read` what was opened."""

    event: ClassVar[str] = "check.completed"
    command: str
    exit_code: int
    duration_ms: int
    findings: dict[str, int]
    errors: int
    warnings: int
    notes: int
    healed: int
    still_open: int
    acknowledged: int
    files: int | None = None
    bytes: int | None = None
    unused: int | None = None
    unused_bytes: int | None = None
    kept: dict[str, int] | None = None
    read: int | None = None
    read_bytes: int | None = None
    read_due: int | None = None
    read_complete: bool | None = None
