"""Executes a plan: looks again, writes down, deletes and closes, in one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import transaction

from auditor.auditlog import store
from auditor.auditlog.events import RecordDeleted, RunCompleted
from auditor.keys import one_of, parts
from auditor.memory import seldom_collected
from auditor.models import Run
from auditor.orphans import references, remote
from auditor.orphans.disk import Look, Verdict, looks_now
from auditor.orphans.plan import Deleted, Fate, Finding, Kept, Orphan, Outcome, Plan
from auditor.orphans.registry import AuditedModel
from auditor.orphans.storages import StorageAdapter
from auditor.removal import along
from auditor.removal.deletion import DELETE_CHUNK, Deletion, Toll
from auditor.removal.erasing import erase_expired
from auditor.removal.neighbours import files_left_alone, images_left_unopened
from auditor.removal.refusals import cannot_delete, ensure_same_roots
from auditor.removal.relink import Relinking
from auditor.removal.runs import RunFacts
from auditor.wishes import OnProtected

Progress = Callable[[int], object]


def remove(
    plan: Plan,
    audited: Sequence[AuditedModel],
    run: RunFacts,
    *,
    using: str,
    on_protected: OnProtected = OnProtected.SKIP,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Deletes the orphans of the named models and says what went and what stayed.

    Everything happens in one transaction: any error leaves the database as it was.
    Raises AuditorError (refused: root) if a root is not as the plan saw it, and (failed) if a record may not be
    deleted and `on_protected` says to abort.
    """
    by_id, toll = {one.id: one for one in audited}, Toll()
    adapters = remote.adapters(audited)
    with ExitStack() as stack:
        stack.enter_context(seldom_collected())
        stack.enter_context(files_left_alone())
        stack.enter_context(images_left_unopened())
        stack.enter_context(transaction.atomic(using, durable=True))
        store.lock_writer(using)
        Run.objects.using(using).create(
            uid=run.uid,
            command=run.command,
            user=run.user,
            started_at=run.started_at,
            finished_at=run.started_at,
        )
        ensure_same_roots(plan, adapters, using=using)
        unmounted = {root.path: root.unmounted for root in plan.roots}
        removals = [
            Removal(by_id[one.model], run.uid, using, adapters, unmounted, toll, on_protected) for one in plan.to_do
        ]
        for removal, finding in zip(removals, plan.to_do, strict=True):
            removal.execute(finding, progress)
        # Last, for a record that a cascade has taken has nothing to be pointed anywhere.
        relinkings = [Relinking(by_id[one.model], run.uid, using, unmounted) for one in plan.to_do]
        for relinking, finding in zip(relinkings, plan.to_do, strict=True):
            relinking.execute(finding.of_fate(Fate.RELINK), progress)
        outcome = _close(removals, relinkings, toll, run, using)
        erase_expired(using, by=run.uid)
        ensure_same_roots(plan, adapters, using=using)
    return outcome


