"""Erases what was kept of deleted rows: for privacy, or because it is older than the site wants it."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.events import TombstoneErased
from auditor.models import Tombstone
from auditor.removal.written import Written


def erase(run: UUID, rows: Collection[Written], by: UUID, *, using: str) -> int:
    """Erases the payloads of these rows of a run for good; gives back how many had one."""
    with transaction.atomic(using, durable=True):
        store.lock_writer(using)
        numbers = [one.id for one in rows]
        return _erase(run, numbers, "asked for", by, using)


def erase_expired(using: str, *, by: UUID) -> int:
    """Erases what is older than `AUDITOR_TOMBSTONE_DAYS`, if that is set; gives back how many rows had a payload.

    To be called within the transaction of a run that deletes.
    """
    days = conf.tombstone_days()
    if not days:
        return 0
    store.lock_writer(using)
    before = store.database_time(using) - timedelta(days=days)
    old = Tombstone.objects.using(using).filter(run__finished_at__lt=before, erased_at=None)
    numbers: dict[UUID, list[int]] = {}
    for run, number in old.order_by("id").values_list("run", "id"):
        numbers.setdefault(run, []).append(number)
    return sum(_erase(run, some, "expired", by, using) for run, some in numbers.items())


def _erase(run: UUID, numbers: Collection[int], cause: str, by: UUID, using: str) -> int:
    now, counts = store.database_time(using), Counter[str]()
    for some in store.chunks(numbers, store.CHUNK):
        whole = Tombstone.objects.using(using).filter(run=run, id__in=some, erased_at=None)
        counts.update(whole.values_list("model", flat=True))
        whole.update(payload="", erased_at=now)
    if counts:
        erased = TombstoneErased(occurred_at=now, run_id=by, deleted_by=str(run), cause=cause, tombstones=dict(counts))
        store.append([erased], using=using)
    return counts.total()
