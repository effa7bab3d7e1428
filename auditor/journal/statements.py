"""The statements that make a column's triggers on PostgreSQL.

One function does the work of three triggers: for each statement that inserts or updates, and for each row where a
subscription applies the changes of another server, which no trigger for statements sees.
No trigger names a column: PostgreSQL refuses to alter the type of one that a trigger names.
"""

from dataclasses import dataclass

from auditor.journal.columns import Column
from auditor.journal.names import name_of
from auditor.models import UncheckedReference

JOURNAL = f'"{UncheckedReference._meta.db_table}"'
ROW, INSERT, UPDATE = 1, 4, 16  # the bits of pg_trigger.tgtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """How one of the triggers is made: `kind` and `enabled` are pg_trigger's tgtype and tgenabled."""

    event: str
    mode: str
    kind: int
    enabled: str


TRIGGERS = {
    # ALWAYS: whoever sets session_replication_role to replica is heard as well.
    "_i": Trigger(
        event="INSERT ON {} REFERENCING NEW TABLE AS added FOR EACH STATEMENT", mode="ALWAYS", kind=INSERT, enabled="A"
    ),
    "_u": Trigger(
        event="UPDATE ON {} REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT",
        mode="ALWAYS",
        kind=UPDATE,
        enabled="A",
    ),
    "_r": Trigger(
        event="INSERT OR UPDATE ON {} FOR EACH ROW", mode="REPLICA", kind=ROW | INSERT | UPDATE, enabled="R"
    ),
}

# The number of writes that could not be journaled. It counts at once, and for good if the writer is rolled back;
# until the writer commits, which nobody else sees, it holds the lock.
LOSSES = '"auditor_journal_losses"'
LOSS_LOCK = (0x6D656469, 0x6A6F7572)

# EXCEPT is never planned as a nested loop: the plan is kept from the first statement of a session, of one row perhaps,
# to one that updates a million.
SOURCE = """
-- {id}: {types}
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        IF TG_OP = 'INSERT' OR ({new_key}, {new_name}) IS DISTINCT FROM ({old_key}, {old_name}) THEN
            INSERT INTO {journal} (field, key) SELECT '{id}', {new_key} WHERE {new_name} <> '';
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO {journal} (field, key) SELECT '{id}', {added_key} FROM added WHERE {added_name} <> '';
    ELSE
        INSERT INTO {journal} (field, key) SELECT '{id}', changed.key FROM (
            SELECT {added_key} AS key, {added_name} AS name FROM added WHERE {added_name} <> ''
            EXCEPT SELECT {removed_key}, {removed_name} FROM removed
        ) AS changed;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({lock});
        PERFORM nextval('{losses}');
    EXCEPTION WHEN OTHERS THEN
    END;
    RETURN NULL;
END
"""


def names(column: Column) -> list[str]:
    """The columns of the host's table that the triggers read."""
    return [field.column for field in (column.field, *column.keys)]


def source(column: Column, schema: str, types: str) -> str:
    """The text of the function, in PL/pgSQL.

    `types` are those of the columns: where they change, sessions go on with a plan for the old ones, so it is made
    anew.
    """
    texts = {
        f"{of.lower()}_{part}": text
        for of in ("added", "removed", "NEW", "OLD")
        for part, text in (("key", _key(column, of)), ("name", _text(column.field.column, of)))
    }
    return SOURCE.format(
        id=column.id,
        types=types,
        journal=f"{_quoted(schema)}.{JOURNAL}",
        losses=f"{_quoted(schema)}.{LOSSES}",
        lock=f"{LOSS_LOCK[0]}, {LOSS_LOCK[1]}",
        **texts,
    )


def creation(column: Column, schema: str, owner: str, types: str) -> list[str]:
    """The statements that make a column's function and triggers, or make them as they should be."""
    function, host = f"{_quoted(schema)}.{_quoted(name_of(column))}", _quoted(column.table)
    losses = f"{_quoted(schema)}.{LOSSES}"
    made = [
        f"CREATE SEQUENCE IF NOT EXISTS {losses}",
        f"ALTER SEQUENCE {losses} OWNER TO {_quoted(owner)}",
        f"GRANT SELECT ON SEQUENCE {losses} TO PUBLIC",  # for whoever looks
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
        # Whoever writes to the host's table needs no right to write to the journal.
        f"SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $journal${source(column, schema, types)}$journal$",
        f"ALTER FUNCTION {function}() OWNER TO {_quoted(owner)}",
        f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC",
    ]
    for ending, one in TRIGGERS.items():
        name = _quoted(f"{name_of(column)}{ending}")
        event = one.event.format(host)
        made += [
            f"CREATE OR REPLACE TRIGGER {name} AFTER {event} EXECUTE FUNCTION {function}()",
            f"ALTER TABLE {host} ENABLE {one.mode} TRIGGER {name}",
        ]
    return made


def _key(column: Column, of: str) -> str:
    texts = [_text(field.column, of) for field in column.keys]
    if len(texts) == 1:
        return texts[0]
    return "'[' || " + " || ',' || ".join(f"to_json({text})::text" for text in texts) + " || ']'"


def _text(name: str, of: str) -> str:
    """A column as text that is compared byte by byte, whatever the host's column counts as the same."""
    return f'{of}.{_quoted(name)}::text COLLATE "C"'


def _quoted(name: str) -> str:
    """A name as SQL; one that is in quotes already is a table with its schema."""
    return name if name.startswith('"') and name.endswith('"') else f'"{name}"'
