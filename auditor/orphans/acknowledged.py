"""Losses that a person knows of: they are not reported again, and their records stay."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from auditor.auditlog import store
from auditor.auditlog.events import LossAcknowledged
from auditor.models import Acknowledgement
from auditor.orphans.plan import Fate, Finding, Loss, Orphan, Plan
from auditor.orphans.registry import AuditedModel
from auditor.orphans.selection import Selection


def leave_out_acknowledged(plan: Plan, *, using: str) -> Plan:
    """The plan without the orphans whose every missing name a person has acknowledged. Only reads."""
    known: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    models = [finding.model for finding in plan.findings]
    rows = Acknowledgement.objects.using(using).filter(model__in=models)
    for model, key, field, name in rows.values_list("model", "key", "field", "name"):
        known[model, key][field] = name
    if not known:
        return plan

    def unknown_loss(finding: Finding, orphan: Orphan) -> Orphan | None:
        names = known.get((finding.model, str(orphan.key)), {})
        return None if all(names.get(field) == name for field, name in orphan.missing) else orphan

    remaining = plan.changed(unknown_loss)
    return replace(remaining, acknowledged=plan.orphans_total() - remaining.orphans_total())


def acknowledge(plan: Plan, audited: Sequence[AuditedModel], run: UUID, *, user: str, using: str) -> int:
    """Acknowledges every loss that the report is about, in one transaction; gives back how many records that are."""
    now = store.database_time(using)
    roots = {one.id: one.root for model in audited for one in model.fields if one.root}
    keys = {root: store.register_root(root, using=using).pk for root in set(roots.values())}
    settled = (Fate.DELETE, Fate.MOVED, Fate.PROTECTED)  # what waits may come back, what is put off was not meant
    orphans = [(finding, orphan) for finding in plan.main for orphan in finding.of_fate(*settled)]
    rows = [
        Acknowledgement(
            model=finding.model, key=str(orphan.key), field=field, name=name, acknowledged_at=now, user=user
        )
        for finding, orphan in orphans
        for field, name in orphan.missing
    ]
    events = [
        LossAcknowledged(
            root=keys[roots[f"{row.model}.{row.field}"]],
            occurred_at=now,
            run_id=run,
            path=row.name,
            model=row.model,
            key=row.key,
            field=row.field,
        )
        for row in rows
    ]
    with transaction.atomic(using):
        Acknowledgement.objects.using(using).bulk_create(
            rows,
            batch_size=store.CHUNK // 8,
            update_conflicts=True,
            unique_fields=["model", "key", "field"],
            update_fields=["name", "acknowledged_at", "user"],
        )
        for some in store.chunks(events, store.BATCH):
            store.append(some, using=using)
    return len(orphans)


def forget_returned(plan: Plan, *, using: str) -> None:
    """Forgets the acknowledgements of losses that are none any more, by a plan from which nothing was left out."""
    missing = {
        (finding.model, str(orphan.key), field, name)
        for finding, orphan in plan.orphans()
        for field, name in orphan.missing
    }
    doubtful = {(one.model, str(one.key)) for one in plan.unknown}
    judged = [finding.model for finding in plan.findings if not finding.unchecked]
    here = [
        loss
        for loss in acknowledged(judged, Selection(), using=using)
        if (loss.model, loss.key) not in doubtful and (loss.model, loss.key, loss.field, loss.name) not in missing
    ]
    take_back(here, using=using)


def acknowledged(models: Sequence[str], selection: Selection, *, using: str) -> list[Loss]:
    """The acknowledged losses of these models that are selected, in the order of model and record."""
    rows = Acknowledgement.objects.using(using).filter(model__in=models).order_by("model", "pk")
    columns = ("model", "key", "field", "name", "acknowledged_at", "user")
    losses = (Loss(**row) for row in rows.values(*columns).iterator())
    return [loss for loss in losses if selection.covers_name(loss.name)]


def take_back(losses: Sequence[Loss], *, using: str) -> None:
    """Forgets these acknowledgements, in one transaction: the losses are reported again."""
    with transaction.atomic(using):
        for loss in losses:
            rows = Acknowledgement.objects.using(using)
            rows.filter(model=loss.model, key=loss.key, field=loss.field).delete()
