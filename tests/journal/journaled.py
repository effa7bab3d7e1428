"""What the tests of the journal look at: its entries, and the marks of the columns."""

from typing import Any

from django.db import connection

from auditor.journal import triggers
from auditor.journal.columns import Column, column_of
from auditor.journal.triggers import TriggerSeen
from auditor.models import UncheckedReference
from deploy.gallery.models import Photo

PHOTO = column_of(Photo, "image")


def entries() -> list[tuple[str, str]]:
    """(column, key) of all that is in the journal, in the order it was written."""
    return list(UncheckedReference.objects.order_by("id").values_list("field", "key"))


def keys(column: Column) -> list[str]:
    """The keys that are in the journal for a column, in the order they were written."""
    return [key for field, key in entries() if field == column.id]


def forget() -> None:
    """Empties the journal, as a watcher does that has looked at all of it."""
    UncheckedReference.objects.all().delete()


def seen(column: Column = PHOTO) -> TriggerSeen:
    """What there is to say of a column."""
    return triggers.look([column], using="default")[column.id]


def run(*statements: str) -> None:
    """Runs SQL."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fetched(sql: str, *params: Any) -> list[Any]:
    """The first column of what a query gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [row[0] for row in cursor.fetchall()]
