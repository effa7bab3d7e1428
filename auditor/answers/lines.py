"""Answers as lines of the JSON log."""

import json
from collections.abc import Iterable, Iterator

from auditor.answers import catalogue
from auditor.answers.blind import Interval
from auditor.answers.figures import Figures
from auditor.answers.life import Life
from auditor.answers.record import RecordLife
from auditor.answers.runs import RunListed
from auditor.answers.sentences import Archive
from auditor.answers.verification import Verification
from auditor.archive.pruning import Pruned
from auditor.auditlog.rebuilding import Difference
from auditor.catalogue import LogLine
from auditor.models import Event


def of_file(life: Life) -> Iterator[LogLine]:
    """The life of a file."""
    for told in life.told:
        yield catalogue.LifeTold(
            root=life.path, path=life.name, position=told.position, occurred_at=told.at.isoformat(), text=told.text
        )
    yield catalogue.LifeSeen(
        root=life.path,
        path=life.name,
        is_known=life.is_known,
        records=[f"{one.model}:{one.key}" for one in life.holders],
        verdict=life.look.verdict if life.look else None,
        reason=(life.look.reason or None) if life.look else None,
        archived_until=life.archive.until if life.archive else None,
    )


def of_record(life: RecordLife) -> Iterator[LogLine]:
    """The life of a record, without that of its files."""
    for told in life.told:
        yield catalogue.LifeTold(model=life.model, key=life.key, occurred_at=told.at.isoformat(), text=told.text)


def intervals(some: Iterable[Interval]) -> Iterator[LogLine]:
    """Covered and blind intervals."""
    for one in some:
        yield catalogue.IntervalListed(
            root=one.root,
            is_covered=one.is_covered,
            since=one.since.isoformat(),
            until=one.until.isoformat(),
            is_now=one.is_now,
            reason=one.reason or None,
            detail=one.detail or None,
        )


def of_event(row: Event, root: str | None) -> LogLine:
    """An event of the audit log."""
    return catalogue.EventListed(
        position=row.position,
        type=row.type,
        root=root,
        path=row.path,
        occurred_at=row.occurred_at.isoformat(),
        run=str(row.run_id) if row.run_id else None,
        data=json.dumps(row.data, sort_keys=True),
    )


def runs(some: Iterable[RunListed]) -> Iterator[LogLine]:
    """Runs and what they did."""
    for one in some:
        yield catalogue.RunSeen(
            seen=str(one.uid),
            command=one.command,
            user=one.user,
            finished_at=one.finished_at.isoformat(),
            is_complete=one.is_complete,
            counts=one.counts,
        )


def figures(log: Figures) -> LogLine:
    """How large the log is."""
    return catalogue.LogMeasured(
        events=log.events,
        batches=log.batches,
        first_position=log.first_position,
        archived_until=log.archived_until,
        kept=log.kept,
        oldest=log.oldest.isoformat() if log.oldest else None,
        newest=log.newest.isoformat() if log.newest else None,
        sizes=log.sizes,
        days={day.isoformat(): count for day, count in log.days.items()},
    )


def verified(done: Verification) -> LogLine:
    """A log that is as it was written."""
    return catalogue.LogVerified(
        since_batch=done.since.batch,
        batch=done.until.batch,
        position=done.until.position,
        seal=done.until.seal,
        anchors=len(done.anchors),
        archived_until=done.archive.until if done.archive else 0,
        segments=done.segments,
        keyed_since=done.until.keyed_since,
    )


def archived(archive: Archive) -> LogLine:
    """What was archived, and may know more."""
    return catalogue.ArchiveNamed(until=archive.until, segment=archive.segment)


def pruned(one: Pruned, *, is_dry: bool) -> LogLine:
    """What one step of a prune did, or would."""
    return catalogue.LogPruned(
        until=one.step.until.position,
        batch=one.step.until.batch,
        seal=one.step.until.seal,
        archived=one.step.archived,
        removed=one.removed,
        kept=one.kept,
        segment=one.segment,
        sha256=one.sha256,
        dry_run=is_dry,
    )


def differences(some: Iterable[Difference], *, is_dry: bool) -> Iterator[LogLine]:
    """How the projections differed from the events."""
    for one in some:
        yield catalogue.ProjectionCompared(
            table=one.table, lacking=one.lacking, surplus=one.surplus, wrong=one.wrong, dry_run=is_dry
        )
