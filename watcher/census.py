"""Compares every reference with the disk when a span opens, and again as a safety net: the checkpoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.coverage import FieldSeen
from auditor.auditlog.events import CheckpointCompleted, DirectoryFound, Event, FileDeleted, FileFound
from auditor.journal import entries, triggers
from auditor.journal.columns import Column, unique
from auditor.journal.entries import Range
from auditor.models import Absence, MissingFile, Root, Span
from auditor.orphans import references
from auditor.orphans.disk import PRESENT, Disk, is_directory
from auditor.orphans.fingerprints import keep_prints
from auditor.orphans.references import Row, lies_below
from watcher.reach import Reach
from watcher.root_fields import RootField, fields_of
from watcher.standing import standings

ODD_KEYS_KEPT = 1_000  # to a field: the log route looks at each of them every time
BATCH = 2_000  # events, or candidates


@dataclass(slots=True, kw_only=True)
class Part:
    """What a census has found since its last part; the events and what `keep` writes belong in one transaction."""

    events: list[Event] = field(default_factory=list)
    candidates: dict[Column, list[str]] = field(default_factory=dict)
    end: "End | None" = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.events or self.candidates)

    @property
    def is_large(self) -> bool:
        """Whether it is enough for a transaction of its own."""
        return len(self.events) >= BATCH or sum(map(len, self.candidates.values())) >= BATCH

    def add(self, events: Sequence[Event], candidates: Mapping[Column, Sequence[str]]) -> None:
        """Takes in what was found next."""
        self.events += events
        for column, keys in candidates.items():
            self.candidates.setdefault(column, []).extend(keys)

    def keep(self, using: str) -> None:
        """Writes what is not for the log; to be called after the events were appended."""
        for column, keys in self.candidates.items():
            entries.add_candidates(column, keys, using=using)
        if self.end is not None:
            self.end.keep(using)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a whole census makes superfluous: it has looked at all that was journaled or missing before it began."""

    root: int
    as_of: int
    journaled: Sequence[Range]

    def keep(self, using: str) -> None:
        """Takes it out of the journal, and says up to where the log is resolved."""
        entries.remove_ranges(self.journaled, using=using)
        behind = Root.objects.using(using).filter(pk=self.root, resolved_until__lt=self.as_of)
        behind.update(resolved_until=self.as_of)


def take_census(root: Root, span: UUID, *, reach: Reach, using: str) -> Iterator[Part]:
    """What brings the missing set and the candidates of a root up to the disk, the checkpoint itself last.

    The parts are to be committed in order; the span must be open, with every directory listened to.
    A part may be empty: the caller may do something else before it asks for the next.
    """
    fields = fields_of(root.path, using)
    columns = unique([one.column for one in fields])
    # All before the first look. What the triggers write from now on is in the journal, whether the census sees it or
    # not; what they had written before is seen by it. What the log comes to say of names is resolved later.
    marks = _marks(columns, using)
    journaled = entries.written_so_far(columns, using=using)
    as_of = store.head_position(using)
    census = Census(
        root=root,
        using=using,
        as_of=as_of,
        fields=fields,
        known=_known_missing(root, using),
        absent=set(Absence.objects.using(using).filter(root=root).values_list("path", flat=True)),
        disk=Disk(root.path, exact=True),
        reach=reach,
        since=_covered_before(root, using),
        keeps_fingerprints=conf.keeps_fingerprints(),
    )
    pending = Part()
    for events in census.compare():
        pending.add(events, census.found())
        if pending.is_large:
            yield pending
            pending = Part()
        else:
            yield Part()
    marks_now = _marks(columns, using)
    pending.events.append(
        CheckpointCompleted(
            root=root.pk,
            occurred_at=store.database_time(using),
            span=str(span),
            compared=census.compared({name: mark for name, mark in marks.items() if mark == marks_now[name]}),
            references=census.references,
            missing=census.missing,
        )
    )
    pending.end = End(root=root.pk, as_of=as_of, journaled=journaled)
    yield pending


def _marks(columns: Sequence[Column], using: str) -> dict[str, str]:
    return {name: seen.mark for name, seen in triggers.look(columns, using=using).items()}


def _covered_before(root: Root, using: str) -> str | None:
    """Up to when nothing had vanished that the log does not know: the watermark of the last checked span."""
    checked = Span.objects.using(using).filter(root=root, checkpoints__isnull=False)
    reached = checked.order_by("-opened_position").values_list("covered_until", flat=True).first()
    return reached.isoformat() if reached else None


