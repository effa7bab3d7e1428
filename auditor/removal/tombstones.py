"""Writes down every row that a deletion takes or changes, before it does."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, time
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import QuerySet
from django.db.models.deletion import Collector

from auditor.auditlog.store import CHUNK, chunks
from auditor.models import Tombstone


class RowEncoder(DjangoJSONEncoder):
    """Column values as JSON; bytes as {"base64": …}, and what has no form of its own as its text."""

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime | time):
            return o.isoformat()  # Django's own form keeps no microseconds
        if isinstance(o, bytes | memoryview):
            return {"base64": b64encode(o).decode()}
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def tombstones_of(collector: Collector, orphans: type[models.Model], run: UUID) -> Iterator[Tombstone]:
    """A tombstone for each row that the collector would delete, and each key that it would set to empty."""
    for model, instances in collector.data.items():
        kind = Tombstone.Kind.ORPHAN if model is orphans else Tombstone.Kind.CASCADE
        for keys in chunks((instance.pk for instance in instances), CHUNK):
            rows: QuerySet[models.Model] = QuerySet(model=model, using=collector.using).filter(pk__in=keys)
            yield from _rows(rows, kind, run)
    for query in collector.fast_deletes:
        yield from _rows(query, Tombstone.Kind.CASCADE, run)
    for (field, _value), updates in collector.field_updates.items():
        for update in updates:
            yield from _emptied(field, update, run)


def _rows(rows: Any, kind: Tombstone.Kind, run: UUID) -> Iterator[Tombstone]:
    options = rows.model._meta
    for row in rows.values(*(field.attname for field in options.local_concrete_fields)):
        yield tombstone(kind, options.label, row[options.pk.attname], row, run)


def _emptied(field: Any, update: Any, run: UUID) -> Iterator[Tombstone]:
    for instance in update:
        row = {"field": field.attname, "value": getattr(instance, field.attname)}
        yield tombstone(Tombstone.Kind.EMPTIED, field.model._meta.label, instance.pk, row, run)


def tombstone(kind: Tombstone.Kind, model: str, key: Any, row: dict[str, Any], run: UUID) -> Tombstone:
    """One row, written down: {column: value}."""
    payload = json.dumps(row, cls=RowEncoder, sort_keys=True, ensure_ascii=False)
    return Tombstone(
        run_id=run,
        kind=kind,
        model=model,
        key=str(key),
        payload=payload,
        sha256=sha256(payload.encode()).hexdigest(),
    )
