"""Keeps the counters of PostgreSQL ahead of keys that were inserted by hand; other databases do so themselves."""

from collections.abc import Sequence

from django.db import connections, models

from auditor.removal.rows import Model, Row

COUNTED = 1_000_000  # numbers that are skipped one by one, in about a second
SEQUENCE = "SELECT pg_get_serial_sequence(%s, %s)"
LAST = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}"
SKIP = "SELECT count(nextval(%s)) FROM generate_series(1, %s)"
JUMP = "SELECT setval(%s, %s)"


def keep_ahead(model: Model, rows: Sequence[Row], using: str) -> None:
    """Moves the model's counter behind the highest of the rows' keys if it is not, and never back.

    Django's own `sequence_reset_sql` sets it to the table's highest key: back behind keys that were handed out.
    """
    connection, key = connections[using], model._meta.pk
    if connection.vendor != "postgresql" or not isinstance(key, models.AutoField) or key.model is not model:
        return
    table, column = connection.ops.quote_name(model._meta.db_table), key.column
    highest = max(row[str(column)] for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCE, [table, column])
        sequence = cursor.fetchone()[0]
        if sequence is None:
            return
        cursor.execute(LAST.format(sequence))
        behind = highest - cursor.fetchone()[0]
        if behind > COUNTED:
            cursor.execute(JUMP, [sequence, highest])  # nobody takes a million numbers meanwhile
        elif behind > 0:
            # Not by setval: another session may have taken numbers since, and they would be handed out again.
            cursor.execute(SKIP, [sequence, behind])
