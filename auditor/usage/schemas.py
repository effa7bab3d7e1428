"""What a plain look into PostgreSQL misses: the tables of other schemas, as tenants have them, and rows that it hides.

Of other databases, it knows nothing of the kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connections

from auditor.errors import AuditorError
from auditor.orphans import references
from auditor.usage.asking import long_cursor

# Text in the widest sense: what is no number, time, flag, address or picture.
COLUMNS = """
    SELECT n.nspname, c.relname, a.attname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND NOT pg_table_is_visible(c.oid)
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        AND t.typcategory IN ('S', 'U', 'A', 'E', 'C') AND t.typname NOT IN ('bytea', 'uuid')
    ORDER BY 1, 2, a.attnum
"""
HIDDEN = "SELECT relname FROM pg_class WHERE relrowsecurity AND row_security_active(oid)"


@dataclass(slots=True)
class OtherTable:
    """A table in a schema in which Django does not look, and its columns that can hold text."""

    schema: str
    name: str
    columns: list[str]

    @property
    def quoted(self) -> str:
        """Its name in a statement."""
        return ".".join(f'"{part}"' for part in (self.schema.replace('"', '""'), self.name.replace('"', '""')))


def other_tables(alias: str) -> list[OtherTable]:
    """The tables that lie in the schemas of other tenants, or of somebody else, and that may be read."""
    found: dict[tuple[str, str], OtherTable] = {}
    for schema, name, column in _rows(alias, COLUMNS):
        found.setdefault((schema, name), OtherTable(schema, name, [])).columns.append(column)
    return list(found.values())


def refuse_hidden(alias: str, tables: set[str], *, hint: str) -> None:
    """Raises AuditorError if the database shows this user only some rows of one of these tables."""
    for (name,) in _rows(alias, HIDDEN):
        if name in tables:
            raise AuditorError(
                f"The database {alias!r} hides rows of {name} from this user (row-level security), so nobody knows "
                "which files they name. Nothing was moved.",
                hint=hint,
            )


def read_other(alias: str, table: OtherTable, columns: list[str]) -> Iterator[list[str]]:
    """The texts in these columns of a table, some at a time."""
    quote = connections[alias].ops.quote_name
    wanted = ", ".join(f"CAST({quote(column)} AS text)" for column in columns)
    with long_cursor(connections[alias]) as cursor:
        cursor.execute(f"SELECT {wanted} FROM {table.quoted}")  # noqa: S608 - quoted, and the database's own
        while rows := cursor.fetchmany(references.READ_CHUNK):
            yield [value for row in rows for value in row if value]


def _rows(alias: str, query: str) -> list[tuple[str, ...]]:
    if connections[alias].vendor != "postgresql":
        return []
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
