"""The journal's triggers on PostgreSQL: looked at, made and removed. What they are made of is in `statements`."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DatabaseError, connections, transaction

from auditor.errors import first_line
from auditor.journal import statements
from auditor.journal.columns import Column
from auditor.journal.names import PREFIX, name_of
from auditor.journal.seen import TriggerSeen, TriggerState, impossible, in_place, missing
from auditor.journal.statements import JOURNAL, LOSS_LOCK, LOSSES, TRIGGERS
from auditor.models import UncheckedReference

LOCK_SECONDS = 2  # behind a trigger that waits for a long transaction of the host, all other writers would queue
PADDED = "character"  # char(n): its text is without the blanks that its value has
KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "p": "a partitioned table"}

COUNT = """
    SELECT pg_catalog.concat_ws(' ', oid, CASE WHEN pg_catalog.has_sequence_privilege(oid, 'SELECT')
        THEN pg_catalog.pg_sequence_last_value(oid) END)
    FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)
"""
# An ALTER of any of these rows gives it another xmin; VACUUM and ANALYZE do not.
LOOK = """
    SELECT wanted.id, host.oid, host.relkind, host.relispartition, host.relpersistence,
        EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = host.oid),
        pg_catalog.pg_has_role(host.relowner, 'USAGE'),
        held.found, held.types, journal.oid, space.nspname, pg_catalog.pg_get_userbyid(journal.relowner),
        made.prosrc, made.prosecdef AND made.proowner = journal.relowner,
        (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                pg_catalog.right(tgname, 2), tgenabled, tgtype, tgqual IS NULL, tgfoid = made.oid))
            FROM pg_catalog.pg_trigger WHERE tgrelid = host.oid AND tgname = ANY (wanted.triggers)),
        EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND (classid, objid) = (%s, %s)
            AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
        pg_catalog.concat_ws(' ', %s::text, journal.oid, journal.relfilenode,
            host.oid, host.relfilenode, made.oid, made.xmin, held.mark,
            (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', oid, xmin), ' ' ORDER BY tgname)
                FROM pg_catalog.pg_trigger WHERE tgrelid = host.oid AND tgname = ANY (wanted.triggers)))
    FROM pg_catalog.json_to_recordset(%s)
        AS wanted (id text, host text, names text[], function text, triggers text[])
    LEFT JOIN pg_catalog.pg_class AS journal ON journal.oid = pg_catalog.to_regclass(%s)
    LEFT JOIN pg_catalog.pg_namespace AS space ON space.oid = journal.relnamespace
    LEFT JOIN pg_catalog.pg_class AS host ON host.oid = pg_catalog.to_regclass(wanted.host)
    LEFT JOIN pg_catalog.pg_proc AS made ON made.proname = wanted.function AND made.pronamespace = space.oid
    LEFT JOIN LATERAL (
        SELECT pg_catalog.json_agg(attname) AS found,
            pg_catalog.string_agg(pg_catalog.format_type(atttypid, NULL), ', ' ORDER BY attnum) AS types,
            pg_catalog.string_agg(xmin::text, ' ' ORDER BY attnum) AS mark
        FROM pg_catalog.pg_attribute
        WHERE attrelid = host.oid AND attname = ANY (wanted.names) AND NOT attisdropped
    ) AS held ON true
"""
FUNCTIONS = """
    SELECT made.oid::pg_catalog.regprocedure::text, made.proname, count(host.oid),
        pg_catalog.array_agg(host.tgrelid) <@ ARRAY(
            SELECT pg_catalog.to_regclass(own)::oid FROM pg_catalog.json_array_elements_text(%s) AS own)
    FROM pg_catalog.pg_proc AS made LEFT JOIN pg_catalog.pg_trigger AS host ON host.tgfoid = made.oid
    WHERE pg_catalog.starts_with(made.proname, %s) AND made.pronamespace = COALESCE(
        (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)),
        pg_catalog.current_schema()::pg_catalog.regnamespace)
    GROUP BY made.oid
