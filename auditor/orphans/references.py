"""Which record names which file: read as columns, never as instances.

Loading an instance of a model with an `ImageField` that keeps its dimensions opens the file.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from django.db import connections, models
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate

from auditor.auditlog.coverage import CheckpointSeen
from auditor.auditlog.store import CHUNK, chunks
from auditor.models import MissingFile
from auditor.orphans.registry import AuditedField, AuditedModel

READ_CHUNK = 2_000  # records to a query: what is still in the processor's cache when it is looked up
PREFIXES_BY_DATABASE = 50  # more directories than this are quicker told apart here, in one pass


# A record's key, then the names in its file fields, in the order of the model's audited fields.
Row: TypeAlias = tuple[Any, ...]


def rows(audited: AuditedModel, using: str) -> QuerySet[Any]:
    """All rows of the model's table: what a default manager hides is audited as well."""
    return QuerySet(model=audited.model, using=using)


def in_database(models: Sequence[AuditedModel], using: str) -> list[AuditedModel]:
    """Those models whose table is in this database: a router may keep the others elsewhere."""
    present = tables(using)
    # A quoted schema in db_table is a common trick, and is not listed.
    return [one for one in models if (table := one.model._meta.db_table) in present or '"' in table]


def tables(using: str) -> set[str]:
    """The names of the tables and views in this database."""
    with connections[using].cursor() as cursor:
        return set(connections[using].introspection.table_names(cursor, include_views=True))


def count(audited: AuditedModel, using: str) -> int:
    """How many records the model has."""
    return rows(audited, using).count()


def highest_key(audited: AuditedModel, using: str) -> int:
    """The highest key of a model whose keys increase; 0 in an empty table."""
    return rows(audited, using).aggregate(highest=models.Max("pk"))["highest"] or 0


def read_all(audited: AuditedModel, using: str) -> Iterator[list[Row]]:
    """All records in the order of their keys, `READ_CHUNK` at a time; no cursor stays open between two chunks."""
    return read(audited, rows(audited, using))


def read(audited: AuditedModel, some: QuerySet[Any]) -> Iterator[list[Row]]:
    """The records of a query in the order of their keys, `READ_CHUNK` at a time."""
    columns = columns_of(audited, some).order_by("pk")
    chunk = _fetch(columns)
    while chunk:
        yield chunk
        if len(chunk) < READ_CHUNK:
            return
        chunk = _fetch(columns.filter(pk__gt=chunk[-1][0]))


def columns_of(audited: AuditedModel, some: QuerySet[Any]) -> QuerySet[Any]:
    """The key and the names of some records, as rows."""
    return some.values_list("pk", *(field.name for field in audited.fields))


def _fetch(columns: QuerySet[Any]) -> list[Row]:
    return list(columns[:READ_CHUNK])


def read_candidates(
    audited: AuditedModel, fields: Sequence[AuditedField], checkpoint: CheckpointSeen, root: int, using: str
) -> Iterator[list[Row]]:
    """The records that the log does not vouch for: their name is in the missing set, or nobody checked it yet.

    `fields` are those of the model that share one root; a record may come more than once.
    """
    prefixes = topmost(MissingFile.objects.using(using).filter(root_id=root, is_directory=True))
    for field in fields:
        named = rows(audited, using).filter(**{f"{field.name}__in": missing_names(root, using)})
        # In one query: a second page would make the database join everything a second time.
        yield from chunks(columns_of(audited, named), READ_CHUNK)
        yield from _read_below(audited, field, prefixes, using)
        seen = checkpoint.fields[field.id]
        yield from read(audited, rows(audited, using).filter(pk__gt=seen.highest_key))
        for keys in chunks(seen.odd_keys or (), CHUNK):
            yield from read(audited, rows(audited, using).filter(pk__in=keys))


def missing_names(root: int, using: str) -> QuerySet[Any]:
    """A subquery of the missing files' names in a root."""
    files = MissingFile.objects.using(using).filter(root_id=root, is_directory=False)
    if connections[using].vendor == "postgresql":
        # PostgreSQL compares no two collations, but "default" gives way to that of the host's column.
        return files.values_list(Collate("path", "default"), flat=True)
    return files.values_list("path", flat=True)


def topmost(directories: QuerySet[MissingFile]) -> list[str]:
    """The missing directories that do not lie in another missing one."""
    kept: list[str] = []
    for path in sorted(directories.values_list("path", flat=True), key=lambda path: f"{path}/"):
        if not kept or not path.startswith(f"{kept[-1]}/"):
            kept.append(path)
    return kept


def _read_below(audited: AuditedModel, field: AuditedField, prefixes: list[str], using: str) -> Iterator[list[Row]]:
    if not prefixes:
        return
    if len(prefixes) <= PREFIXES_BY_DATABASE:
        below = (Q(**{f"{field.name}__startswith": f"{path}/"}) | Q(**{field.name: path}) for path in prefixes)
        yield from read(audited, rows(audited, using).filter(reduce(or_, below)))
        return
    column, wanted = audited.fields.index(field) + 1, frozenset(prefixes)
    for chunk in read_all(audited, using):
        yield [row for row in chunk if row[column] and lies_below(row[column], wanted)]


def lies_below(name: str, directories: frozenset[str]) -> bool:
    """Whether a name is one of the directories or lies in one."""
    cut = len(name)
    while cut > 0:
        if name[:cut] in directories:
            return True
        cut = name.rfind("/", 0, cut)
    return False
