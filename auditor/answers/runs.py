"""The runs that changed something, and what each of them did."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from auditor.auditlog import store
from auditor.auditlog.events import RunCompleted
from auditor.models import Event, Run
from auditor.removal.runs import beginning_with

READ_AT_ONCE = 1_000  # ends of runs
COUNTED = {
    "deleted": "deleted",
    "cascade": "along",
    "relinked": "relinked",
    "restored": "restored",
    "kept": "kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunListed:
    """A run and what it did, {word: count}; not complete if it has not written that it reached its end."""

    uid: UUID
    command: str
    user: str
    finished_at: datetime
    counts: dict[str, int]
    is_complete: bool


def list_runs(*, limit: int, before: UUID | None, using: str) -> list[RunListed]:
    """The newest runs, or the newest before another one, the newest first."""
    runs = Run.objects.using(using).order_by("-finished_at", "-uid")
    if before is not None:
        last = Run.objects.using(using).get(uid=before)
        runs = runs.filter(Q(finished_at__lt=last.finished_at) | Q(finished_at=last.finished_at, uid__lt=last.uid))
    return listed(runs[:limit], using=using)


def listed(runs: Iterable[Run], *, using: str) -> list[RunListed]:
    """Runs and what each of them did."""
    found = list(runs)
    ends = ends_of({run.uid for run in found}, using=using)
    return [_listed(run, ends.get(run.uid)) for run in found]


def find_run(wanted: str, using: str) -> UUID:
    """The run whose id begins like that; raises AuditorError (usage) if there is none, or more than one."""
    uids = Run.objects.using(using).values_list("uid", flat=True)
    return beginning_with(wanted, uids, which="runs", hint="audit_log runs shows the ids.")


def ends_of(runs: set[UUID], *, using: str) -> dict[UUID, dict[str, Any]]:
    """{run: what it wrote at its end}, by the index of types: a run without an end may have a million events."""
    ends = Event.objects.using(using).filter(type=RunCompleted.type).order_by("-position")
    found: dict[UUID, dict[str, Any]] = {}
    before = store.head_position(using) + 1
    while len(found) < len(runs) and (
        some := list(ends.filter(position__lt=before).values_list("position", "run_id", "data")[:READ_AT_ONCE])
    ):
        for _, run, data in some:
            if run in runs:
                found.setdefault(run, data)
        before = some[-1][0]
    return found


def _listed(run: Run, data: dict[str, Any] | None) -> RunListed:
    return RunListed(
        uid=run.uid,
        command=run.command,
        user=run.user,
        finished_at=run.finished_at,
        counts=dict(_counts(data or {})),
        is_complete=data is not None,
    )


def _counts(data: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for name, word in COUNTED.items():
        yield word, sum((data.get(name) or {}).values())
    yield from (data.get("files") or {}).items()
