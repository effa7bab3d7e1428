"""Executes a plan: looks again, writes down, deletes and closes, in one transaction."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models.deletion import Collector, ProtectedError, RestrictedError

from auditor.auditlog import store
from auditor.auditlog.events import RecordDeleted, RunCompleted
from auditor.errors import AuditorError, ExitCode
from auditor.models import Run, Tombstone
from auditor.orphans import references
from auditor.orphans.disk import Verdict, identity, look_now
from auditor.orphans.plan import Deleted, Finding, Kept, Orphan, Outcome, Plan
from auditor.orphans.registry import AuditedModel
from auditor.removal.neighbours import files_left_alone, images_left_unopened
from auditor.removal.tombstones import tombstones_of

DELETE_CHUNK = 1_000  # records to a collector
Progress = Callable[[int], object]


def ensure_allowed(plan: Plan, *, forced: bool) -> None:
    """Raises AuditorError (refused: root) where the plan rests on a disk that cannot be believed.

    A person at the prompt may still confirm an empty root, having been told what it looks like; `forced` may not.
    """
    for root in plan.roots:
        for directory, reason in root.unlisted.items():
            raise AuditorError(
                f"The directory {directory} in {root.path} could not be read ({reason}), so nothing was deleted.",
                hint="Mend its permissions or the disk, and run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )
        if root.is_empty and forced:
            raise AuditorError(
                f"There is not a single file in {root.path}, so nothing was deleted.",
                hint="This is what an unmounted volume looks like. If the files are really gone, run the command "
                "without --force and answer yes.",
                exit_code=ExitCode.REFUSED_ROOT,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Which run deletes: its id, its command, who runs it and since when."""

    uid: UUID
    command: str
    user: str
    started_at: datetime


def remove(
    plan: Plan, audited: Sequence[AuditedModel], run: RunFacts, *, using: str, progress: Progress = lambda _: None
) -> Outcome:
    """Deletes the orphans of the named models and says what went and what stayed.

    Everything happens in one transaction: any error leaves the database as it was.
    Raises AuditorError (refused: root) if a root is not the one that the plan saw.
    """
    by_id = {one.id: one for one in audited}
    with ExitStack() as stack:
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
        _ensure_same_roots(plan)
        removals = [Removal(by_id[one.model], run.uid, using) for one in plan.to_delete]
        for removal, finding in zip(removals, plan.to_delete, strict=True):
            removal.execute(finding, progress)
        outcome = _close(removals, run, using)
        _ensure_same_roots(plan)
    return outcome


def _ensure_same_roots(plan: Plan) -> None:
    for root in plan.roots:
        if identity(root.path) != root.identity:
            raise AuditorError(
                f"The media root {root.path} is not the folder it was a moment ago, so nothing was deleted.",
                hint="Something was mounted or moved there: look at it, then run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )


@dataclass(slots=True)
class Removal:
    """The deletion of one model's orphans, inside the transaction."""

    audited: AuditedModel
    run: UUID
    using: str
    gone: list[Orphan] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    cascade: Counter[str] = field(default_factory=Counter)

    def execute(self, finding: Finding, progress: Progress) -> None:
        """Deletes the finding's orphans, `DELETE_CHUNK` at a time."""
        for orphans in store.chunks(finding.orphans, DELETE_CHUNK):
            doomed = {orphan.key: orphan for orphan in self._look_again(orphans)}
            instances = self._load(list(doomed))
            for some, collector in self._collect(instances, doomed):
                self._delete(collector, some)
                self.gone.extend(doomed[key] for key in some)
            progress(len(orphans))

    def _look_again(self, orphans: list[Orphan]) -> Iterator[Orphan]:
        """The orphans that still are: rows locked, names unchanged, files still missing."""
        held = self._locked([orphan.key for orphan in orphans])
        for orphan in orphans:
            settled, reason = self._reason_to_keep(orphan, held.get(orphan.key))
            if reason:
                self._keep(orphan, reason, is_settled=settled)
            else:
                yield orphan

    def _locked(self, keys: list[Any]) -> dict[Any, dict[str, str]]:
        names = [one.name for one in self.audited.fields]
        held = {}
        for some in store.chunks(keys, store.CHUNK):
            # In one order everywhere, so that two clean-ups wait for one another and never both.
            rows = references.rows(self.audited, self.using).select_for_update().filter(pk__in=some).order_by("pk")
            held.update({row[0]: dict(zip(names, row[1:], strict=True)) for row in rows.values_list("pk", *names)})
        return held

    def _reason_to_keep(self, orphan: Orphan, names: dict[str, str] | None) -> tuple[bool, str]:
        """Whether the record need not go any more, and why; no reason if it has to go."""
        if names is None:
            return True, "the record is gone already"
        roots = {one.name: one.root for one in self.audited.fields}
        for one, name in orphan.missing:
            if names[one] != name:
                return True, "the record has got another file"
            look = look_now(roots[one] or "", name)
            if look.verdict is not Verdict.MISSING:
                return look.verdict is Verdict.PRESENT, look.reason or "the file is back"
        return False, ""

    def _load(self, keys: list[Any]) -> list[models.Model]:
        instances: list[models.Model] = []
        for some in store.chunks(keys, store.CHUNK):
            instances += references.rows(self.audited, self.using).filter(pk__in=some)
        return instances

    def _collect(
        self, instances: list[models.Model], doomed: dict[Any, Orphan]
    ) -> Iterator[tuple[list[Any], Collector]]:
        """The keys that no other record protects, with what their deletion takes; halved until the others are out."""
        try:
            yield self._collected(instances)
        except (ProtectedError, RestrictedError) as error:
            if len(instances) == 1:
                self._keep(doomed[instances[0].pk], _words(error), is_settled=False)
                return
            middle = len(instances) // 2
            yield from self._collect(instances[:middle], doomed)
            yield from self._collect(instances[middle:], doomed)

    def _collected(self, instances: list[models.Model]) -> tuple[list[Any], Collector]:
        keys = [instance.pk for instance in instances]
        origin = references.rows(self.audited, self.using).filter(pk__in=keys)
        collector = Collector(using=self.using, origin=origin)
        collector.collect(instances)
        return keys, collector

    def _keep(self, orphan: Orphan, reason: str, *, is_settled: bool) -> None:
        self.kept.append(Kept(model=self.audited.id, orphan=orphan, reason=reason, is_settled=is_settled))

    def _delete(self, collector: Collector, keys: list[Any]) -> None:
        written = list(tombstones_of(collector, self.audited.model, keys, self.run))
        Tombstone.objects.using(self.using).bulk_create(written, batch_size=store.CHUNK)
        self.cascade.update(one.model for one in written if one.kind == Tombstone.Kind.CASCADE)
        collector.delete()


def _words(error: ProtectedError | RestrictedError) -> str:
    holders = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    labels = sorted({holder._meta.label for holder in holders})
    return f"protected by {', '.join(labels)}"


def _close(removals: list[Removal], run: RunFacts, using: str) -> Outcome:
    """Writes the run's events, last, so that the log's head is locked only briefly."""
    now = store.database_time(using)
    deleted = [one for removal in removals for one in _log_deleted(removal, run.uid, now)]
    outcome = Outcome(
        deleted=tuple(deleted),
        kept=tuple(kept for removal in removals for kept in removal.kept),
        cascade=sum((removal.cascade for removal in removals), Counter()),
    )
    completed = RunCompleted(
        run_id=run.uid,
        occurred_at=now,
        command=run.command,
        deleted=dict(outcome.deleted_by_model()),
        cascade=dict(outcome.cascade),
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
