"""The human summary of a restore: what would come back, what came, and what stayed away."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone

from auditor.removal import along
from auditor.removal.restore import Restoration
from auditor.removal.restore_plan import Away, RestorePlan, name_of
from auditor.removal.runs import RunSeen
from auditor.removal.written import Written
from auditor.wording import QUESTION, RULE, counted, heading, listed, safe
from auditor.wording import along as rows_along

CANCELLED = "Cancelled. Nothing was restored."
NOTHING_ERASED = "Cancelled. Nothing was erased."
COMPLETE = "RESTORE COMPLETE"
RESTORED = "✓ Records restored!"
NO_RUNS = "No run has anything to bring back."
OLDER_WAIT = "Older runs wait too: restore_orphaned_media --list"
ERASING = "⚠️  WARNING: What is erased can never be restored!"
ASKED = f"Restore these database records? {QUESTION.rpartition('? ')[2]}"
ERASE_ASKED = QUESTION


def runs(listed: Sequence[RunSeen]) -> str:
    """The runs that can be restored, the newest first."""
    if not listed:
        return NO_RUNS
    return "\n".join([RULE, "RUNS THAT CAN BE RESTORED:", RULE, *map(_run_line, listed), RULE])


def _run_line(run: RunSeen) -> str:
    words = [counted(run.records, "record"), counted(run.rows, "row")]
    erased = f", {run.erased:,} of them erased" if run.erased else ""
    return f"{run.uid}  {_time(run.finished_at)}  {', '.join(words)}{erased}"


def opening(run: RunSeen, *, erases: bool = False) -> str:
    """Which run is to be restored, or erased."""
    by = f" by {safe(run.user)}" if run.user else ""
    return f"{'To erase' if erases else 'To restore'}: run {run.uid} of {_time(run.finished_at)}{by}"


def summary(plan: RestorePlan) -> str:
    """What would come back, what stays away and what stands in the way."""
    lines = [f"{label}: {count} to restore" for label, count in _by_model(plan.records)]
    blocks = [
        heading("RECORDS TO RESTORE:", lines or ["None"]),
        listed("To restore (sample):", plan.records, lambda one: record(one, plan)) if plan.records else "",
        with_them(plan),
        _away(plan.away),
        _conflicts(plan),
    ]
    return "\n\n".join(block for block in blocks if block)


def erasing(records: Sequence[Written], rows: int) -> str:
    """What would be erased: the records, and how many rows that is with all that went along."""
    lines = [f"{label}: {count} to erase" for label, count in _by_model(records)]
    return heading("TOMBSTONES TO ERASE:", [*lines, f"Rows in all: {rows}"])


def erased(count: int) -> str:
    """What was erased."""
    return heading("ERASING COMPLETE", [f"Rows erased: {count}"])


def completion(planned: RestorePlan, done: Restoration) -> str:
    """What came back; and what stood in the way that was not known before."""
    lines = [f"{label} restored: {count}" for label, count in _by_model(one.row for one in done.restored)]
    known = {conflict.row.id for conflict in planned.conflicts}
    is_news = any(conflict.row.id not in known for conflict in done.plan.conflicts)
    blocks = [
        heading(COMPLETE, [*lines, f"Total restored: {len(done.restored)}"]),
        _away(done.left, title="Left as it is", noun="row"),
        _conflicts(done.plan) if is_news else "",
        RESTORED if done.restored and not done.plan.away and not done.plan.conflicts else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def blocked(plan: RestorePlan) -> str:
    """Why nothing was restored."""
    return f"{counted(len(plan.conflicts), 'conflict')}, so nothing was restored."


def _by_model(rows: Iterable[Written]) -> list[tuple[str, int]]:
    """How many rows there are of each model, by the name that people know."""
    found: Counter[str] = Counter()
    for one in rows:
        name = str(one.model._meta.verbose_name_plural) if one.model else one.label
        found[name[:1].upper() + name[1:]] += 1
    return sorted(found.items())


def record(one: Written, plan: RestorePlan) -> str:
    """A record by the name of its file, where it has one."""
    name = name_of(one, plan.belonging).name
    return f"{safe(name)} ({safe(str(one))})" if name else safe(str(one))


def with_them(plan: RestorePlan) -> str:
    """Which rows come back with the records, and which keys are set again."""
    models = [one.model for one in plan.records if one.model]
    taken = along.taken(Counter(one.model for one in plan.along if one.model), list(dict.fromkeys(models)))
    fields = Counter(_field(one) for one in plan.keys)
    keys = along.emptied({field: count for field, count in fields.items() if field is not None})
    return rows_along(taken, keys, titles=("With them", "Set again"))


def _field(one: Written) -> object:
    fields = one.model._meta.local_concrete_fields if one.model else ()
    return next((field for field in fields if field.column == one.row.get("column")), None)


def _away(away: Sequence[Away], *, title: str = "Stay away", noun: str = "record") -> str:
    title = f"{title}: {counted(len(away), noun)}"
    return listed(title, away, lambda one: f"{safe(str(one.row))} ({safe(one.reason)})") if away else ""


def _conflicts(plan: RestorePlan) -> str:
    title = f"Conflicts: {counted(len(plan.conflicts), 'row')}"
    return (
        listed(title, plan.conflicts, lambda one: f"{safe(str(one.row))}: {safe(one.reason)}")
        if plan.conflicts
        else ""
    )


def _time(moment: datetime) -> str:
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{local:%Y-%m-%d %H:%M}"
