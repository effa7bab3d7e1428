"""What an orphan belongs to, for the report's brackets: 'Album: Evan Photos'."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet

from auditor.keys import one_of, parts
from auditor.orphans import references
from auditor.orphans.plan import Group
from auditor.orphans.registry import AuditedModel, capitalised


def groups_of(audited: AuditedModel, keys: Sequence[Any], using: str) -> dict[Any, Group]:
    """{key: Group} of those records that belong to something: the registered field, or the first key that is set."""
    fields = group_fields(audited)
    held: dict[Any, tuple[Any, Any]] = {}  # {key: (field, value)}
    for some in parts(keys if fields else ()):
        columns = [field.attname for field in fields]
        for key, *values in references.rows(audited, using).filter(one_of("pk", some)).values_list("pk", *columns):
            for field, value in zip(fields, values, strict=True):
                if value is not None:
                    held[key] = field, value
                    break
    named = {field: groups_by_value(field, {v for f, v in held.values() if f is field}, using) for field in fields}
    return {key: named[field][value] for key, (field, value) in held.items()}


def group_fields(audited: AuditedModel) -> list[Any]:
    """The fields that may say what a record belongs to: the first of them that is set does."""
    options = audited.model._meta
    if audited.group:
        return [options.get_field(audited.group)]
    return [
        field
        for field in options.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.remote_field.parent_link
    ]


def groups_by_value(field: Any, values: Iterable[Any], using: str) -> dict[Any, Group]:
    """{value of the field: Group}."""
    kind = capitalised(str(field.verbose_name))
    if not isinstance(field, models.ForeignKey):
        return {value: Group(kind=kind, kinds=kind, name=str(value)) for value in values}
    texts: dict[Any, str] = {}
    for some in parts(values):
        texts |= _texts(field, some, using)
    kinds = capitalised(str(field.related_model._meta.verbose_name_plural))
    return {value: Group(kind=kind, kinds=kinds, name=texts.get(value, f"#{value}")) for value in values}


def _texts(field: Any, values: list[Any], using: str) -> dict[Any, str]:
    target = field.target_field.attname
    related: QuerySet[models.Model] = QuerySet(model=field.related_model, using=using)
    try:
        return {getattr(one, target): str(one) for one in related.filter(one_of(target, values))}
    except Exception:
        return {}
