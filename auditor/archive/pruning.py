"""Takes old events out of the log, after they were archived in segments that were read back and verified.

Batches and seals stay, so the chain can be verified from its first batch on, anchors can be compared with all of it,
and no batch that waits in a spool can be appended a second time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db import connections, transaction

from auditor import conf, locks
from auditor.archive import segment
from auditor.archive.exporting import segment_lines
from auditor.archive.keeping import Touched, kept_positions, touched
from auditor.archive.segment import Contents
from auditor.auditlog import append_only, pruned, store
from auditor.auditlog.digests import kept_hash, rows_between
from auditor.auditlog.events import LogPruned
from auditor.auditlog.verifying import Fault, Place, batches_between, verify
from auditor.errors import AuditorError, ExitCode
from auditor.models import Event, Head, Span

EVENTS_IN_A_SEGMENT = 200_000
EVENT = Event._meta.db_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The batches that become one segment: those behind one place, up to another."""

    after: Place
    until: Place

    @property
    def archived(self) -> int:
        """How many events there are in it."""
        return self.until.position - self.after.position


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What became of the events of a step, or would.

    `removed` counts the events that are in no table any more, `kept` those up to there that stay in it.
    """

    step: Step
    removed: int
    kept: int
    segment: str = ""
    sha256: str = ""


def steps(before: datetime, *, using: str) -> Iterator[Step]:
    """What can be pruned of the events that were recorded before a moment, from the oldest on. Only reads."""
    until = prunable_until(using)
    last = pruned.last_prune(using)
    after = end = Place(batch=last.batch, position=last.until, seal=last.seal) if last else Place()
    for batch in batches_between(after.batch, store.head_batch(using), using):
        if batch.recorded_at >= before or batch.last_position > until:
            break
        if end != after and batch.last_position - after.position > EVENTS_IN_A_SEGMENT:
            yield Step(after=after, until=end)
            after = end
        end = Place(batch=batch.number, position=batch.last_position, seal=batch.seal)
    if _has_facts(after, end, using):
        yield Step(after=after, until=end)


def _has_facts(after: Place, end: Place, using: str) -> bool:
    """Whether there is more between two places than what the prunes before have written of themselves."""
    rows = Event.objects.using(using).filter(position__gt=after.position, position__lte=end.position)
    return rows.exclude(type=LogPruned.type).exists()


def prunable_until(using: str) -> int:
    """The last position behind which no watcher counts, or has yet to look for records."""
    until = store.head_position(using)
    for span in Span.objects.using(using).filter(closed_at=None).select_related("root"):
        checkpoint = store.last_checkpoint(span)
        until = min(until, span.root.resolved_until, checkpoint.position if checkpoint else span.opened_position)
    return until


def plan(before: datetime, *, using: str) -> Iterator[Pruned]:
    """What a prune would do, step by step. Only reads."""
    moved, kept_before = touched(using), _kept(using)
    for step in steps(before, using=using):
        kept = len(kept_positions(step.until.position, moved, using=using))
        yield Pruned(step=step, removed=step.archived + kept_before - kept, kept=kept)
        kept_before = kept


def prune(
    before: datetime, *, into: str, using: str, progress: Callable[[int], object] = lambda _: None
) -> Iterator[Pruned]:
    """Archives in a folder, and removes, the events that were recorded before a moment, a step at a time.

    Each step is all or nothing. Raises AuditorError with nothing done in this step: verification failed, if the log
    is not as it was written; usage, if the folder cannot be used; refused: locked, if another prune is at work.
    """
    segment.ensure_folder(into)
    with locks.held("prune", using=using, busy="Another prune"):
        _ensure_as_written(using)
        moved = touched(using)
        for step in steps(before, using=using):
            yield _prune_step(step, moved, into, using)
            progress(step.archived)


def _kept(using: str) -> int:
    """How many events the prunes until now have left in the table."""
    last = pruned.last_prune(using)
    return last.kept if last else 0


def _ensure_as_written(using: str) -> None:
    found = verify(Place(), key=conf.seal_key(), using=using)
    if isinstance(found, Fault):
        raise AuditorError(
            f"The audit log is not as it was written: position {found.position}, batch {found.batch}: {found.what}. "
            "Nothing was pruned.",
            hint="Keep a copy of the database as it is now, then compare it with a backup.",
            exit_code=ExitCode.VERIFICATION_FAILED,
        )


def _prune_step(step: Step, moved: Touched, into: str, using: str) -> Pruned:
    head, kept_before = Head.objects.using(using).get(), _kept(using)
    contents = Contents(
        log_id=head.log_id,
        first_position=step.after.position + 1,
        position=step.until.position,
        batch=step.until.batch,
        seal=step.until.seal,
        previous_seal=step.after.seal,
    )
    lines = segment_lines(head, step.after.position, step.until, using)
    name, sha256 = segment.make(into, contents, lines, key=conf.seal_key())
    kept = kept_positions(step.until.position, moved, using=using)
    with transaction.atomic(using):
        store.lock_head(using)
        with append_only.pruning(step.until.position, using=using):
            _remove(step.until.position, kept, using)
        count, digest = kept_hash(rows_between(0, step.until.position, using=using))
        event = LogPruned(
            occurred_at=store.database_time(using),
            until=step.until.position,
            batch=step.until.batch,
            seal=step.until.seal,
            segment=name,
            sha256=sha256,
            archived=step.archived,
            kept=count,
            kept_hash=digest,
        )
        store.append([event], using=using)
    removed = step.archived + kept_before - count
    return Pruned(step=step, removed=removed, kept=count, segment=name, sha256=sha256)


def _remove(until: int, kept: Sequence[int], using: str) -> None:
    """Deletes all events up to a position but those at the kept ones; past the host's signals, which have no say."""
    gaps = [(low, high) for low, high in pairwise([0, *kept, until + 1]) if high - low > 1]
    with connections[using].cursor() as cursor:
        cursor.executemany(f"DELETE FROM {EVENT} WHERE position > %s AND position < %s", gaps)  # noqa: S608
