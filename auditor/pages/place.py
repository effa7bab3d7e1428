"""Which database the pages are about."""

from django.db import router

from auditor.models import Event


def database() -> str:
    """The database that the audit log is written to; a copy that lags behind would make a watched root look blind."""
    return router.db_for_write(Event)
