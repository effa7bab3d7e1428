"""Which runs there were, and that only one is at work at a time."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from auditor import locks
from auditor.errors import AuditorError, ExitCode
from auditor.models import Run, Tombstone

CLEAN_UP = "clean-up"  # the lock's name; a restore takes the same
# What a run did to a record itself; the rest went along with it.
RECORDS = (Tombstone.Kind.ORPHAN, Tombstone.Kind.RELINKED)


def one_run_at_a_time(using: str) -> AbstractContextManager[None]:
    """Within it, no other clean-up and no restore works on this database.

    Raises AuditorError (refused: locked), naming the holder, if one does already.
    """
    return locks.held(CLEAN_UP, using=using, busy="Another clean-up or restore")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Which run is at work: its id, its command, who runs it, since when, and with which options."""

    uid: UUID
    command: str
    user: str
    started_at: datetime
    options: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """A run whose tombstones are there: how many records and rows of it wait to be brought back, or are erased.

    `kept` counts the rows of which the content is still there, those that were brought back among them.
    """

    uid: UUID
    command: str
    user: str
    finished_at: datetime
    records: int
    rows: int
    erased: int
    kept: int


def restorable_runs(using: str) -> list[RunSeen]:
    """The runs with something that was not brought back, the newest first."""
    return [run for run in _runs(using) if run.rows]


def erasable_runs(using: str) -> list[RunSeen]:
    """The runs of which something is still kept, brought back or not, the newest first."""
    return [run for run in _runs(using) if run.kept]


def _runs(using: str) -> list[RunSeen]:
    waiting = Q(tombstones__restored_at=None)
    runs = Run.objects.using(using).annotate(
        records=Count("tombstones", filter=waiting & Q(tombstones__kind__in=RECORDS)),
        rows=Count("tombstones", filter=waiting),
        erased=Count("tombstones", filter=waiting & Q(tombstones__erased_at__isnull=False)),
        kept_rows=Count("tombstones", filter=Q(tombstones__erased_at=None)),
    )
    return [
        RunSeen(
            uid=run.uid,
            command=run.command,
            user=run.user,
            finished_at=run.finished_at,
            records=run.records,
            rows=run.rows,
            erased=run.erased,
            kept=run.kept_rows,
        )
        for run in runs.filter(Q(rows__gt=0) | Q(kept_rows__gt=0)).order_by("-finished_at", "-started_at")
    ]


def older_wait(run: RunSeen, using: str) -> bool:
    """Whether a run before this one has something to bring back."""
    runs = [one.uid for one in _runs(using) if one.rows > one.erased or one.uid == run.uid]
    return bool(runs) and runs[-1] != run.uid


def find_run(wanted: str, using: str, *, erases: bool = False) -> RunSeen:
    """The run whose id begins like that, or without one the newest that has something to bring back, or to erase.

    Raises AuditorError (usage) if there is none, or more than one.
    """
    runs, to_do = (erasable_runs(using), "to erase") if erases else (restorable_runs(using), "to bring back")
    if not wanted:
        whole = [run for run in runs if erases or run.rows > run.erased]
        if whole:
            return whole[0]
        can = "erased" if erases else "brought back"
        raise AuditorError(
            f"No run has anything {to_do}.",
            hint=f"What a clean-up deletes can be {can} from then on; --list shows the runs.",
            exit_code=ExitCode.USAGE,
        )
    by_uid = {run.uid: run for run in runs}
    hint = "restore_orphaned_media --list shows the ids."
    return by_uid[beginning_with(wanted, by_uid, which=f"runs with something {to_do}", hint=hint)]


def beginning_with(wanted: str, uids: Iterable[UUID], *, which: str, hint: str) -> UUID:
    """The id that begins like that, with dashes or without; raises AuditorError (usage) if none does, or several.

    `which` says whose ids these are, and `hint` where they are shown.
    """
    beginning = wanted.lower().replace("-", "")
    found = {uid for uid in uids if uid.hex.startswith(beginning)}
    if len(found) == 1:
        return found.pop()
    raise AuditorError(
        f"{len(found) or 'No'} {which} have an id that begins with {wanted!r}.", hint=hint, exit_code=ExitCode.USAGE
    )
