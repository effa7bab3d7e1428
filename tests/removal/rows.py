"""Everything that the database holds."""

from typing import Any

from django.db import connection

from auditor.auditlog.events import NamesDoubted, RunRefused

TOLD = (NamesDoubted.type, RunRefused.type)


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """{table: rows} of every table, rows in an order of their own."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {table: sorted(_rows(cursor, table), key=repr) for table in tables}


def untold() -> dict[str, list[tuple[Any, ...]]]:
    """The same, but for what the audit log tells of refused runs and of doubted names, and for its seals."""
    found = dump()
    found["auditor_event"] = [row for row in found["auditor_event"] if not {*TOLD} & {*map(str, row)}]
    return {table: rows for table, rows in found.items() if table not in ("auditor_batch", "auditor_head")}


def _rows(cursor: Any, table: str) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    return [tuple(row) for row in cursor.fetchall()]
