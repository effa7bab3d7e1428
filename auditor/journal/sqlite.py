"""The journal's triggers on SQLite.

What is written here fails with the host's write if the journal's table is gone: see `giving_way`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.errors import first_line
from auditor.journal.columns import Column
from auditor.journal.names import PREFIX, name_of
from auditor.journal.seen import TriggerSeen, impossible, in_place, missing
from auditor.models import UncheckedReference

JOURNAL = UncheckedReference._meta.db_table
# The text of tables would be much to read, and only that of virtual ones tells something.
SCHEMA = """
    SELECT type, name, lower(tbl_name), CASE WHEN type = 'trigger' THEN sql ELSE substr(sql, 1, 14) END
    FROM sqlite_master WHERE type IN ('table', 'view') OR (type = 'trigger' AND name GLOB %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What the database says it is made of: {table: what kind it is}, {trigger: its text}, {trigger: its table}.

    Tables are in lower case.
    """

    version: int
    tables: Mapping[str, str]
    triggers: Mapping[str, str]
    tables_of: Mapping[str, str]


def look(columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]:
    """{column id: TriggerSeen}."""
    schema = _read(using)
    return {column.id: _seen(column, schema, using) for column in columns}


def install(columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]:
    """Makes what is missing."""
    has_journal = JOURNAL in _read(using).tables
    try:
        with transaction.atomic(using):
            _write_first(using, has_journal)
            _install(columns, using)
    except DatabaseError as error:  # somebody else writes for longer than we wait, or the file is read-only
        why = first_line(error).rstrip(".")
        return {name: seen if seen.why else missing(why) for name, seen in look(columns, using).items()}
    return look(columns, using)


def remove_others(columns: Sequence[Column], tables: Sequence[str], using: str) -> list[str]:
    """Removes what is on these tables and is of none of these columns, or can be of none."""
    has_journal, own = JOURNAL in _read(using).tables, {table.lower() for table in tables}
    with transaction.atomic(using):
        _write_first(using, has_journal)
        schema = _read(using)
        kept = {name for column in columns if not _seen(column, schema, using).why for name in _wanted(column, using)}
        _drop([name for name, table in schema.tables_of.items() if table in own and name not in kept], using)
    return []


def remove(using: str) -> int:
    """Removes all triggers, then the journal's entries; how many triggers there were."""
    has_journal = JOURNAL in _read(using).tables
    with transaction.atomic(using):
        _write_first(using, has_journal)
        schema = _read(using)
        _drop(schema.triggers, using)
        if JOURNAL in schema.tables:
            UncheckedReference.objects.using(using).all()._raw_delete(using)
    return len(schema.triggers)


def drop_all(connection: BaseDatabaseWrapper) -> None:
    """Removes all triggers; what is in the journal stays."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{PREFIX}*"])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER IF EXISTS {connection.ops.quote_name(name)}")


def _write_first(using: str, has_journal: bool) -> None:
    """Waits for the write lock: a step up from reading does not wait, and fails where somebody else writes."""
    if has_journal:
        UncheckedReference.objects.using(using).filter(pk=0).update(key="")


def _read(using: str) -> Schema:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT schema_version FROM pragma_schema_version")
        version = cursor.fetchone()[0]
        cursor.execute(SCHEMA, [f"{PREFIX}*"])
        rows = cursor.fetchall()
    return Schema(
        version=version,
        tables={
            table: "virtual" if "VIRTUAL" in text.upper() else kind
            for kind, _, table, text in rows
            if kind != "trigger"
        },
        triggers={name: text for kind, name, _, text in rows if kind == "trigger"},
        tables_of={name: table for kind, name, table, _ in rows if kind == "trigger"},
    )


def _seen(column: Column, schema: Schema, using: str) -> TriggerSeen:
    kind = schema.tables.get(column.table.lower())
    if kind is None:
        return impossible(f"there is no table {column.table} in this database")
    if kind != "table":
        return impossible(f"{column.table} is a {kind}{' table' * (kind == 'virtual')}")
    if JOURNAL not in schema.tables:
        return missing("the tables of the auditor are not in this database")
    wanted = _wanted(column, using)
    if all(schema.triggers.get(name) == text for name, text in wanted.items()):
        return in_place(str(schema.version))
    absent = _absent(column, using)
    return impossible(f"{column.table} has no column {absent}") if absent else missing()


def _absent(column: Column, using: str) -> str:
    """A column that the triggers need and the table has not: they could be made, and each write would fail."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT lower(name) FROM pragma_table_xinfo(%s)", [column.table])
        present = {name for (name,) in cursor.fetchall()}
    needed = [field.column for field in (column.field, *column.keys)]
    return next((name for name in needed if name.lower() not in present), "")


def _install(columns: Sequence[Column], using: str) -> None:
    schema = _read(using)
    possible = [column for column in columns if not _seen(column, schema, using).why]
    wanted = {name: text for column in possible for name, text in _wanted(column, using).items()}
    _drop([name for name, text in wanted.items() if schema.triggers.get(name, text) != text], using)
    with connections[using].cursor() as cursor:
        for name, text in wanted.items():
            if schema.triggers.get(name) != text:
                cursor.execute(text)


def _drop(names: Sequence[str] | Mapping[str, str], using: str) -> None:
    with connections[using].cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER {_quoted(name, using)}")


def _wanted(column: Column, using: str) -> dict[str, str]:
    """{trigger: the text that makes it, as the database keeps it}."""
    name, keys = _quoted(column.field.column, using), [_quoted(field.column, using) for field in column.keys]
    # Compared byte by byte, whatever the host's column counts as the same.
    changed = " OR ".join(f"NEW.{one} IS NOT OLD.{one} COLLATE BINARY" for one in (name, *keys))
    # SQLite lets a key be NULL where a table was made without Django.
    named = " AND ".join([f"NEW.{name} <> '' COLLATE BINARY", *(f"NEW.{key} IS NOT NULL" for key in keys)])
    return {
        f"{name_of(column)}_i": _text(column, "i", "INSERT", named, keys, using),
        f"{name_of(column)}_u": _text(column, "u", "UPDATE", f"{named} AND ({changed})", keys, using),
    }


def _text(column: Column, ending: str, event: str, when: str, keys: Sequence[str], using: str) -> str:
    texts = [f"CAST(NEW.{key} AS TEXT)" for key in keys]
    key = texts[0] if len(texts) == 1 else f"json_array({', '.join(texts)})"
    name, table = _quoted(f"{name_of(column)}_{ending}", using), _quoted(column.table, using)
    journaled = f"INSERT INTO {JOURNAL} (field, key) VALUES ('{column.id}', {key})"  # noqa: S608 - quoted names
    return f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN {when} BEGIN {journaled}; END"


def _quoted(name: str, using: str) -> str:
    return connections[using].ops.quote_name(name)
