"""Writes down every row that a deletion takes or changes, before it does."""

import json
from base64 import b64encode
from collections.abc import Collection, Iterator
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


def tombstones_of(
    collector: Collector, orphans: type[models.Model], orphan_keys: Collection[Any], run: UUID
) -> Iterator[Tombstone]:
    """A tombstone for each row that the collector would delete, and each key that it would set to empty."""
    doomed = {str(key) for key in orphan_keys}
    for model, instances in collector.data.items():
        for keys in chunks((instance.pk for instance in instances), CHUNK):
            rows: QuerySet[models.Model] = QuerySet(model=model, using=collector.using).filter(pk__in=keys)
            yield from _rows(rows, doomed if model is orphans else set(), run)
    for query in collector.fast_deletes:
        yield from _rows(query, set(), run)
    for (field, _value), updates in collector.field_updates.items():
        for update in updates:
            yield from _emptied(field, update, collector.using, run)


def _rows(rows: Any, orphans: Collection[str], run: UUID) -> Iterator[Tombstone]:
    options = rows.model._meta
    for row in rows.values(*(field.attname for field in options.local_concrete_fields)):
        keys = tuple(row[field.attname] for field in options.pk_fields)
        key = str(keys if len(keys) > 1 else keys[0])
        kind = Tombstone.Kind.ORPHAN if key in orphans else Tombstone.Kind.CASCADE
        yield tombstone(kind, options.label, key, row, run)


def _emptied(field: Any, update: Any, using: str, run: UUID) -> Iterator[Tombstone]:
    # Instances were collected without this column: to ask each of them for it would be a query each.
    keys = [instance.pk for instance in update]
    for some in chunks(keys, CHUNK):
        held: QuerySet[models.Model] = QuerySet(model=field.model, using=using).filter(pk__in=some)
        for key, value in held.values_list("pk", field.attname):
            row = {"field": field.attname, "value": value}
            yield tombstone(Tombstone.Kind.EMPTIED, field.model._meta.label, key, row, run)


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
