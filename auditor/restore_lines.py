"""A restore as lines of the JSON log."""

from collections import Counter
from collections.abc import Iterable, Iterator

from auditor import catalogue
from auditor.catalogue import LogLine
from auditor.errors import ExitCode
from auditor.removal.belonging import is_record
from auditor.removal.restore import Restoration
from auditor.removal.restore_plan import Away, RestorePlan, name_of
from auditor.removal.runs import RunSeen
from auditor.removal.written import Written


def run_listed(run: RunSeen) -> LogLine:
    """A run that can be restored."""
    return catalogue.RunListed(
        listed=str(run.uid),
        command=run.command,
        user=run.user,
        finished_at=run.finished_at.isoformat(),
        records=run.records,
        rows=run.rows,
        erased=run.erased,
    )


def restore_planned(plan: RestorePlan) -> Iterator[LogLine]:
    """What would come back, what stays away and what stands in the way."""
    yield catalogue.RestorePlanned(
        restored_run=str(plan.run),
        records=by_label(plan.records),
        along=by_label(plan.along),
        keys=by_column(plan.keys),
        away_total=len(plan.away),
        conflicts_total=len(plan.conflicts),
    )
    for one in plan.records:
        name = name_of(one, plan.belonging)
        yield catalogue.RecordRestorable(model=one.label, key=one.key, field=name.field, path=name.name)
    yield from _troubles(plan)


def _troubles(plan: RestorePlan) -> Iterator[LogLine]:
    yield from _away(plan.away)
    for conflict in plan.conflicts:
        yield catalogue.RestoreConflict(
            model=conflict.row.label,
            key=conflict.row.key,
            clash=conflict.clash,
            reason=conflict.reason,
            is_mended=conflict.is_mended,
        )


def _away(away: Iterable[Away]) -> Iterator[LogLine]:
    for one in away:
        yield catalogue.RestoreAway(model=one.row.label, key=one.row.key, reason=one.reason)


def restored(planned: RestorePlan, done: Restoration) -> Iterator[LogLine]:
    """What came back, once it is committed; and what stood in the way that was not planned."""
    known = {conflict.row.id for conflict in planned.conflicts}
    if any(conflict.row.id not in known for conflict in done.plan.conflicts):
        yield from _troubles(done.plan)
    else:
        yield from _away(done.left)
    for one in done.restored:
        yield catalogue.RecordRestored(
            model=one.row.label, key=one.row.key, field=one.name.field, path=one.name.name, position=one.position
        )


def restore_completed(
    done: Restoration | None, *, command: str, dry_run: bool, exit_code: ExitCode, duration_ms: int, erased: int = 0
) -> LogLine:
    """The last line of a restore."""
    came = done if done is not None and done.is_done else None
    return catalogue.RestoreCompleted(
        command=command,
        dry_run=dry_run,
        exit_code=int(exit_code),
        duration_ms=duration_ms,
        restored=by_label(one.row for one in came.restored) if came else {},
        along=by_label(came.plan.along) if came else {},
        keys=by_column(came.plan.keys) if came else {},
        keys_left=sum(not is_record(one.row) for one in done.left) if done else 0,
        away_total=len(done.plan.away) if done else 0,
        conflicts_total=len(done.plan.conflicts) if done else 0,
        erased_total=erased,
    )


def by_label(rows: Iterable[Written]) -> dict[str, int]:
    """How many rows there are of each model: {"app.Model": count}."""
    return dict(Counter(one.label for one in rows))


def by_column(rows: Iterable[Written]) -> dict[str, int]:
    """How many rows were changed, by 'app.Model.column'; a tombstone that cannot be read has no column."""
    return dict(Counter(f"{one.label}.{one.row.get('column', '?')}" for one in rows))
