"""Verifies the log: computes every hash and every seal again, from the raw columns of the tables.

Projections are no part of it: they can be made again from the events.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias
from uuid import UUID

from auditor.auditlog import pruned
from auditor.auditlog.digests import Row, digest, kept_hash, node, rows_between
from auditor.auditlog.events import LogPruned
from auditor.auditlog.seal import GENESIS
from auditor.auditlog.store import seal_of
from auditor.errors import AuditorError
from auditor.models import Batch, Event, Head

BATCHES_AT_ONCE = 1_000
FEW = 100  # events: in a batch of no more, it is found out which of them were exchanged, or which one was put in

Progress: TypeAlias = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A batch up to which the log was verified, with its last position and its seal.

    `keyed_since` is the first batch that is sealed with the key; from there on, all have to be.
    """

    batch: int = 0
    position: int = 0
    seal: str = GENESIS
    keyed_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first place at which the log is not as it was written, and what is wrong with it, in words."""

    position: int
    batch: int
    what: str


class BrokenLogError(Exception):
    """Carries a `Fault` out of the walk."""

    def __init__(self, position: int, batch: int, what: str) -> None:
        super().__init__(what)
        self.fault = Fault(position=position, batch=batch, what=what)


def verify(start: Place, *, key: bytes | None, using: str, progress: Progress = lambda _: None) -> Place | Fault:
    """Where the verified log ends, or the first fault behind the place `start`; only reads.

    The log may grow meanwhile: what comes later is not looked at. Of what was archived, the seals are verified, and
    the events that were kept.
    """
    while True:
        before = pruned.place_of_last_prune(using)
        found = _verify(start, key, using, progress)
        if isinstance(found, Place) or before == pruned.place_of_last_prune(using):
            return found


def _verify(start: Place, key: bytes | None, using: str, progress: Progress) -> Place | Fault:
    head, first, last_event, last_batch = _ends(using)
    if head is None:
        if last_event or last_batch:
            return Fault(position=1, batch=1, what="there are events, and no head")
        return start
    try:
        _ensure_start(start, first, using)
        last_prune = _last_prune(using)
        if last_prune and start.position < pruned.place_of_last_prune(using):
            _ensure_kept(last_prune, using)
        end = _walk(start, Seals(head.log_id, key), head.batch, last_prune, using, progress)
    except BrokenLogError as broken:
        return broken.fault
    if (head.batch, head.position, head.seal) != (end.batch, end.position, end.seal):
        return Fault(position=end.position, batch=end.batch, what="the head does not fit this last batch")
    if (last_event or 0) > end.position:
        return Fault(position=end.position + 1, batch=end.batch, what="an event was inserted behind the head")
    if (last_batch or 0) > end.batch:
        return Fault(position=end.position + 1, batch=end.batch + 1, what="a batch was inserted behind the head")
    return end


def _ends(using: str) -> tuple[Head | None, int | None, int | None, int | None]:
    """The head, and the first and the last position and the last batch, all at a time when nothing was appended."""
    while True:
        head = Head.objects.using(using).first()
        positions = Event.objects.using(using).order_by("position").values_list("position", flat=True)
        first, last = positions.first(), positions.last()
        last_batch = Batch.objects.using(using).order_by("number").values_list("number", flat=True).last()
        again = Head.objects.using(using).first()
        if (head and head.seal) == (again and again.seal):
            return head, first, last, last_batch


def _ensure_start(start: Place, first: int | None, using: str) -> None:
    if start.batch:
        seal = Batch.objects.using(using).filter(number=start.batch).values_list("seal", flat=True).first()
        if seal != start.seal:
            what = "its batch is missing" if seal is None else "its batch has another seal than when it was verified"
            raise BrokenLogError(start.position, start.batch, what)
    elif first is not None and first < 1:
        raise BrokenLogError(first, 1, "an event was inserted before the first one")


def _last_prune(using: str) -> LogPruned | None:
    """What the newest prune says; it lies behind what it says of, and so in a batch that is verified."""
    at = pruned.place_of_last_prune(using)
    try:
        last = pruned.last_prune(using)
        if last is None or last.until < at:
            return last
    except (AuditorError, TypeError):
        pass
    batch = Batch.objects.using(using).filter(first_position__lte=at).order_by("-first_position").first()
    raise BrokenLogError(at, batch.number if batch else 1, "the event was edited")


def _ensure_kept(last: LogPruned, using: str) -> None:
    if kept_hash(rows_between(0, last.until, using=using)) != (last.kept, last.kept_hash):
        what = "up to here, of the events that were kept when the log was pruned, one was edited, inserted or deleted"
        raise BrokenLogError(last.until, last.batch, what)


@dataclass(frozen=True, slots=True)
class Seals:
    """What seals are made with: the id of the log, and the key if there is one."""

    log_id: UUID
    key: bytes | None

    def fits(self, batch: Batch, *, is_keyed: bool) -> bool:
        """Whether the batch has the seal that it must have, with the key or without."""
        if is_keyed and self.key is None:
            return False
        return batch.seal == seal_of(self.log_id, batch, self.key if is_keyed else None)


def _walk(
    start: Place, seals: Seals, last: int, last_prune: LogPruned | None, using: str, progress: Progress
) -> Place:
    """The end of the batch with the number `last`, if all up to there fits together."""
    place = start
    archived = last_prune.batch if last_prune else 0
    rows = rows_between(max(start.position, last_prune.until if last_prune else 0), using=using)
    for batch in batches_between(start.batch, last, using):
        is_keyed = seals.fits(batch, is_keyed=True)
        if why := _why_it_does_not_follow(batch, place, seals, is_keyed=is_keyed):
            raise BrokenLogError(place.position + 1, place.batch + 1, why)
        if batch.number > archived:
            _ensure_events(batch, rows)
        place = Place(
            batch=batch.number,
            position=batch.last_position,
            seal=batch.seal,
            keyed_since=place.keyed_since or (batch.number if is_keyed else None),
        )
        progress(batch.count)
    if place.batch < last:
        raise BrokenLogError(place.position + 1, place.batch + 1, "its batch and all later ones are missing")
    return place


def _ensure_events(batch: Batch, rows: Iterator[Row]) -> None:
    found = list(islice(rows, batch.count))
    _ensure_complete(batch, [row[0] for row in found])
    digests = [digest(row) for row in found]
    if node(digests) != batch.events_hash:
        raise _what_happened(batch, digests, next(rows, None))


def _why_it_does_not_follow(batch: Batch, place: Place, seals: Seals, *, is_keyed: bool) -> str:
    if batch.number != place.batch + 1:
        return "its batch is missing"
    if batch.first_position != place.position + 1:
        return f"its batch says that it begins at {batch.first_position}"
    if batch.previous_seal != place.seal:
        return "its batch does not follow the seal of the batch before"
    if is_keyed:
        return ""
    if not seals.fits(batch, is_keyed=False):
        return "its batch does not fit its seal: it or the id of the log was edited, or the key is another one"
    return "its batch is sealed without the key, and one before it is sealed with it" if place.keyed_since else ""


def _ensure_complete(batch: Batch, positions: Sequence[int]) -> None:
    expected = range(batch.first_position, batch.first_position + batch.count)
    if list(positions) != list(expected):
        missing = min(set(expected) - set(positions))
        raise BrokenLogError(missing, batch.number, "the event is missing")


def _what_happened(batch: Batch, digests: list[bytes], following: Row | None) -> BrokenLogError:
    """A batch whose events do not fit its hash: where it is small, it is tried what would make them fit."""
    first, count = batch.first_position, len(digests)
    for one in range(count if count <= FEW else 0):
        for other in range(one + 1, count):
            tried = digests.copy()
            tried[one], tried[other] = tried[other], tried[one]
            if node(tried) == batch.events_hash:
                what = f"the event was exchanged with the one at {first + other}"
                return BrokenLogError(first + one, batch.number, what)
        without = digests[:one] + digests[one + 1 :]
        if following is not None and node([*without, digest(following)]) == batch.events_hash:
            return BrokenLogError(first + one, batch.number, "the event was inserted")
    which = "the event" if count == 1 else f"an event from here to {batch.last_position}"
    return BrokenLogError(first, batch.number, f"{which} was edited")


def batches_between(after: int, until: int, using: str) -> Iterator[Batch]:
    """The batches behind a number, and up to another one, in order."""
    rows = Batch.objects.using(using).order_by("number")
    while found := list(rows.filter(number__gt=after, number__lte=until)[:BATCHES_AT_ONCE]):
        yield from found
        after = found[-1].number
