"""The columns that hold names of files, and the keys of their rows as text."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import QuerySet

from auditor.auditlog.store import chunks
from auditor.keys import NUMBERS, one_of, parts, plain

LEAST, GREATEST = -(2**63), 2**63 - 1  # of the integers that are keys in either database

# The kinds of key of which every writer gives the same text, and which the database reads back from it.
KINDS = frozenset(
    {
        *("AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField"),
        *("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"),
        *("CharField", "SlugField", "TextField", "UUIDField", "FileField", "FilePathField"),
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """A file field, with the model whose own table holds it: of a child's inherited field, that is the parent."""

    model: type[models.Model]
    name: str

    @property
    def id(self) -> str:
        """As journal and candidates call it: 'app.Model.field'."""
        return f"{self.model._meta.label}.{self.name}"

    @property
    def table(self) -> str:
        """The table's name, as the model has it."""
        return self.model._meta.db_table

    @property
    def field(self) -> Any:
        """The field itself."""
        return self.model._meta.get_field(self.name)

    @property
    def keys(self) -> tuple[Any, ...]:
        """The fields of the primary key, more than one if it is composite."""
        return tuple(getattr(self.model._meta, "pk_fields", None) or [self.model._meta.pk])

    @property
    def has_known_keys(self) -> bool:
        """Whether a key can be journaled: as the same text by every writer, which stands for the same value here."""
        kinds = [plain(key) for key in self.keys]
        return all(kind.get_internal_type() in KINDS and not hasattr(kind, "from_db_value") for kind in kinds)


def column_of(model: type[models.Model], name: str) -> Column:
    """Where a model's file field is held."""
    return Column(model._meta.get_field(name).model, name)


def key_text(column: Column, key: Any, using: str) -> str:
    """A key as the journal writes it: the database's own text, or a JSON list of these for a composite one."""
    if len(column.keys) == 1:
        return _text(column.keys[0], key, using)
    parts = [_text(field, part, using) for field, part in zip(column.keys, key, strict=True)]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def keys_of(column: Column, texts: Iterable[str], using: str) -> Iterator[Any]:
    """The keys that have these texts, but those that no record can have, as after a model got keys of another kind."""
    kind = plain(column.keys[0])
    key_of = kind.to_python if len(column.keys) == 1 else partial(_composite, column)
    made = getattr(kind, "from_db_value", None) if len(column.keys) == 1 else None
    for text in texts:
        try:
            key = made(key_of(text), None, connections[using]) if made else key_of(text)
        except (ValidationError, ValueError, TypeError):
            continue
        if type(key) is not int or LEAST <= key <= GREATEST:
            yield key


def _composite(column: Column, text: str) -> tuple[Any, ...]:
    values = [plain(key).to_python(part) for key, part in zip(column.keys, json.loads(text), strict=True)]
    if not all(type(value) is not int or LEAST <= value <= GREATEST for value in values):
        raise ValueError(text)
    return tuple(values)


def with_keys(rows: QuerySet[Any], column: Column, entries: QuerySet[Any]) -> Iterator[QuerySet[Any]]:
    """The rows whose key in the column's table is in the entries' `key`, some thousand at most to a query.

    `rows` are of the column's model or of a child of it.
    """
    name = column.model._meta.pk.name
    found = keys_of(column, entries.values_list("key", flat=True).iterator(NUMBERS), entries.db)
    # No subquery: the database may join it with the whole table, however few entries there are.
    for some in chunks(found, NUMBERS):
        for part in parts(dict.fromkeys(some)):
            yield rows.filter(one_of(name, part))


def _text(field: Any, value: Any, using: str) -> str:
    return str(plain(field).get_db_prep_value(value, connections[using]))


def unique(columns: Sequence[Column]) -> list[Column]:
    """Each column once, in order of appearance."""
    return list(dict.fromkeys(columns))
