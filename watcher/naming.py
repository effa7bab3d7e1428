"""Which records name what has vanished: one pass over a table, with the database doing what it is good at."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Collate

from auditor.auditlog.events import DirectoryDeleted, DirectoryMoved
from auditor.journal.columns import Column, key_text
from auditor.models import Event
from auditor.orphans import references

BYTEWISE = {"postgresql": "C", "sqlite": "BINARY"}  # the collations in which a prefix is a range


def keys_naming(column: Column, vanished: QuerySet[Event], *, using: str) -> Iterator[str]:
    """The keys, as text, of the column's records that name one of these files or directories, or what is below one.

    Some may come twice, and one that names something else may be among them.
    """
    directories = vanished.filter(type__in=[DirectoryDeleted.type, DirectoryMoved.type])
    prefixes = references.topmost(directories.distinct())
    named = Q(**{f"{column.name}__in": _paths(vanished, using)})
    rows: QuerySet[Any] = QuerySet(model=column.model, using=using)
    if len(prefixes) > references.PREFIXES_BY_DATABASE:
        yield from _read_below(column, rows, frozenset(prefixes), using)
    elif prefixes:
        spelled = F(column.name)
        rows = rows.alias(
            spelled=Collate(spelled, BYTEWISE[v]) if (v := connections[using].vendor) in BYTEWISE else spelled
        )
        # "0" follows "/" in ASCII: the range holds all below the directory, and nothing else.
        named |= reduce(or_, (Q(spelled__gt=f"{path}/", spelled__lt=f"{path}0") for path in prefixes))
    # In one query: a second page would make the database join everything a second time.
    for key in list(rows.filter(named).values_list("pk", flat=True)):
        yield key_text(column, key, using)


def _paths(vanished: QuerySet[Event], using: str) -> QuerySet[Any]:
    if connections[using].vendor == "postgresql":
        # PostgreSQL compares no two collations, but "default" gives way to that of the host's column.
        return vanished.values_list(Collate("path", "default"), flat=True)
    return vanished.values_list("path", flat=True)


def _read_below(column: Column, rows: QuerySet[Any], prefixes: frozenset[str], using: str) -> Iterator[str]:
    """Many directories are quicker told apart here, in one pass over all records."""
    ordered = rows.order_by("pk").values_list("pk", column.name)
    page = list(ordered[: references.READ_CHUNK])
    while page:
        for key, name in page:
            if name and references.lies_below(name, prefixes):
                yield key_text(column, key, using)
        page = list(ordered.filter(pk__gt=page[-1][0])[: references.READ_CHUNK])