def _known_missing(root: Root, using: str) -> tuple[set[str], frozenset[str]]:
    rows = MissingFile.objects.using(using).filter(root=root)
    files = set(rows.filter(is_directory=False).values_list("path", flat=True))
    return files, frozenset(rows.filter(is_directory=True).values_list("path", flat=True))


@dataclass(slots=True, kw_only=True)
class Census:
    """One comparison; `as_of` is the log's position before the first look.

    `known` are the files and the directories of the missing set, `absent` what runs have seen missing.
    """

    root: Root
    using: str
    as_of: int
    fields: Sequence[RootField]
    known: tuple[set[str], frozenset[str]]
    absent: set[str]
    disk: Disk
    reach: Reach
    since: str | None
    keeps_fingerprints: bool
    references: int = 0
    missing: int = 0
    _odd: dict[str, int] = field(default_factory=dict)  # how many odd names each field has
    _keys: dict[RootField, list[Any]] = field(default_factory=dict)  # of records that are candidates

    def compare(self) -> Iterator[list[Event]]:
        """The events by which the disk differs from the missing set; what is found again comes last.

        Until then the set may hold too much, but never lacks a name that is gone.
        """
        files, directories = self.known
        found: set[str] = set()
        moment = store.database_time(self.using)
        returned: set[str] = set()
        for path in directories:
            if self.reach.is_heard(f"{path}/") and is_directory(self.root.path, path):
                returned.add(path)
            yield []
        gone = directories - returned
        for names in self._missing_names():
            unknown = [name for name in dict.fromkeys(names) if name not in files and name not in found]
            new = [name for name in unknown if not lies_below(name, gone)]
            found.update(new)
            # By a clock that is read after the look: they had vanished by then.
            missed_at = store.database_time(self.using) if new else moment
            yield [self._gone(name, missed_at) for name in new]
        # Not those that were found just now: what comes back meanwhile is heard of.
        for names in store.chunks(chain(files, self.absent - files - found), BATCH):
            heard = [name for name in names if self.reach.is_heard(name)]
            away = Disk(self.root.path, exact=True).judge(heard)
            back = [name for name in heard if name not in away]
            yield [FileFound(root=self.root.pk, path=name, occurred_at=moment, as_of=self.as_of) for name in back]
        yield [DirectoryFound(root=self.root.pk, path=path, occurred_at=moment, as_of=self.as_of) for path in returned]

    def found(self) -> dict[Column, list[str]]:
        """The candidates that were found since this was last asked, as {column: keys as text}."""
        found: dict[Column, list[str]] = {}
        for one, keys in self._keys.items():
            found.setdefault(one.column, []).extend(text for _, text in one.key_texts(keys, self.using))
        self._keys.clear()
        return found

    def compared(self, marks: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """What the checkpoint says of each field, given the marks of those columns that were journaled throughout."""
        return {
            one.field.id: store.stored_field(
                FieldSeen(
                    journal=marks.get(one.column.id, ""),
                    has_too_many_odd=self._odd[one.field.id] > ODD_KEYS_KEPT,
                )
            )
            for one in self.fields
        }

    def _gone(self, name: str, moment: datetime) -> Event:
        return FileDeleted(root=self.root.pk, path=name, occurred_at=moment, cause="census", since=self.since)

    def _missing_names(self) -> Iterator[list[str]]:
        by_model: dict[str, list[RootField]] = {}
        for one in self.fields:
            self._odd[one.field.id] = 0
            by_model.setdefault(one.audited.id, []).append(one)
        for fields in by_model.values():
            for chunk in references.read_all(fields[0].audited, self.using):
                yield [name for one in fields for name in self._missing_in(chunk, one)]

    def _missing_in(self, chunk: list[Row], one: RootField) -> Iterator[str]:
        names = [row[one.at] for row in chunk if row[one.at]]
        self.references += len(names)
        found = standings(names, disk=self.disk, reach=self.reach)
        if self.keeps_fingerprints:
            plain = [name for name in names if name not in found or found[name].look is PRESENT]
            keep_prints(self.root, plain, using=self.using)
        if not found:
            return
        keys, field_id = self._keys.setdefault(one, []), one.field.id
        for row in chunk:
            standing = found.get(row[one.at])
            if standing is None:
                continue
            self.missing += standing.is_missing
            self._odd[field_id] += not standing.is_missing
            self.reach.unheard += standing.may_be_heard_later
            if standing.is_missing or self._odd[field_id] <= ODD_KEYS_KEPT:  # with more, the log route is closed
                keys.append(row[0])
            if standing.is_missing and not standing.is_beyond_log:
                yield row[one.at]
