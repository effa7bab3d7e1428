"""Brings the log and the trash together after a run that did not reach its end.

Every move is told before it is made, so what may be wrong is only an event of a move that was never made.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from auditor.auditlog import store
from auditor.auditlog.events import (
    Event,
    FileFreed,
    FileTrashed,
    FileUntrashed,
    RunCompleted,
    from_stored,
)
from auditor.errors import AuditorError
from auditor.models import Event as EventRow
from auditor.models import Run
from auditor.usage import moving
from auditor.usage.bins import Binned, is_file, length_of, top_of, tops_of
from auditor.usage.telling import COMMAND, Teller
from auditor.usage.used import used_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A run that was ended before its end: what it told in all, and how much of that had to be corrected.

    `put_back` counts the files that a record had come to name, which the run would have seen at its end.
    """

    run: UUID
    told: int
    corrected: int
    put_back: int


def settle_unfinished(numbers: Mapping[str, int], using: str) -> list[Settled]:
    """Corrects what earlier runs told and did not do, takes their last look, and completes them.

    As long as a database or a hook is silent, nothing is settled.
    """
    runs = Run.objects.using(using).filter(command=COMMAND).order_by("started_at")
    ended = EventRow.objects.using(using).filter(run_id__in=[run.uid for run in runs], type=RunCompleted.type)
    complete = set(ended.values_list("run_id", flat=True))
    unfinished = [run.uid for run in runs if run.uid not in complete]
    try:
        return [settle(run, numbers, using) for run in unfinished]
    except AuditorError:
        return []


def settle(run: UUID, numbers: Mapping[str, int], using: str) -> Settled:
    """Corrects what one run told and did not do, puts back what a record names by now, and completes it.

    Raises AuditorError where what names files cannot be asked.
    """
    last = last_told(run, using)
    found = _look(last, run, numbers)
    teller = Teller(run=run, roots=numbers, using=using)
    for some in store.chunks(found.kept, store.CHUNK):
        teller.untrashed(some, cause="kept")
    for some in store.chunks(found.still_there, store.CHUNK):
        teller.trashed(some, cause="still_there")
    away = [one for one in found.in_trash if not os.path.lexists(one.path)]
    used = used_now([one.path for one in away], list(numbers)) if away else None
    put_back = _put_back([one for one in away if used and used.reason(one.path)], teller)
    kinds = Counter(map(type, last.values()))
    trashed = kinds[FileTrashed] - len(found.kept) + len(found.still_there) - put_back
    teller.completed({"trashed": trashed, "untrashed": kinds[FileUntrashed], "freed": kinds[FileFreed]})
    return Settled(run=run, told=len(last), corrected=len(found.kept) + len(found.still_there), put_back=put_back)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Files that a run was to move: those that it moved, and those that are where they were before."""

    in_trash: list[Binned] = field(default_factory=list)
    kept: list[Binned] = field(default_factory=list)
    still_there: list[tuple[Binned, int]] = field(default_factory=list)


def _look(last: Mapping[tuple[int | None, bytes], Event], run: UUID, numbers: Mapping[str, int]) -> _Found:
    found, roots = _Found(), {number: root for root, number in numbers.items()}
    tops = {root: tops_of(root) for root in numbers}
    for event in last.values():
        root = roots.get(event.root or 0)
        if root is None:
            continue
        one = _binned(event, root, tops[root], run)
        if not isinstance(event, FileTrashed):
            if is_file(one.place) and not os.path.lexists(one.path):
                found.still_there.append((one, length_of(one.place)))
        elif is_file(one.place):
            found.in_trash.append(one)
        elif is_file(one.path):
            found.kept.append(one)
    return found


def _put_back(named: Sequence[Binned], teller: Teller) -> int:
    count = 0
    for one in named:
        size = length_of(one.place)
        teller.untrashed([one], cause="named")
        if moving.out_of_trash(one):
            teller.trashed([(one, size)], cause="still_there")
        else:
            count += 1
    return count


def last_told(run: UUID, using: str) -> dict[tuple[int | None, bytes], Event]:
    """{(root, path): the last event of the run that speaks of the file}."""
    rows = EventRow.objects.using(using).filter(run_id=run).order_by("position")
    last: dict[tuple[int | None, bytes], Event] = {}
    for row in rows.iterator(store.BATCH):
        event = from_stored(store.stored_of(row))
        if isinstance(event, FileTrashed | FileUntrashed | FileFreed):
            last[event.root, path_of(event)] = event
    return last


def path_of(event: Event) -> bytes:
    """The whole path of an event, as on disk."""
    return event.path_bytes if event.path_bytes is not None else event.path.encode()


def _binned(event: Event, root: str, tops: list[bytes], run: UUID) -> Binned:
    path = os.fsencode(root).rstrip(b"/") + b"/" + path_of(event)
    by = getattr(event, "trashed_by", None)
    return Binned(root, top_of(path, tops), UUID(by) if by else run, path)
