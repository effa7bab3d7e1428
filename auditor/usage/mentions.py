"""Looks for names of files in every text of every table: rich text, JSON, paths in plain columns, forgotten apps.

It is asked of the few files that nothing else names, by the last part of their name; a mention only ever keeps a file.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.orphans import references
from auditor.usage import schemas, sources
from auditor.usage.asking import asked, long_cursor
from auditor.usage.bases import Bases
from auditor.usage.reading import undo_texts

# What tells of records that are gone, is no text of theirs, or was read before.
SKIPPED = ("django_admin_log", "django_session", "django_migrations", "sqlite_sequence")
NUMBERS = ("Integer", "BigInteger", "SmallInteger", "Auto", "BigAuto", "SmallAuto", "Decimal", "Float")
NO_TEXT = {f"{kind}Field" for kind in (*NUMBERS, "Binary", "Boolean", "Date", "DateTime", "Duration", "Time", "UUID")}
HOW_TO_LEAVE_OUT = "Let the site's user read this table, or set AUDITOR_SEARCH_TEXTS = False to leave texts out."


def mentioned(bases: Collection[str]) -> set[str]:
    """Those of the last parts of names that a text of any database mentions, without case. Only reads.

    Raises AuditorError where a database cannot be asked.
    """
    found, wanted = set[str](), Bases(bases)
    for alias in sources.databases() if bases else ():
        with asked(alias, hint=HOW_TO_LEAVE_OUT):
            for text in _texts(alias):
                found |= wanted.mentioned_in(text)
    return found


def _texts(alias: str) -> Iterator[str]:
    yield from undo_texts(alias)
    known, columns = _file_columns(), dict(_text_columns(alias))
    schemas.refuse_hidden(alias, set(columns), hint=HOW_TO_LEAVE_OUT)
    for table, every in columns.items():
        if some := [column for column in every if (table, column) not in known]:
            yield from _read(connections[alias], table, some)
    for other in schemas.other_tables(alias):
        if some := [column for column in other.columns if (other.name, column) not in known]:
            yield from chain.from_iterable(schemas.read_other(alias, other, some))


def _text_columns(alias: str) -> Iterator[tuple[str, list[str]]]:
    """(table, columns) of all that can hold a text, whether a model has it or not."""
    connection = connections[alias]
    own = {model._meta.db_table for model in apps.get_app_config("auditor").get_models()}
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))  # a view shows what is in tables
    for table in sorted(tables - own - set(SKIPPED)):
        yield table, [name for name, kind in _columns(connection, table) if kind not in NO_TEXT]


def _file_columns() -> set[tuple[str, str]]:
    return {
        (one.model._meta.db_table, str(column.column))
        for one in sources.naming_models()
        for column in one.model._meta.local_concrete_fields
        if column.name in {field.name for field in one.fields}
    }


def _columns(connection: BaseDatabaseWrapper, table: str) -> Iterator[tuple[str, str]]:
    """(column, the kind of field that it could be) of a table; a type of the host's own, or an array, is none."""
    look: Any = connection.introspection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # Django parses each table's SQL, which takes longer than the search
            cursor.execute(f"PRAGMA table_xinfo({connection.ops.quote_name(table)})")
            described = [(row[1], partial(look.data_types_reverse.__getitem__, row[2])) for row in cursor.fetchall()]
        else:
            every = look.get_table_description(cursor, table)
            described = [(one.name, partial(look.get_field_type, one.type_code, one)) for one in every]
    for name, kind in described:
        try:
            yield name, str(kind()).removeprefix("Positive")
        except KeyError:
            yield name, ""


def _read(connection: BaseDatabaseWrapper, table: str, columns: Iterable[str]) -> Iterator[str]:
    quote = connection.ops.quote_name
    form = "CAST({} AS text)" if connection.vendor == "postgresql" else "{}"
    wanted = ", ".join(form.format(quote(column)) for column in columns)
    with long_cursor(connection) as cursor:
        cursor.execute(f"SELECT {wanted} FROM {quote(table)}")  # noqa: S608 - quoted, and the database's own
        while rows := cursor.fetchmany(references.READ_CHUNK):
            yield from {value for row in rows for value in row if value and isinstance(value, str)}
