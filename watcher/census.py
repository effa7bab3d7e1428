"""Compares every reference with the disk when a span opens, and again as a safety net: the checkpoint."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from auditor.auditlog import store
from auditor.auditlog.coverage import FieldSeen
from auditor.auditlog.events import (
    CheckpointCompleted,
    DirectoryFound,
    Event,
    FileDeleted,
    FileFound,
    is_too_long,
)
from auditor.models import MissingFile, Root, Span
from auditor.orphans import references
from auditor.orphans.disk import PRESENT, Disk, Verdict, is_directory
from auditor.orphans.references import Row, lies_below
from auditor.orphans.registry import AuditedField, AuditedModel, audited_models
from watcher.reach import Reach

ODD_KEYS_KEPT = 1_000  # to a field: the log route looks at each of them every time
BATCH = 2_000  # events


def take_census(root: Root, span: UUID, *, reach: Reach, using: str) -> Iterator[list[Event]]:
    """The events that bring the missing set of a root up to the disk, in batches, the checkpoint itself last.

    They are to be appended in order; the span must be open, with every directory listened to.
    A batch may be empty: the caller may do something else before it asks for the next.
    """
    census = Census(
        root=root,
        using=using,
        as_of=store.head_position(using),
        known=_known_missing(root, using),
        disk=Disk(root.path, exact=True),
        reach=reach,
        since=_covered_before(root, using),
    )
    pending: list[Event] = []
    for events in census.compare():
        pending += events
        if len(pending) >= BATCH:
            yield pending
            pending = []
        else:
            yield []
    yield [
        *pending,
        CheckpointCompleted(
            root=root.pk,
            occurred_at=store.database_time(using),
            span=str(span),
            compared={name: store.stored_field(seen) for name, seen in census.compared.items()},
            references=census.references,
            missing=census.missing,
        ),
    ]


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
    """One comparison; `as_of` is the log's position before the first look, `compared` grows as fields are done."""

    root: Root
    using: str
    as_of: int
    known: tuple[set[str], frozenset[str]]
    disk: Disk
    reach: Reach
    since: str | None
    compared: dict[str, FieldSeen] = field(default_factory=dict)
    references: int = 0
    missing: int = 0

    def compare(self) -> Iterator[list[Event]]:
        """The events by which the disk differs from the missing set; what is found again comes last.

        Until then the set may hold too much, but never lacks a name that is gone.
        """
        files, directories = self.known
        moment = store.database_time(self.using)
        returned: set[str] = set()
        for path in directories:
            if self.reach.is_heard(f"{path}/") and is_directory(self.root.path, path):
                returned.add(path)
            yield []
        gone = directories - returned
        for names in self._missing_names():
            new = [name for name in dict.fromkeys(names) if name not in files and not lies_below(name, gone)]
            files.update(new)
            yield [self._gone(name, moment) for name in new]
        for names in store.chunks(files, BATCH):
            heard = [name for name in names if self.reach.is_heard(name)]
            away = Disk(self.root.path, exact=True).judge(heard)
            back = [name for name in heard if name not in away]
            yield [FileFound(root=self.root.pk, path=name, occurred_at=moment, as_of=self.as_of) for name in back]
        yield [DirectoryFound(root=self.root.pk, path=path, occurred_at=moment, as_of=self.as_of) for path in returned]

    def _gone(self, name: str, moment: datetime) -> Event:
        return FileDeleted(root=self.root.pk, path=name, occurred_at=moment, cause="census", since=self.since)

    def _missing_names(self) -> Iterator[list[str]]:
        for audited in references.in_database(audited_models(), self.using):
            fields = [(at, one) for at, one in enumerate(audited.fields, 1) if one.root == self.root.path]
            if fields:
                yield from self._missing_of(audited, fields)

    def _missing_of(self, audited: AuditedModel, fields: list[tuple[int, AuditedField]]) -> Iterator[list[str]]:
        # Read before the first record: whatever is added meanwhile has a higher key, and is looked at each time.
        highest = references.highest_key(audited, self.using) if audited.has_increasing_key else None
        odd_keys: dict[str, set[int]] = {one.id: set() for _, one in fields}
        for chunk in references.read_all(audited, self.using):
            yield [name for at, one in fields for name in self._missing_in(chunk, at, odd_keys[one.id])]
        for name, keys in odd_keys.items():
            kept = tuple(sorted(keys)) if len(keys) <= ODD_KEYS_KEPT and highest is not None else None
            self.compared[name] = FieldSeen(highest_key=highest, odd_keys=kept)

    def _missing_in(self, chunk: list[Row], at: int, odd_keys: set[int]) -> Iterator[str]:
        names = [row[at] for row in chunk if row[at]]
        self.references += len(names)
        # Asked before the look: what is heard of by then, and is there, cannot vanish without a word.
        ignored = {name for name in names if self.reach.is_ignored(name)}
        unheard = {name for name in names if name not in ignored and not self.reach.is_heard(name)}
        looks = self.disk.judge(names)
        for row in chunk if looks or ignored or unheard else ():
            look = looks.get(row[at], PRESENT)
            is_beyond_log = look.is_odd or row[at] in ignored or is_too_long(row[at])
            is_unheard = row[at] in unheard and look.verdict is Verdict.PRESENT
            if is_beyond_log or is_unheard:
                _keep_odd(odd_keys, row[0])
            self.reach.unheard += is_unheard and not is_beyond_log
            if look.verdict is Verdict.MISSING:
                self.missing += 1
                if not is_beyond_log:
                    yield row[at]


def _keep_odd(odd_keys: set[int], key: int) -> None:
    if len(odd_keys) <= ODD_KEYS_KEPT:  # one more than is kept says that there are too many
        odd_keys.add(key)
