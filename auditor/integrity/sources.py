"""The models whose records are judged, and what is read of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import models
from django.db.models import QuerySet

from auditor.orphans import references, registry
from auditor.orphans.groups import group_fields
from auditor.orphans.references import READ_CHUNK, Row
from auditor.orphans.registry import AuditedModel


class Size(NamedTuple):
    """At which places of a row an image's width and height are, None where the model does not keep it."""

    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model whose records are judged, and what is read of each: its key, then `columns`.

    `is_main` if a person named it for deletion, or if no model is named at all.
    `groups` are the places of the keys that say what the record belongs to, `sizes` those of {field: Size}.
    """

    audited: AuditedModel
    is_main: bool
    columns: tuple[str, ...]
    groups: tuple[tuple[int, Any], ...]
    sizes: dict[str, Size]

    def rows(self, using: str) -> Iterator[list[Row]]:
        """All records in the order of their keys, `READ_CHUNK` at a time."""
        some = references.rows(self.audited, using).values_list("pk", *self.columns).order_by("pk")
        page = list(some[:READ_CHUNK])
        while page:
            yield page
            page = list(some.filter(pk__gt=page[-1][0])[:READ_CHUNK]) if len(page) == READ_CHUNK else []


def judged(present: Iterable[AuditedModel], *, deep: bool) -> list[Source]:
    """The models whose records are judged: each with the file fields that its own table holds."""
    main = {one.model for one in present if one.named} or {one.model for one in present}
    own = [_of_its_own(registry.audit(one.model)) for one in present if not one.kept_in]
    return [_source(one, is_main=one.model in main, deep=deep) for one in own if one.fields]


def _of_its_own(audited: AuditedModel) -> AuditedModel:
    local = {one.name for one in audited.model._meta.local_concrete_fields}
    return replace(audited, fields=tuple(one for one in audited.fields if one.name in local))


def _source(audited: AuditedModel, *, is_main: bool, deep: bool) -> Source:
    keys = group_fields(audited)
    sized = _sized(audited) if deep else {}
    names = [one.name for one in audited.fields]
    columns = list(dict.fromkeys([*names, *(key.attname for key in keys), *filter(None, sum(sized.values(), ()))]))
    at = {name: place for place, name in enumerate(columns, 1)}
    return Source(
        audited=audited,
        is_main=is_main,
        columns=tuple(columns),
        groups=tuple((at[key.attname], key) for key in keys),
        sizes={name: Size(at.get(width or ""), at.get(height or "")) for name, (width, height) in sized.items()},
    )


def _sized(audited: AuditedModel) -> dict[str, tuple[str | None, str | None]]:
    fields = [audited.model._meta.get_field(one.name) for one in audited.fields]
    images: list[Any] = [one for one in fields if isinstance(one, models.ImageField)]
    return {one.name: (one.width_field, one.height_field) for one in images if one.width_field or one.height_field}


def is_image(model: type[models.Model], name: str) -> bool:
    """Whether a field holds the names of images."""
    return isinstance(model._meta.get_field(name), models.ImageField)


def default_name(model: type[models.Model], name: str) -> str:
    """The name that records get of which nobody says otherwise, so that many may share it, or nothing."""
    field: Any = model._meta.get_field(name)
    return str(field.default) if isinstance(field.default, str) else ""


def holders(source: Source, field: str, names: Sequence[str], using: str) -> QuerySet[Any]:
    """(key, name) of the records that hold one of these names, in the order of their keys."""
    some = references.rows(source.audited, using).filter(**{f"{field}__in": names})
    return some.order_by("pk").values_list("pk", field)
