"""Tells the database's own no, to one row, from a failure of the database."""

from django.db import DataError, IntegrityError, InternalError
from django.db.utils import Error

RAISED = "P0"  # the class of SQLSTATE of an exception that a trigger of the host's raises, in PostgreSQL


def is_denial(error: Error) -> bool:
    """Whether a constraint or a trigger said no to a row: other rows may still be taken."""
    if isinstance(error, IntegrityError | DataError | InternalError):
        return True
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg 3, psycopg 2
    return str(state).startswith(RAISED)
