"""Says to a person which rows go along with others, and in which a key is set."""

from collections.abc import Collection, Mapping
from typing import Any

from auditor.orphans.plan import Along
from auditor.removal.rows import Model


def taken(counts: Mapping[Model, int], orphans: Collection[Model]) -> tuple[Along, ...]:
    """The rows that go along with records of these models, by 'app.Model'."""
    gone = {*orphans, *(model for model, count in counts.items() if count)}
    rows = [_taken(model, count, gone) for model, count in counts.items() if count]
    return tuple(sorted(rows, key=_what))


def _taken(model: Model, count: int, gone: Collection[Model]) -> Along:
    options = model._meta
    one, many = str(options.verbose_name), str(options.verbose_name_plural)
    if options.auto_created:
        side = _other_side(model, gone)._meta.verbose_name
        one, many = f"{side} link", f"{side} links"
    return Along(what=options.label, one=one, many=many, count=count)


def _other_side(link: Model, gone: Collection[Model]) -> Model:
    """Of the two models that a many-to-many row links, the one whose rows stay, or the second if neither does."""
    sides: list[Any] = [one.related_model for one in link._meta.local_fields if one.is_relation]
    staying = [side for side in sides if side._meta.concrete_model not in gone]
    chosen: Model = staying[0] if len(staying) == 1 else sides[-1]
    return chosen


def emptied(counts: Mapping[Any, int]) -> tuple[Along, ...]:
    """The rows in which a key is set, by 'app.Model.field'; `counts` is {field: rows}."""
    return tuple(sorted((_emptied(field, count) for field, count in counts.items()), key=_what))


def _emptied(field: Any, count: int) -> Along:
    words = f"{field.model._meta.verbose_name} {field.verbose_name}"
    what = f"{field.model._meta.label}.{field.name}"
    return Along(what=what, one=words, many=f"{words}s", count=count)


def _what(rows: Along) -> str:
    return rows.what
