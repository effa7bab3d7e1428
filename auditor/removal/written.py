"""Reads back what a run wrote down, and finds out what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.apps import apps

from auditor.models import Tombstone
from auditor.removal.rows import Model, Row
from auditor.removal.tombstones import digest, from_changed, from_payload

DELETED = (Tombstone.Kind.ORPHAN, Tombstone.Kind.CASCADE)
READ_AT_ONCE = 2_000


class Clash(StrEnum):
    """Why a row cannot be brought back as it was."""

    ERASED = "erased"
    TAMPERED = "tampered"
    MODEL_GONE = "model_gone"
    TABLE_GONE = "table_gone"
    COLUMN_GONE = "column_gone"
    COLUMN_ADDED = "column_added"
    KEY_TAKEN = "key_taken"
    NOT_UNIQUE = "not_unique"
    TARGET_GONE = "target_gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Written:
    """A tombstone, read back.

    `row` is {column: value} of a row that went, or {"key", "column", "old", "new"} of one that was changed; it is
    empty where the tombstone has a `fault`.
    """

    id: int
    kind: str
    label: str
    key: str
    model: Model | None
    row: Row
    is_back: bool
    fault: Clash | None = None

    @property
    def was_deleted(self) -> bool:
        """Whether the row itself went; otherwise one column of it was changed."""
        return self.kind in DELETED

    def __str__(self) -> str:
        return f"{self.label}:{self.key}"


def read_run(run: UUID, using: str) -> Iterator[Written]:
    """All that a run wrote down, in that order; what is back already as well."""
    columns = ("id", "kind", "model", "key", "payload", "sha256", "restored_at", "erased_at")
    rows = Tombstone.objects.using(using).filter(run=run).order_by("id").values_list(*columns)
    models: dict[str, Model | None] = {}
    after = 0
    while chunk := list(rows.filter(id__gt=after)[:READ_AT_ONCE]):
        after = chunk[-1][0]
        for row in chunk:
            label = row[2]
            if label not in models:
                models[label] = _model(label)
            yield _written(row, models[label])


def _model(label: str) -> Model | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _written(stored: tuple[Any, ...], model: Model | None) -> Written:
    number, kind, label, key, payload, sha256, restored_at, erased_at = stored
    row: Row = {}
    fault = _fault(payload, sha256, is_erased=erased_at is not None)
    if fault is None:
        row = from_payload(payload) if kind in DELETED else from_changed(payload)
    return Written(
        id=number,
        kind=kind,
        label=label,
        key=key,
        model=model,
        row=row,
        is_back=restored_at is not None,
        fault=fault or (Clash.MODEL_GONE if model is None else None),
    )


def _fault(payload: str, sha256: str, *, is_erased: bool) -> Clash | None:
    if is_erased:
        return Clash.ERASED
    return None if digest(payload) == sha256 else Clash.TAMPERED
