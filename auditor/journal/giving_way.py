"""On SQLite, repeats what failed because of the journal's triggers, without them.

A column that a trigger reads cannot be dropped there, and no row can be written while a trigger writes to a table that
is gone. Whatever Django runs on such a connection is tried as it is; the triggers come back with the next migrate or
watcher, or at once if the transaction is rolled back.
"""

from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.journal import sqlite
from auditor.journal.names import PREFIX


def attend(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Has a connection give way, if it is to SQLite."""
    if connection.vendor == "sqlite" and give_way not in connection.execute_wrappers:
        # First: Django takes the last one away where a block of the host's ends that has one of its own.
        connection.execute_wrappers.insert(0, give_way)


def give_way(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Runs a statement for Django, and once more without the triggers if they were the reason that it failed.

    SQLite prepares a statement with its triggers before it does anything, so that nothing is done twice.
    """
    params = list(params) if many else params  # a generator cannot be gone through twice
    try:
        return execute(sql, params, many, context)
    except OperationalError as error:
        if PREFIX not in str(error) and sqlite.JOURNAL not in str(error):
            raise
        sqlite.drop_all(context["connection"])
    return execute(sql, params, many, context)
