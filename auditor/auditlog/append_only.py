"""Triggers by which the database itself refuses to change or delete events and batches.

A seat belt against a mistake: whoever may change the schema can remove them, and only the seals then tell.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from auditor.models import Batch, Event, Head, Verified

NAME = "auditor_append_only"
EVENT, HEAD = Event._meta.db_table, Head._meta.db_table
TABLES: Mapping[str, tuple[str, ...]] = {  # with the columns that are unique in each
    EVENT: ("position",),
    Batch._meta.db_table: ("number", "uid", "first_position"),
}
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND TG_TABLE_NAME = '{EVENT}' THEN
            IF OLD.position <= (SELECT pruning_until FROM {HEAD}) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""  # noqa: S608

logger = logging.getLogger("auditor.auditlog")


def missing(*, using: str) -> list[str]:
    """The triggers that should be there, and are not; none where the tables are not, or on another database."""
    present = _present(using)
    return [name for name in wanted(using=using) if name not in present]


def install(*, using: str) -> None:
    """Makes the triggers that are missing."""
    statements, absent = wanted(using=using), missing(using=using)
    if not absent:
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            cursor.execute(FUNCTION)
        for name in absent:
            cursor.execute(statements[name])


def remove(*, using: str) -> None:
    """Removes all triggers."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for name, table in _present(using, also_disabled=True).items():
            is_on_table = connections[using].vendor == "postgresql"
            cursor.execute(f"DROP TRIGGER {name} ON {table}" if is_on_table else f"DROP TRIGGER {name}")
        if connections[using].vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS {NAME}()")


@contextmanager
def lifted(using: str) -> Iterator[None]:
    """Within it, and in one transaction, events and batches can be changed and deleted."""
    with transaction.atomic(using):
        were_there = bool(_present(using))
        remove(using=using)
        yield
        if were_there:
            install(using=using)


@contextmanager
def pruning(until: int, *, using: str) -> Iterator[None]:
    """Within it, in a transaction that has the head locked, events up to a position can be deleted.

    The triggers stay: a change of the schema would hold up every reader on PostgreSQL, and on SQLite it would make
    the reference journal look as if it had been meddled with.
    """
    head = Head.objects.using(using)
    head.update(pruning_until=until)
    yield
    head.update(pruning_until=0)


def keep(*, using: str, **_: Any) -> None:
    """After a migrate, makes the triggers that are missing: on SQLite, a table that is rebuilt loses its own.

    Whatever goes wrong is told in one line, and ends no migrate of the host.
    """
    try:
        install(using=using)
    except Exception as error:
        logger.warning("The audit log in the database %r has no append-only triggers: %s", using, error)


def wanted(*, using: str) -> dict[str, str]:
    """{trigger: the statement that makes it}; none before the migration that can take them back."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if Verified._meta.db_table not in connection.introspection.table_names(cursor):
            return {}
    make = VENDORS.get(connection.vendor)
    return {name: text for table in TABLES for name, text in make(table).items()} if make else {}


def _on_postgresql(table: str) -> dict[str, str]:
    make, call = "CREATE OR REPLACE TRIGGER", f"EXECUTE FUNCTION {NAME}()"  # one that was disabled is there
    return {
        f"{table}_kept": f"{make} {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}",
        f"{table}_whole": f"{make} {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
    }


def _on_sqlite(table: str) -> dict[str, str]:
    # INSERT OR REPLACE deletes the row that is in its way, and no trigger on DELETE hears of it.
    is_there = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one} = NEW.{one})" for one in TABLES[table])  # noqa: S608
    is_pruned = f"OLD.position <= coalesce((SELECT pruning_until FROM {HEAD}), 0)"  # noqa: S608
    pruned = f"WHEN NOT {is_pruned} " if table == EVENT else ""
    conditions = {"UPDATE": "", "DELETE": pruned, "INSERT": f"WHEN {is_there} "}
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return {
        f"{table}_no_{what.lower()}": f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
        f"FOR EACH ROW {when}{refusal}"
        for what, when in conditions.items()
    }


VENDORS: Mapping[str, Callable[[str], dict[str, str]]] = {"postgresql": _on_postgresql, "sqlite": _on_sqlite}


def _present(using: str, *, also_disabled: bool = False) -> dict[str, str]:
    """{trigger: its table} of those that are there, and work."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        sql = "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
        sql += " AND relname = ANY(%s) AND pg_table_is_visible(tgrelid) AND starts_with(tgname, relname || '_')"
        sql += "" if also_disabled else " AND tgenabled <> 'D'"
        parameters: list[Any] = [list(TABLES)]
    elif connection.vendor == "sqlite":
        sql = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (%s, %s)"
        sql += " AND name LIKE tbl_name || '_no_%%'"
        parameters = list(TABLES)
    else:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return dict(cursor.fetchall())
