"""Verifies the log from where the last verification ended, and notes where this one has."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from django.db.utils import Error as DatabaseFailure

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.anchors import Anchor, compare
from auditor.auditlog.verifying import Fault, Place, Progress, verify
from auditor.errors import AuditorError, ExitCode
from auditor.models import Verified
from auditor.wording import counted

UNANCHORED = "A cut tail or a log written anew does not show without --anchors."
UNANCHORED_BUT_KEYED = "A cut tail does not show without --anchors."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A log without a fault: where this verification began and ended, and how many anchors fit."""

    since: Place
    until: Place
    anchors: Mapping[int, Anchor]
    is_noted: bool


def verify_log(
    *, is_full: bool, anchors: Mapping[int, Anchor], using: str, progress: Progress = lambda _: None
) -> Verification:
    """Verifies the log; raises AuditorError (verification failed) with the first fault."""
    since = Place() if is_full else _last(using)
    until = verify(since, key=conf.seal_key(), using=using, progress=progress)
    if isinstance(until, Fault):
        raise refusal(until)
    if fault := compare(anchors, using=using):
        raise refusal(fault)
    return Verification(since=since, until=until, anchors=anchors, is_noted=_note(until, using))


def refusal(fault: Fault) -> AuditorError:
    """The error that a fault amounts to."""
    return AuditorError(
        f"The audit log is not as it was written: position {fault.position}, batch {fault.batch}: {fault.what}.",
        hint="Keep a copy of the database as it is now, then compare it with a backup.",
        exit_code=ExitCode.VERIFICATION_FAILED,
    )


def sentences(done: Verification) -> Iterator[str]:
    """What was verified, and what that does not show."""
    events, batches = done.until.position - done.since.position, done.until.batch - done.since.batch
    yield (
        f"Verified: {counted(events, 'event')} in {counted(batches, 'batch', 'batches')}, "
        f"up to position {done.until.position}, batch {done.until.batch}."
    )
    if done.since.batch:
        yield f"Up to position {done.since.position} the log was verified before: --full reads that again."
    if done.until.keyed_since:
        yield f"Sealed with a key from batch {done.until.keyed_since} on: a log written anew without it would not be."
    if done.anchors:
        last = max(done.anchors)
        yield f"{counted(len(done.anchors), 'anchor')} fit, up to batch {last}: a tail cut behind it would not show."
    else:
        yield UNANCHORED_BUT_KEYED if done.until.keyed_since else UNANCHORED
    if not done.is_noted:
        yield "This could not be noted in the database, so the next verification begins where this one did."


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
