"""What the log knows of a file or a record, in sentences for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileFound,
    FileFreed,
    FileMoved,
    FileTrashed,
    FileUntrashed,
    LossAcknowledged,
    RecordDeleted,
    RecordRelinked,
    RecordRestored,
)
from auditor.wording import safe

BACK = {
    "restored": "took it out of the trash again",
    "named": "took it out of the trash again, because a record names it",
    "kept": "did not move it into the trash after all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that the log tells; `position` is 0 where no single event says it."""

    at: datetime
    text: str
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What vanished together: how many other files, in what time, and the directory that went with them.

    `is_cut` if there were more than were looked at.
    """

    others: int
    seconds: float
    directory: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMade:
    """A run that the log names: its id, its command and who ran it, as far as that is known."""

    uid: UUID
    command: str = ""
    user: str = ""

    def __str__(self) -> str:
        by = f" by {safe(self.user)}" if self.user else ""
        return f"Run {self.uid} ({self.command}{by})" if self.command else f"Run {self.uid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Events up to a position, recorded until then, were archived; the newest segment has this name."""

    until: int
    recorded_at: datetime
    segment: str

    def __str__(self) -> str:
        return (
            f"Events up to position {self.until}, recorded until {clock(self.recorded_at)}, are archived, "
            f"the last of them in {self.segment}: what no record needed any more is told only there."
        )


Runs: TypeAlias = Mapping[UUID, RunMade]


def clock(moment: datetime) -> str:
    """A time for a person, in the zone of this process."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def of_file(event: Event, name: str, runs: Runs, company: Company | None = None) -> str:
    """What an event means for the file at a name."""
    match event:
        case FileDeleted():
            return _vanished(event, runs, company)
        case FileMoved() if event.path == name:
            return f"It was renamed to {safe(event.to)}."
        case FileMoved():
            return f"It came by this name: until then it was {safe(event.path)}."
        case FileCreated():
            return "It was there again."
        case FileFound():
            return "It was found on disk again."
        case DirectoryDeleted() | DirectoryMoved() | DirectoryFound():
            return _of_directory(event, name)
    return _of_run(event, runs)


def _vanished(event: FileDeleted, runs: Runs, company: Company | None) -> str:
    with_whom = _in_company(company) if company else ""
    match event.cause:
        case "census" if event.since:
            since = clock(datetime.fromisoformat(event.since))
            return f"It was found gone{with_whom}: it vanished after {since}, while nobody was looking."
        case "census":
            return f"It was found gone{with_whom}: nobody had looked before, so it is not known since when."
        case "moved_out":
            return f"It was moved out of the media folder{with_whom}."
        case "renamed":
            return "It was renamed to a name that is not UTF-8."
        case "trashed":
            return f"It was moved into the trash by {_run(event, runs, 'a run')}."
    return f"It was seen vanishing{with_whom}."


def _in_company(company: Company) -> str:
    more = "more than " if company.is_cut else ""
    others = "1 other" if company.others == 1 else f"{company.others:,} others"
    along = f", with {more}{others} within {company.seconds:.1f} s" if company.others else ""
    return f"{along}, when {safe(company.directory)}/ was removed" if company.directory else along


def _of_directory(event: DirectoryDeleted | DirectoryMoved | DirectoryFound, name: str) -> str:
    directory = f"{safe(event.path)}/"
    match event:
        case DirectoryMoved() if not name.startswith(f"{event.path}/"):
            return f"It came with {safe(event.to)}/: until then that was {directory}."
        case DirectoryMoved():
            return f"{directory} was renamed to {safe(event.to)}/, with all that was in it."
        case DirectoryFound():
            return f"{directory} was found on disk again."
        case DirectoryDeleted(cause="removed"):
            return f"{directory} was removed, with all that was in it."
        case DirectoryDeleted(cause="trashed"):
            return f"{directory} was moved into the trash, with all that was in it."
        case DirectoryDeleted(cause="renamed"):
            return f"{directory} was renamed to a name that is not UTF-8, with all that was in it."
    return f"{directory} was moved out of the media folder, with all that was in it."


def _of_run(event: Event, runs: Runs) -> str:
    run = _run(event, runs, "Somebody")
    match event:
        case RecordDeleted():
            return f"{run} deleted {_record(event)}, whose {event.field} it was."
        case RecordRelinked():
            return f"{run} pointed the {event.field} of {_record(event)} at {safe(event.to)} instead."
        case RecordRestored():
            return f"{run} brought back {_record(event)}, which run {event.deleted_by} had deleted or changed."
        case LossAcknowledged():
            return f"{run} took down that its loss is known: {_record(event)} stays."
        case FileTrashed():
            return f"{run} moved it into the trash."
        case FileUntrashed():
            return f"{run} {BACK.get(event.cause, BACK['restored'])}."
        case FileFreed():
            return f"{run} removed it from the trash for good."
    return f"{run} wrote {event.type}."


def _run(event: Event, runs: Runs, unknown: str) -> str:
    if event.run_id is None:
        return unknown
    return str(runs.get(event.run_id) or RunMade(uid=event.run_id))


def _record(event: RecordDeleted | RecordRelinked | RecordRestored | LossAcknowledged) -> str:
    return safe(f"{event.model}:{event.key}")
