"""Everything that the database holds."""

from typing import Any

from django.db import connection


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """{table: rows} of every table, rows in an order of their own."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {table: sorted(_rows(cursor, table), key=repr) for table in tables}


def _rows(cursor: Any, table: str) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    return [tuple(row) for row in cursor.fetchall()]
