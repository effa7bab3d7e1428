"""Brings back what a run deleted or changed: rows, links and keys as they were, in one transaction."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from auditor.auditlog import store
from auditor.auditlog.events import RecordRestored, RunCompleted
from auditor.memory import seldom_collected
from auditor.models import Run, Tombstone
from auditor.removal.belonging import Belonging
from auditor.removal.restore_plan import Away, Name, RestorePlan, Wish, leaving, name_of, plan_restore, without
from auditor.removal.revival import Revival
from auditor.removal.runs import RunFacts
from auditor.removal.written import Written, read_run


@dataclass(frozen=True, slots=True)
class Restored:
    """A record that came back, the name of its file, and the position of its event in the audit log."""

    row: Written
    name: Name
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What a restore did: `plan` as it was carried out.

    `left` are the rows that it could not change back, which are among those that are away: they go on waiting.
    """

    plan: RestorePlan
    is_done: bool = False
    restored: tuple[Restored, ...] = ()
    left: tuple[Away, ...] = ()


def look_back(uid: UUID, wish: Wish, *, using: str) -> RestorePlan:
    """What the restore of a run would do now. Only reads."""
    belonging = Belonging(read_run(uid, using), using)
    return plan_restore(uid, belonging, wish, using)


def restore(uid: UUID, wish: Wish, run: RunFacts, *, using: str) -> Restoration:
    """Brings back what is wished for, if it can be, and says what came.

    The plan is made again inside the transaction, so that nothing rests on an older look.
    Where there are conflicts that are not to be skipped, nothing happened and the plan says so.
    """
    with seldom_collected(), transaction.atomic(using, durable=True):
        store.lock_writer(using)
        waiting = Tombstone.objects.using(using).select_for_update().filter(run=uid, restored_at=None)
        list(waiting.order_by("id").values_list("id"))
        plan = look_back(uid, wish, using=using)
        if plan.is_blocked or not plan.coming:
            return Restoration(plan=plan)
        Run.objects.using(using).create(
            uid=run.uid,
            command=run.command,
            user=run.user,
            started_at=run.started_at,
            finished_at=run.started_at,
        )
        plan, left = _revive(plan, using)
        if plan.is_blocked or not plan.coming:
            transaction.set_rollback(True, using)
            return Restoration(plan=plan, left=left)
        return _close(plan, left, run, using)


def _revive(plan: RestorePlan, using: str) -> tuple[RestorePlan, tuple[Away, ...]]:
    """Writes the rows, and gives back what came and what was left.

    What the database refuses becomes a conflict, and all is written anew without it.
    """
    while True:
        revival = Revival(using)
        with transaction.atomic(using):
            revival.write([one for one in plan.belonging.rows if one in plan.coming])
            if not revival.refused:
                return leaving(plan, revival.left), tuple(revival.left)
            transaction.set_rollback(True, using)
        plan = without(plan, revival.refused, using)
        if plan.is_blocked:
            return plan, ()


def _close(plan: RestorePlan, left: tuple[Away, ...], run: RunFacts, using: str) -> Restoration:
    now = store.database_time(using)
    for numbers in store.chunks((one.id for one in plan.coming), store.CHUNK):
        Tombstone.objects.using(using).filter(id__in=numbers).update(restored_at=now)
    restored = tuple(_log_restored(plan, run.uid, now, using))
    completed = RunCompleted(
        run_id=run.uid,
        occurred_at=now,
        command=run.command,
        options=run.options,
        deleted={},
        cascade=dict(Counter(one.label for one in plan.along)),
        kept=dict(Counter(one.label for one in staying_away(plan))),
        emptied=dict(Counter(f"{one.label}.{one.row['column']}" for one in plan.keys)),
        restored=dict(Counter(one.row.label for one in restored)),
    )
    store.append([completed], using=using)
    Run.objects.using(using).filter(uid=run.uid).update(finished_at=now, kept=len(staying_away(plan)))
    return Restoration(plan=plan, is_done=True, restored=restored, left=left)


def staying_away(plan: RestorePlan) -> list[Written]:
    """The rows that were asked for and stay away: records, and what had a conflict of its own."""
    conflicts = (one.row for one in plan.conflicts if not one.is_mended)
    return list(dict.fromkeys([*(one.row for one in plan.away), *conflicts]))


def _log_restored(plan: RestorePlan, run: UUID, now: datetime, using: str) -> Iterator[Restored]:
    for records in store.chunks(plan.records, store.BATCH):
        names = [name_of(one, plan.belonging) for one in records]
        roots = {root: store.register_root(root, using=using).pk for root in {one.root for one in names} if root}
        events = [
            RecordRestored(
                root=roots.get(name.root or ""),
                path=name.name,
                occurred_at=now,
                run_id=run,
                model=one.label,
                key=one.key,
                field=name.field,
                deleted_by=str(plan.run),
            )
            for one, name in zip(records, names, strict=True)
        ]
        batch = store.append(events, using=using)
        assert batch is not None  # there are events
        for position, (one, name) in enumerate(zip(records, names, strict=True), batch.first_position):
            yield Restored(one, name, position)
