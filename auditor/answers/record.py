"""The life of a record: which runs deleted, changed and brought it back, and which names it has had."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Max, Model

from auditor.answers.life import runs_made
from auditor.answers.sentences import Runs, Told
from auditor.models import Run, Tombstone
from auditor.orphans import references
from auditor.orphans.registry import AuditedModel, audit
from auditor.removal.tombstones import from_changed, from_payload
from auditor.wording import safe

RECORD = re.compile(r"(\w+\.\w+):(.+)", re.DOTALL)
READ_AT_ONCE = 100_000  # tombstones
MOST_READ = 2_000_000  # tombstones: the newest are looked through
DELETED = (Tombstone.Kind.ORPHAN, Tombstone.Kind.CASCADE)


@dataclass(slots=True, kw_only=True)
class RecordLife:
    """What there is to say of one record; `names` are those of its files, as (root, name), now and in tombstones.

    `waits_in` is the run from whose tombstones it can be brought back.
    """

    model: str
    key: str
    is_there: bool
    told: list[Told]
    names: list[tuple[str, str]]
    waits_in: UUID | None = None
    left_out: list[str] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether the database or a tombstone has anything to say of it."""
        return bool(self.told or self.is_there)


def model_and_key(text: str) -> tuple[type[Model], str] | None:
    """The model and the key of a record such as gallery.Photo:42; None where the text is no record."""
    found = RECORD.fullmatch(text)
    try:
        return (apps.get_model(found[1]), found[2]) if found else None
    except LookupError:
        return None


def life_of_record(model: type[Model], key: str, *, using: str) -> RecordLife:
    """All that is known of a record; only reads."""
    audited = audit(model)
    life = RecordLife(model=model._meta.label, key=key, is_there=False, told=[], names=[])
    stones = list(tombstones_of(life.model, key, left_out=life.left_out, using=using))
    ends = {run.uid: run for run in Run.objects.using(using).filter(uid__in={stone.run_id for stone in stones})}
    runs = runs_made(ends.keys(), using=using)
    for stone in reversed(stones):
        life.told += _told(stone, ends.get(stone.run_id), runs)
        life.names += _names(stone, audited)
        if stone.kind in DELETED:
            life.waits_in = None if stone.restored_at or stone.erased_at else stone.run_id
    now = _row_now(audited, key, using)
    life.is_there = now is not None
    life.names = list(dict.fromkeys(life.names + _named(audited, now or {})))
    life.told.sort(key=lambda one: one.at)
    return life


def tombstones_of(model: str, key: str, *, left_out: list[str], using: str) -> Iterator[Tombstone]:
    """A record's tombstones, the newest first: no index has them, so that a clean-up need not keep one.

    What was not looked through is added to `left_out`, in words.
    """
    newest = Tombstone.objects.using(using).aggregate(newest=Max("id"))["newest"] or 0
    stones = Tombstone.objects.using(using).filter(model=model, key=key).order_by("-id")
    for until in range(newest, max(0, newest - MOST_READ), -READ_AT_ONCE):
        yield from stones.filter(id__gt=until - READ_AT_ONCE, id__lte=until)
    if newest > MOST_READ:
        left_out.append(f"Only the newest {MOST_READ:,} tombstones were looked through.")


def _told(stone: Tombstone, run: Run | None, runs: Runs) -> Iterator[Told]:
    if run is None:
        return
    yield Told(at=run.finished_at, text=f"{runs[run.uid]} {_done(stone)}.")
    if stone.restored_at:
        yield Told(at=stone.restored_at, text="It was brought back as it had been.")
    if stone.erased_at:
        yield Told(at=stone.erased_at, text="What was kept of it was erased for good.")


def _done(stone: Tombstone) -> str:
    match stone.kind:
        case Tombstone.Kind.ORPHAN:
            return "deleted it, because its file was gone"
        case Tombstone.Kind.CASCADE:
            return "deleted it along with the record that it belonged to"
    change = {} if stone.erased_at else from_changed(stone.payload)
    column = safe(str(change.get("column", "a column")))
    if stone.kind == Tombstone.Kind.EMPTIED:
        return f"set its {column} anew, because what it pointed at was deleted"
    return f"pointed its {column} at {safe(str(change.get('new', 'another name')))}"


def _names(stone: Tombstone, audited: AuditedModel) -> list[tuple[str, str]]:
    if stone.erased_at:
        return []
    if stone.kind in DELETED:
        row = from_payload(stone.payload)
    else:
        change = from_changed(stone.payload)
        row = {change["column"]: change["old"]}
    columns = {one.name: str(one.column) for one in audited.model._meta.concrete_fields}
    return _named(audited, {name: row.get(column) for name, column in columns.items()})


def _named(audited: AuditedModel, row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.root, row[one.name]) for one in audited.fields if one.root and row.get(one.name)]


def _row_now(audited: AuditedModel, key: str, using: str) -> dict[str, Any] | None:
    """{field: name} of the record as it is now; None if there is none, or its key is no text."""
    if audited not in references.in_database([audited], using) or len(audited.model._meta.pk_fields) > 1:
        return None
    names: Sequence[str] = [one.name for one in audited.fields]
    try:
        return references.rows(audited, using).filter(pk=key).values("pk", *names).first()
    except (ValueError, ValidationError):
        return None
