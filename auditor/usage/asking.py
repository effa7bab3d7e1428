"""How a database is asked, and what is said of one that cannot be: no file is unused then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DatabaseFailure

from auditor.errors import AuditorError, first_line

HINT = "No file is unused as long as one database is silent: mend it, then run the command again."


@contextmanager
def asked(alias: str, *, hint: str = HINT) -> Iterator[None]:
    """Raises AuditorError for what a database raises within it."""
    try:
        yield
    except DatabaseFailure as error:
        raise AuditorError(
            f"The database {alias!r} cannot be asked which files its records name: "
            f"{first_line(error) or type(error).__name__}".rstrip(".")
            + ". Nothing was moved.",
            hint=hint,
        ) from error


def long_cursor(connection: BaseDatabaseWrapper) -> Any:
    """A cursor for more rows than fit into memory, unless the site's pool of connections cannot keep one open."""
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return connection.cursor()
    return connection.chunked_cursor()
