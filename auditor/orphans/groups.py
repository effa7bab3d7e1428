"""What an orphan belongs to, for the report's brackets: 'Album: Evan Photos'."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet

from auditor.auditlog.store import CHUNK, chunks
from auditor.orphans import references
from auditor.orphans.plan import Group
from auditor.orphans.registry import AuditedModel, capitalised


def groups_of(audited: AuditedModel, keys: Sequence[Any], using: str) -> dict[Any, Group]:
    """{key: Group} of those records that belong to something: the registered field, or the first key that is set."""
    fields = _group_fields(audited)
    held: dict[Any, tuple[Any, Any]] = {}  # {key: (field, value)}
    for some in chunks(keys if fields else (), CHUNK):
        columns = [field.attname for field in fields]
        for key, *values in references.rows(audited, using).filter(pk__in=some).values_list("pk", *columns):
            first = next(((f, v) for f, v in zip(fields, values, strict=True) if v is not None), None)
            if first:
                held[key] = first
    named = {field: _names(field, {v for f, v in held.values() if f is field}, using) for field in fields}
    return {key: named[field][value] for key, (field, value) in held.items()}


def _group_fields(audited: AuditedModel) -> list[Any]:
    options = audited.model._meta
    if audited.group:
        return [options.get_field(audited.group)]
    return [
        field
        for field in options.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.remote_field.parent_link
    ]


def _names(field: Any, values: Iterable[Any], using: str) -> dict[Any, Group]:
    kind = capitalised(str(field.verbose_name))
    if not isinstance(field, models.ForeignKey):
        return {value: Group(kind=kind, kinds=kind, name=str(value)) for value in values}
    texts: dict[Any, str] = {}
    for some in chunks(values, CHUNK):
        texts |= _texts(field, some, using)
    kinds = capitalised(str(field.related_model._meta.verbose_name_plural))
    return {value: Group(kind=kind, kinds=kinds, name=texts.get(value, f"#{value}")) for value in values}


def _texts(field: Any, values: list[Any], using: str) -> dict[Any, str]:
    target = field.target_field.attname
    related: QuerySet[models.Model] = QuerySet(model=field.related_model, using=using)
    try:
        return {getattr(one, target): str(one) for one in related.filter(**{f"{target}__in": values})}
    except Exception:
        return {}