"""


class Seen:
    """One row of the look: what the database says of a column's table and triggers."""

    def __init__(self, column: Column, row: Sequence[Any]) -> None:
        self.column = column
        (_, self.host, self.kind, self.is_partition, self.persistence, self.has_children, self.is_ours) = row[:7]
        (self.found, self.types, self.journal, self.schema, self.owner) = row[7:12]
        (self.source, self.is_definers, self.triggers, self.is_losing, self.mark) = row[12:]

    def judge(self) -> TriggerSeen:
        """What there is to say of the triggers."""
        why = self._obstacle()
        if why:
            return impossible(why)
        if self.journal is None:
            return missing("the tables of the auditor are not in this database")
        if self._is_as_wanted():
            return (
                missing("a write that could not be journaled is under way") if self.is_losing else in_place(self.mark)
            )
        return missing("" if self.is_ours else f"the table {self.column.table} belongs to another role")

    def _obstacle(self) -> str:
        table = self.column.table
        if self.host is None:
            return f"there is no table {table} in this database"
        if self.kind != "r":
            return f"{table} is {KINDS.get(self.kind, 'no table')}"
        if self.is_partition:
            return f"{table} is a partition"
        if self.persistence == "t":
            return f"{table} is a temporary table"
        if self.has_children:
            return f"other tables inherit from {table}"
        if PADDED in (self.types or "").split(", "):
            return f"{table} has a key or a name of fixed length"
        absent = [name for name in statements.names(self.column) if name not in (self.found or [])]
        return f"{table} has no column {absent[0]}" if absent else ""

    def _is_as_wanted(self) -> bool:
        wanted = {
            ending: [ending, one.enabled, one.kind, True, True]  # no WHEN, and our function
            for ending, one in TRIGGERS.items()
        }
        return (
            bool(self.is_definers)
            and self.source == statements.source(self.column, self.schema, self.types)
            and {one[0]: one for one in _parsed(self.triggers) or ()} == wanted
        )


def look(columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]:
    """{column id: TriggerSeen}, in two queries."""
    return {one.column.id: one.judge() for one in _read(columns, using)}


def install(columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]:
    """Makes what is missing, a transaction to each column: no table is locked for long."""
    failed: dict[str, TriggerSeen] = {}
    for one in _read(columns, using):
        if one.judge().state is TriggerState.MISSING and one.journal is not None:
            why = _attempt(statements.creation(one.column, one.schema, one.owner, one.types), using)
            failed |= {one.column.id: missing(why)} if why else {}
    return look(columns, using) | failed


def remove_others(columns: Sequence[Column], tables: Sequence[str], using: str) -> list[str]:
    """Removes what is on these tables, or on none any more, and is of none of these columns or can be of none.

    Gives back what could not be removed, and why.
    """
    seen, failed = look(columns, using), []
    kept = {name_of(one) for one in columns if seen[one.id].state is not TriggerState.IMPOSSIBLE}
    for function, name, count, are_ours in _functions(using, tables):
        if name not in kept and (are_ours or not count):
            why = _attempt([f"DROP FUNCTION {function} CASCADE"], using)
            failed += [f"{name}: {why}"] if why else []
    return failed


def remove(using: str) -> int:
    """Removes all triggers, then the journal's entries; how many triggers there were."""
    with transaction.atomic(using):
        functions = _functions(using)
        drops = [f"DROP FUNCTION {function} CASCADE" for function, *_ in functions]
        _execute([*drops, f"DROP SEQUENCE IF EXISTS {LOSSES}"], using)
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [JOURNAL])
            if cursor.fetchone()[0]:
                UncheckedReference.objects.using(using).all()._raw_delete(using)
    return sum(count for _, _, count, _ in functions)


def _read(columns: Sequence[Column], using: str) -> list[Seen]:
    if not columns:
        return []
    quote = connections[using].ops.quote_name
    wanted = [
        {
            "id": column.id,
            "host": quote(column.table),
            "names": statements.names(column),
            "function": name_of(column),
            "triggers": [f"{name_of(column)}{ending}" for ending in TRIGGERS],
        }
        for column in columns
    ]
    with connections[using].cursor() as cursor:
        # Before the lock: a write that is lost in between, and is not committed yet, still holds it.
        cursor.execute(COUNT, [LOSSES])
        lost = cursor.fetchone() or [""]
        cursor.execute(LOOK, [*LOSS_LOCK, lost[0], json.dumps(wanted), JOURNAL])
        rows = {row[0]: row for row in cursor.fetchall()}
    return [Seen(column, rows[column.id]) for column in columns]


def _functions(using: str, tables: Sequence[str] = ()) -> list[tuple[str, str, int, bool]]:
    """(function as SQL, its name, number of triggers that call it, whether all are on these tables), of all there."""
    own = json.dumps([connections[using].ops.quote_name(table) for table in tables])
    with connections[using].cursor() as cursor:
        cursor.execute(FUNCTIONS, [own, PREFIX, JOURNAL])
        return list(cursor.fetchall())


def _attempt(sql: Iterable[str], using: str) -> str:
    """Runs statements in a transaction of their own; the database's word on why they failed, or nothing."""
    try:
        with transaction.atomic(using):
            _execute(sql, using)
    except DatabaseError as error:
        return first_line(error).rstrip(".")
    return ""


def _execute(sql: Iterable[str], using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        for one in sql:
            cursor.execute(one)
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [before])


def _parsed(value: Any) -> Any:
    """A JSON value, whichever way the driver gives it."""
    return json.loads(value) if isinstance(value, str) else value