@dataclass(slots=True)
class Removal:
    """The deletion of one model's orphans, inside the transaction."""

    audited: AuditedModel
    run: UUID
    using: str
    adapters: Mapping[str, StorageAdapter]
    unmounted: Mapping[str, Sequence[str]]
    toll: Toll
    on_protected: OnProtected
    gone: list[Orphan] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def execute(self, finding: Finding, progress: Progress) -> None:
        """Deletes the finding's orphans, `DELETE_CHUNK` at a time."""
        for orphans in store.chunks(finding.of_fate(Fate.DELETE), DELETE_CHUNK):
            doomed = {orphan.key: orphan for orphan in self._look_again(orphans)}
            deletion = Deletion(self.audited.model, self.run, self.using, self.toll)
            for keys in deletion.execute(list(doomed)):
                self.gone.extend(doomed[key] for key in keys)
            for key, reason in deletion.refused.items():
                self._refuse(doomed[key], reason)
            progress(len(orphans))

    def _look_again(self, orphans: list[Orphan]) -> Iterator[Orphan]:
        """The orphans that still are: rows locked, names unchanged, files still missing."""
        held = self._locked([orphan.key for orphan in orphans])
        looks = self._looks(orphans)
        for orphan in orphans:
            settled, reason = self._reason_to_keep(orphan, held.get(orphan.key), looks)
            if reason:
                self._keep(orphan, reason, is_settled=settled)
            else:
                yield orphan

    def _locked(self, keys: list[Any]) -> dict[Any, dict[str, str]]:
        names = [one.name for one in self.audited.fields]
        held = {}
        for some in parts(keys):
            # In one order everywhere, so that two clean-ups wait for one another and never both.
            rows = references.rows(self.audited, self.using).filter(one_of("pk", some)).select_for_update()
            found = rows.order_by("pk").values_list("pk", *names)
            held.update({key: dict(zip(names, values, strict=True)) for key, *values in found})
        return held

    def _looks(self, orphans: list[Orphan]) -> dict[tuple[str, str], Look]:
        """{(field, name): Look} of the missing files, all looked at now."""
        looks: dict[tuple[str, str], Look] = {}
        for one in self.audited.fields:
            names = [name for orphan in orphans for field, name in orphan.missing if field == one.name]
            looks |= {(one.name, name): look for name, look in self._look_now(one.root or "", names).items()}
        return looks

    def _look_now(self, root: str, names: list[str]) -> dict[str, Look]:
        adapter = self.adapters.get(root)
        if adapter is not None:
            return remote.look_now(adapter, names)
        return looks_now(root, names, self.unmounted.get(root, ()))

    def _reason_to_keep(
        self, orphan: Orphan, names: dict[str, str] | None, looks: dict[tuple[str, str], Look]
    ) -> tuple[bool, str]:
        """Whether the record need not go any more, and why; no reason if it has to go."""
        if names is None:
            return True, "the record is gone already"
        for one, name in orphan.missing:
            if names[one] != name:
                return True, "the record has got another file"
            look = looks[one, name]
            if look.verdict is not Verdict.MISSING:
                return look.verdict is Verdict.PRESENT, look.reason or "the file is back"
        return False, ""

    def _refuse(self, orphan: Orphan, reason: str) -> None:
        if self.on_protected is OnProtected.ABORT:
            raise cannot_delete(self.audited.id, replace(orphan, why=reason))
        self._keep(orphan, reason, is_settled=False)

    def _keep(self, orphan: Orphan, reason: str, *, is_settled: bool) -> None:
        self.kept.append(Kept(model=self.audited.id, orphan=orphan, reason=reason, is_settled=is_settled))


def _close(removals: list[Removal], relinkings: list[Relinking], toll: Toll, run: RunFacts, using: str) -> Outcome:
    """Writes the run's events, last, so that the log's head is locked only briefly."""
    now = store.database_time(using)
    deleted = [one for removal in removals for one in _log_deleted(removal, run.uid, now)]
    relinked = [one for relinking in relinkings for one in relinking.log(now)]
    outcome = Outcome(
        deleted=tuple(deleted),
        relinked=tuple(relinked),
        kept=tuple(chain.from_iterable([one.kept for one in removals] + [one.kept for one in relinkings])),
        taken=along.taken(toll.taken, [removal.audited.model for removal in removals]),
        emptied=along.emptied(toll.emptied_by_field()),
    )
    completed = RunCompleted(
        run_id=run.uid,
        occurred_at=now,
        command=run.command,
        options=run.options,
        deleted=dict(outcome.deleted_by_model()),
        cascade={one.what: one.count for one in outcome.taken},
        emptied={one.what: one.count for one in outcome.emptied},
        relinked=dict(outcome.relinked_by_model()) or None,
        kept=dict(outcome.kept_by_model()),
    )
    store.append([completed], using=using)
    Run.objects.using(using).filter(uid=run.uid).update(
        finished_at=now, deleted=len(outcome.deleted), kept=len(outcome.kept)
    )
    return outcome


def _log_deleted(removal: Removal, run: UUID, now: datetime) -> Iterator[Deleted]:
    audited, using = removal.audited, removal.using
    roots = {one.name: one.root and store.register_root(one.root, using=using).pk for one in audited.fields}
    for some in store.chunks(removal.gone, store.BATCH):
        events = [
            RecordDeleted(
                root=roots[orphan.field] or None,
                path=orphan.name,
                occurred_at=now,
                run_id=run,
                model=audited.id,
                key=str(orphan.key),
                field=orphan.field,
            )
            for orphan in some
        ]
        batch = store.append(events, using=using)
        assert batch is not None  # there are events
        for position, orphan in enumerate(some, batch.first_position):
            yield Deleted(model=audited.id, orphan=orphan, position=position)
