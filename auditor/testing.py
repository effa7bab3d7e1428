"""For the tests of a project that has this app.

A test that really commits (Django's TransactionTestCase, pytest-django's `transaction=True`) ends with a flush, which
empties every table; the append-only triggers of the audit log would make it fail.
"""

from collections.abc import Sequence
from functools import wraps
from typing import Any

from django.db import connections

from auditor.auditlog import append_only


def allow_flush() -> None:
    """From now on, this process can flush its databases; to be called once, in a conftest.py or a test runner."""
    for connection in connections.all():
        operations = connection.ops
        if not hasattr(operations.execute_sql_flush, "__wrapped__"):
            operations.execute_sql_flush = _lifting(connection.alias, operations.execute_sql_flush)  # type: ignore[method-assign]


def _lifting(alias: str, flush: Any) -> Any:
    @wraps(flush)
    def flush_lifted(sql_list: Sequence[str]) -> None:
        with append_only.lifted(alias):
            flush(sql_list)

    return flush_lifted
