"""Inserts many rows past the models: what `bulk_create` does to each value takes most of its time."""

from collections.abc import Sequence
from itertools import chain, groupby
from typing import Any

from django.db import connections

PARAMETERS = 500  # to a statement: below SQLite's old limit of 999


def insert(fields: Sequence[Any], rows: Sequence[Sequence[Any]], using: str, *, is_plain: bool = True) -> None:
    """Inserts rows into the table of the fields' model: no signal, no default, no field has a say.

    Plain values are text, whole numbers, booleans and None; others are as the driver takes them.
    On PostgreSQL, text is read by the column's type, whatever that is.
    """
    connection = connections[using]
    target = f"{connection.ops.quote_name(fields[0].model._meta.db_table)} ({_columns(fields, using)})"
    with connection.cursor() as cursor:
        if is_plain and connection.vendor == "postgresql" and hasattr(cursor, "copy"):  # psycopg 3
            with connection.wrap_database_errors, cursor.copy(f"COPY {target} FROM STDIN") as copy:
                copy.write("".join(["\t".join([_copied(value) for value in row]) + "\n" for row in rows]))
            return
        size = max(1, PARAMETERS // len(fields))
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        marks = f"({', '.join(['%s'] * len(fields))})"
        for count, alike in groupby(parts, key=len):
            # On SQLite, one row to a statement takes twice as long.
            sql = f"INSERT INTO {target} VALUES {', '.join([marks] * count)}"  # noqa: S608 - quoted names
            cursor.executemany(sql, [list(chain.from_iterable(part)) for part in alike])


def insert_new(
    fields: Sequence[Any],
    rows: Sequence[Sequence[Any]],
    using: str,
    *,
    unique: Sequence[Any] = (),
    update: Sequence[Any] = (),
) -> None:
    """Inserts rows of plain values into the table of the fields' model, but those that a constraint has already.

    Those get the new values of the fields in `update`, where `unique` are the fields of that constraint.
    """
    connection = connections[using]
    columns = _columns(fields, using)
    target = f"{connection.ops.quote_name(fields[0].model._meta.db_table)} ({columns})"
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in (_columns([one], using) for one in update))
    conflict = f"({_columns(unique, using)}) DO UPDATE SET {changed}" if update else "DO NOTHING"
    if connection.vendor == "postgresql":
        # COPY has no ON CONFLICT; one array to a column is parsed about as fast.
        arrays = ", ".join(f"%s::{_kind(field, using)}[]" for field in fields)
        sql = f"INSERT INTO {target} SELECT * FROM unnest({arrays}) ON CONFLICT {conflict}"  # noqa: S608 - quoted names
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
    elif connection.vendor == "sqlite":
        marks = ", ".join(["%s"] * len(fields))
        with connection.cursor() as cursor:
            sql = f"INSERT INTO {target} VALUES ({marks}) ON CONFLICT {conflict}"  # noqa: S608 - quoted names
            cursor.executemany(sql, rows)
    else:
        model, names = fields[0].model, [field.attname for field in fields]
        made = [model(**dict(zip(names, row, strict=True))) for row in rows]
        model._base_manager.using(using).bulk_create(
            made,
            ignore_conflicts=not update,
            update_conflicts=bool(update),
            unique_fields=[field.name for field in unique],
            update_fields=[field.name for field in update],
        )


def _columns(fields: Sequence[Any], using: str) -> str:
    return ", ".join(connections[using].ops.quote_name(field.column) for field in fields)


def _kind(field: Any, using: str) -> str:
    """The type of a field's column; a cast to one of a length would cut a text."""
    kind = str(field.db_type(connections[using]))
    return "text" if kind.startswith("varchar") else kind


def _copied(value: Any) -> str:
    """A value in COPY's text form, in which a tab or a new line separates, and a backslash escapes."""
    if value is None:
        return "\\N"
    # `str.translate` takes six times as long.
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
