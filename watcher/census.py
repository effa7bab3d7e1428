"""Compares every reference with the disk when a span opens, and again as a safety net: the checkpoint."""

from collections.abc import Iterator
from dataclasses import dataclass, field
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
from auditor.models import MissingFile, Root
from auditor.orphans import references
from auditor.orphans.disk import Disk, Verdict, is_directory
from auditor.orphans.references import Row, lies_below
from auditor.orphans.registry import AuditedField, AuditedModel, audited_models

ODD_KEYS_KEPT = 1_000  # to a field: the log route looks at each of them every time
BATCH = 2_000  # events


def take_census(root: Root, span: UUID, *, using: str) -> Iterator[list[Event]]:
    """The events that bring the missing set of a root up to the disk, in batches, then the checkpoint itself.

    They are to be appended in order; the span must be open, with every directory watched.
    """
    census = Census(
        root=root,
        using=using,
        as_of=store.head_position(using),
        known=_known_missing(root, using),
        disk=Disk(root.path, exact=True),
    )
    yield from store.chunks(census.compare(), BATCH)
    yield [
        CheckpointCompleted(
            root=root.pk,
            occurred_at=store.database_time(using),
            span=str(span),
            compared={name: store.stored_field(seen) for name, seen in census.compared.items()},
            references=census.references,
            missing=census.missing,
        )
    ]


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
    compared: dict[str, FieldSeen] = field(default_factory=dict)
    references: int = 0
    missing: int = 0

    def compare(self) -> Iterator[Event]:
        """The events by which the disk differs from the missing set; what is found again comes last.

        Until then the set may hold too much, but never lacks a name that is gone.
        """
        files, directories = self.known
        moment = store.database_time(self.using)
        returned = {path for path in directories if is_directory(self.root.path, path)}
        gone = directories - returned
        for name in self._missing_names():
            if name not in files and not lies_below(name, gone):
                files.add(name)
                yield FileDeleted(root=self.root.pk, path=name, occurred_at=moment, cause="census")
        away = Disk(self.root.path, exact=True).judge(files)
        for path in files - away.keys():
            yield FileFound(root=self.root.pk, path=path, occurred_at=moment, as_of=self.as_of)
        for path in returned:
            yield DirectoryFound(root=self.root.pk, path=path, occurred_at=moment, as_of=self.as_of)

    def _missing_names(self) -> Iterator[str]:
        for audited in references.in_database(audited_models(), self.using):
            fields = [(at, one) for at, one in enumerate(audited.fields, 1) if one.root == self.root.path]
            if fields:
                yield from self._missing_of(audited, fields)

    def _missing_of(self, audited: AuditedModel, fields: list[tuple[int, AuditedField]]) -> Iterator[str]:
        # Read before the first record: whatever is added meanwhile has a higher key, and is looked at each time.
        highest = references.highest_key(audited, self.using) if audited.has_increasing_key else None
        odd_keys: dict[str, set[int]] = {one.id: set() for _, one in fields}
        for chunk in references.read_all(audited, self.using):
            for at, one in fields:
                yield from self._missing_in(chunk, at, odd_keys[one.id])
        for name, keys in odd_keys.items():
            kept = tuple(sorted(keys)) if len(keys) <= ODD_KEYS_KEPT and highest is not None else None
            self.compared[name] = FieldSeen(highest_key=highest, odd_keys=kept)

    def _missing_in(self, chunk: list[Row], at: int, odd_keys: set[int]) -> Iterator[str]:
        names = [row[at] for row in chunk if row[at]]
        self.references += len(names)
        looks = self.disk.judge(names)
        for row in chunk if looks else ():
            look = looks.get(row[at])
            if look is None:
                continue
            is_beyond_log = look.is_odd or is_too_long(row[at])
            if is_beyond_log and len(odd_keys) <= ODD_KEYS_KEPT:
                odd_keys.add(row[0])
            if look.verdict is Verdict.MISSING:
                self.missing += 1
                if not is_beyond_log:
                    yield row[at]
