"""Verifies the log from where the last verification ended, and notes where this one has."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from django.db.utils import Error as DatabaseFailure

from auditor import conf
from auditor.archive import reading
from auditor.auditlog import pruned, store
from auditor.auditlog.anchors import Anchor, compare
from auditor.auditlog.events import LogPruned
from auditor.auditlog.verifying import Fault, Place, Progress, verify
from auditor.errors import AuditorError, ExitCode
from auditor.models import Verified
from auditor.wording import counted

UNANCHORED = "A cut tail or a log written anew does not show without --anchors."
UNANCHORED_BUT_KEYED = "A cut tail does not show without --anchors."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A log without a fault: where this verification began and ended, and how many anchors and segments fit.

    `archive` is what the newest prune says; None if there was none.
    """

    since: Place
    until: Place
    anchors: Mapping[int, Anchor]
    archive: LogPruned | None
    segments: int
    is_noted: bool


def verify_log(
    *, is_full: bool, anchors: Mapping[int, Anchor], segments: str, using: str, progress: Progress = lambda _: None
) -> Verification:
    """Verifies the log, and what was archived if the folder `segments` is given.

    Raises AuditorError (verification failed) with the first fault.
    """
    since = Place() if is_full else _last(using)
    until = verify(since, key=conf.seal_key(), using=using, progress=progress)
    if isinstance(until, Fault):
        raise refusal(until)
    if fault := compare(anchors, using=using):
        raise refusal(fault)
    return Verification(
        since=since,
        until=until,
        anchors=anchors,
        archive=pruned.last_prune(using),
        segments=len(reading.checked(segments, using=using)) if segments else 0,
        is_noted=_note(until, using),
    )


def refusal(fault: Fault) -> AuditorError:
    """The error that a fault amounts to."""
    return AuditorError(
        f"The audit log is not as it was written: position {fault.position}, batch {fault.batch}: {fault.what}.",
        hint="Keep a copy of the database as it is now, then compare it with a backup.",
        exit_code=ExitCode.VERIFICATION_FAILED,
    )


def sentences(done: Verification) -> Iterator[str]:
    """What was verified, and what that does not show."""
    archived = done.archive.until if done.archive else 0
    events = done.until.position - max(done.since.position, archived)
    batches = done.until.batch - done.since.batch
    yield (
        f"Verified: {counted(events, 'event')} in {counted(batches, 'batch', 'batches')}, "
        f"up to position {done.until.position}, batch {done.until.batch}."
    )
    if done.since.batch:
        yield f"Up to position {done.since.position} the log was verified before: --full reads that again."
    yield from _on_the_archive(done)
    if done.until.keyed_since:
        yield f"Sealed with a key from batch {done.until.keyed_since} on: a log written anew without it would not be."
    if done.anchors:
        last = max(done.anchors)
        yield f"{counted(len(done.anchors), 'anchor')} fit, up to batch {last}: a tail cut behind it would not show."
    else:
        yield UNANCHORED_BUT_KEYED if done.until.keyed_since else UNANCHORED
    if not done.is_noted:
        yield "This could not be noted in the database, so the next verification begins where this one did."


def _on_the_archive(done: Verification) -> Iterator[str]:
    if done.archive is None:
        return
    until, kept = done.archive.until, counted(done.archive.kept, "event")
    if done.segments:
        yield f"{counted(done.segments, 'segment')} of the archive fit, up to position {until}."
    elif done.since.position < until:
        yield f"Up to position {until}, where it was pruned, the seals and {kept} were: --segments reads the others."


def _last(using: str) -> Place:
    row = Verified.objects.using(using).first()
    if row is None:
        return Place()
    return Place(batch=row.batch, position=row.position, seal=row.seal, keyed_since=row.keyed_since)


def _note(place: Place, using: str) -> bool:
    """Whether it could be noted: a database role that may only read can verify as well."""
    try:
        noted = asdict(place) | {"verified_at": store.database_time(using)}
        Verified.objects.using(using).update_or_create(pk=1, defaults=noted)
    except DatabaseFailure:
        return False
    return True
