"""The audited fields of one root, and their records as journal and candidates call them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet

from auditor.journal.columns import Column, column_of, key_text, keys_of
from auditor.keys import one_of, parts
from auditor.orphans import references
from auditor.orphans.registry import AuditedField, AuditedModel, audited_models


@dataclass(frozen=True, slots=True, kw_only=True)
class RootField:
    """A field whose files lie in the root; `at` is the place of its name in a `references.Row`."""

    audited: AuditedModel
    field: AuditedField
    at: int

    @property
    def column(self) -> Column:
        """Where it is held."""
        return column_of(self.audited.model, self.field.name)

    def key_texts(self, keys: Sequence[Any], using: str) -> Iterator[tuple[Any, str]]:
        """(key, key of the column's row as text) for keys of the model; a record that is gone by now is left out."""
        column = self.column
        if _shares_key(self.audited.model, column.model):
            yield from ((key, key_text(column, key, using)) for key in keys)
            return
        for some in parts(keys):
            found = references.rows(self.audited, using).filter(one_of("pk", some))
            for key, held in found.values_list("pk", column.model._meta.pk.name):
                yield key, key_text(column, held, using)


def fields_of(root: str, using: str) -> list[RootField]:
    """The audited fields that keep their files in the folder at this real path, those of named models first."""
    return [
        RootField(audited=audited, field=one, at=at)
        for audited in references.in_database(audited_models(), using)
        for at, one in enumerate(audited.fields, 1)
        if one.root == root and one.adapter is None
    ]


def names_by_key(
    model: type[models.Model], column: Column, texts: Iterable[str], using: str
) -> dict[str, tuple[Any, str]]:
    """{key as text: (key of the model, name)} of those records that are there and name something.

    The model is the column's own, or a child of it.
    """
    held_by = column.model._meta.pk.name
    found: dict[str, tuple[Any, str]] = {}
    wanted = dict.fromkeys(texts)
    for some in parts(keys_of(column, wanted, using)):
        records: QuerySet[Any] = QuerySet(model=model, using=using)
        for key, held, name in records.filter(one_of(held_by, some)).values_list("pk", held_by, column.name):
            text = key_text(column, held, using)
            if name and text in wanted:  # to the database, keys of different case may be one
                found[text] = (key, name)
    return found


def _shares_key(model: Any, owner: Any) -> bool:
    """Whether a child's own key is that of its parent; of several parents, it is that of the first one."""
    while model is not owner:
        link = model._meta.pk
        if not link.remote_field or not link.remote_field.parent_link:
            return False
        model = link.remote_field.model
    return True
