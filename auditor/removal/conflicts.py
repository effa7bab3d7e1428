"""Finds what stands in the way of rows that are to come back, before anything is written. Only reads."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import NOT_PROVIDED, UniqueConstraint

from auditor.orphans import references
from auditor.removal.belonging import foreign_keys
from auditor.removal.rows import Model, fields_of, key_fields, present
from auditor.removal.written import Clash, Written


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a row cannot be brought back as it was; `is_mended` where it can be with a column's default."""

    row: Written
    clash: Clash
    reason: str
    is_mended: bool = False


WORDS = {
    Clash.ERASED: "what was kept of it has been erased",
    Clash.TAMPERED: "what was kept of it has been changed: its SHA-256 does not fit",
    Clash.MODEL_GONE: "no installed app has its model any more",
}


def find_conflicts(rows: Collection[Written], using: str) -> list[Conflict]:
    """What stands in the way of these rows coming back together, a conflict for each row at most.

    To be asked again without the rows that had one, until there is none.
    """
    faults = [Conflict(one, one.fault, WORDS[one.fault]) for one in rows if one.fault is not None]
    if faults:  # what they hold is not known: the rest can only be looked at without them, and what needs them
        return faults
    tables = references.tables(using)
    conflicts: dict[Written, Conflict] = {}
    groups: defaultdict[tuple[Model, bool], list[Written]] = defaultdict(list)
    for one in rows:
        assert one.model is not None  # that would be a fault
        groups[one.model, one.was_deleted].append(one)
    coming = _Coming(rows)
    for (model, was_deleted), group in groups.items():
        table = model._meta.db_table
        if table not in tables and '"' not in table:
            found: Iterable[Conflict] = (
                Conflict(one, Clash.TABLE_GONE, f"there is no table {table}") for one in group
            )
        elif was_deleted:
            found = _of_deleted(model, group, coming, using)
        else:
            found = _of_changed(model, group, coming, using)
        for conflict in found:
            conflicts.setdefault(conflict.row, conflict)
    return [conflicts[one] for one in rows if one in conflicts]


class _Coming:
    """The stored values of the rows that come back, by field."""

    def __init__(self, rows: Collection[Written]) -> None:
        self._rows = [one for one in rows if one.was_deleted]
        self._values: dict[Any, set[Any]] = {}

    def has(self, field: Any, value: Any) -> bool:
        if field not in self._values:
            same = (one for one in self._rows if one.model is field.model)
            self._values[field] = {one.row.get(field.column) for one in same}
        return value in self._values[field]


def _of_deleted(model: Model, rows: list[Written], coming: _Coming, using: str) -> Iterator[Conflict]:
    """In the order of how bad they are: a row is told of its first conflict only."""
    lost, fresh = _changed_columns(model, rows[0])
    for one in rows if lost else ():
        yield Conflict(one, Clash.COLUMN_GONE, f"its table has no column {', '.join(lost)} any more")
    if lost:
        return
    yield from _taken_keys(model, rows, using)
    for fields in _unique_sets(model):
        yield from _not_unique(fields, rows, using)
    for key in foreign_keys(model):
        if key.db_constraint and key.column in rows[0].row:
            yield from _gone_targets(key, [(one, one.row[key.column]) for one in rows], coming, using)
    for field in fresh:
        is_mended = has_default(field)
        words = "its default is used" if is_mended else "it has no default"
        reason = f"its table has a new column {field.column}, and {words}"
        yield from (Conflict(one, Clash.COLUMN_ADDED, reason, is_mended) for one in rows)


def _of_changed(model: Model, rows: list[Written], coming: _Coming, using: str) -> Iterator[Conflict]:
    by_column = {field.column: field for field in fields_of(model)}
    for one in rows:
        if not {one.row["column"], *one.row["key"]} <= set(by_column):
            yield Conflict(one, Clash.COLUMN_GONE, f"its table has no column {one.row['column']} any more")
    for key in foreign_keys(model):
        values = [(one, one.row["old"]) for one in rows if one.row["column"] == key.column]
        if values and key.db_constraint:
            yield from _gone_targets(key, values, coming, using)


def _changed_columns(model: Model, one: Written) -> tuple[list[str], list[Any]]:
    """The columns that the table has no more, and the fields that it has got since."""
    fields = {field.column: field for field in fields_of(model)}
    lost = [column for column in one.row if column not in fields]
    return lost, [field for column, field in fields.items() if column not in one.row]


def has_default(field: Any) -> bool:
    """Whether a row can be inserted without a value for this field."""
    return bool(field.null or field.has_default() or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED)


def _taken_keys(model: Model, rows: list[Written], using: str) -> Iterator[Conflict]:
    keys = key_fields(model)
    values = {one: tuple(one.row[key.column] for key in keys) for one in rows}
    taken = present(keys, list(values.values()), using)
    for one in rows:
        if values[one] in taken:
            yield Conflict(one, Clash.KEY_TAKEN, "another record has its key")


def _unique_sets(model: Model) -> Iterator[list[Any]]:
    """The sets of fields whose values no two rows share; what else the database forbids it says itself."""
    options = model._meta
    own = {field.name: field for field in options.local_concrete_fields}
    names: list[Collection[str]] = [[field.name] for field in own.values() if field.unique and not field.primary_key]
    names += list(options.unique_together)
    plain = (one for one in options.constraints if isinstance(one, UniqueConstraint) and one.fields)
    names += [one.fields for one in plain if one.condition is None]
    for some in names:
        if all(name in own for name in some):
            yield [own[name] for name in some]


def _not_unique(fields: list[Any], rows: list[Written], using: str) -> Iterator[Conflict]:
    columns = [field.column for field in fields]
    values = {one: tuple(one.row.get(column) for column in columns) for one in rows}
    whole = {one: value for one, value in values.items() if None not in value}
    taken = present(fields, list(whole.values()), using)
    for one, value in whole.items():
        if value in taken:
            yield Conflict(one, Clash.NOT_UNIQUE, f"another record has its {', '.join(columns)}")


def _gone_targets(key: Any, values: list[tuple[Written, Any]], coming: _Coming, using: str) -> Iterator[Conflict]:
    target = key.target_field
    wanted = {value for _, value in values if value is not None and not coming.has(target, value)}
    gone = wanted - {value for (value,) in present([target], [(value,) for value in wanted], using)}
    for one, value in values:
        if value in gone:
            label = target.model._meta.label
            yield Conflict(one, Clash.TARGET_GONE, f"its {key.column} points to {label}:{value}, which is gone")
