"""Which record names which file: read as columns, never as instances.

Loading an instance of a model with an `ImageField` that keeps its dimensions opens the file.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from django.db import connections, router
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate
from django.db.models.query import ValuesListIterable

from auditor.auditlog.store import chunks
from auditor.journal.columns import column_of, with_keys
from auditor.journal.entries import candidates, unchecked
from auditor.models import MissingFile, Root
from auditor.orphans.registry import AuditedField, AuditedModel

READ_CHUNK = 10_000  # records to a query: the more, the less its making counts; these are about 2.5 MB
COUNTED_AT_ONCE = 100  # tables
PREFIXES_BY_DATABASE = 50  # more directories than this are quicker told apart here, in one pass


# A record's key, then the names in its file fields, in the order of the model's audited fields.
Row: TypeAlias = tuple[Any, ...]


def rows(audited: AuditedModel, using: str) -> QuerySet[Any]:
    """All rows of the model's table: what a default manager hides is audited as well."""
    return QuerySet(model=audited.model, using=using)


def in_database(models: Sequence[AuditedModel], using: str) -> list[AuditedModel]:
    """Those models whose table is in this database, and whose records no router keeps elsewhere."""
    present = tables(using)
    # A quoted schema in db_table is a common trick, and is not listed.
    return [
        one
        for one in models
        if ((table := one.model._meta.db_table) in present or '"' in table) and not kept_elsewhere(one, using)
    ]


def kept_elsewhere(audited: AuditedModel, using: str) -> str:
    """The other database in which a router keeps the model's records, or nothing.

    A table may well be in this one too, empty or left over: whatever it holds, the site does not use it.
    """
    for one in router.routers:
        chosen = getattr(one, "db_for_write", lambda *_: None)(audited.model)
        if chosen:
            return "" if chosen == using else str(chosen)
    if router.allow_migrate_model(using, audited.model):
        return ""
    return next((alias for alias in connections if router.allow_migrate_model(alias, audited.model)), "")


def tables(using: str) -> set[str]:
    """The names of the tables and views in this database."""
    with connections[using].cursor() as cursor:
        return set(connections[using].introspection.table_names(cursor, include_views=True))


def counts(models: Sequence[AuditedModel], using: str) -> dict[str, int]:
    """{model: how many records it has}, asked for all at once."""
    quote = connections[using].ops.quote_name
    asked = [f"(SELECT COUNT(*) FROM {quote(one.model._meta.db_table)})" for one in models]  # noqa: S608 - quoted names
    with connections[using].cursor() as cursor:
        found: list[int] = []
        for some in chunks(asked, COUNTED_AT_ONCE):
            cursor.execute(f"SELECT {', '.join(some)}")
            found += cursor.fetchone()
    return {one.id: number for one, number in zip(models, found, strict=True)}


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
    # Fetched at once: Django's own hundred at a time cost a fifth of the reading.
    return list(ValuesListIterable(columns[:READ_CHUNK], chunk_size=READ_CHUNK))


def read_candidates(
    audited: AuditedModel, fields: Sequence[AuditedField], root: Root, using: str
) -> Iterator[list[Row]]:
    """The records that the log does not vouch for: nobody has looked at them since they or their files changed.

    `fields` are those of the model that share the root; a record may come more than once.
    The root was read before: what the watcher resolves meanwhile is a candidate by the time these are read, and
    what it takes out of the journal as well.
    """
    for field in fields:
        yield from _read_unresolved(audited, field, root, using)
        column = column_of(audited.model, field.name)
        for entries in (unchecked(column, using=using), candidates(column, using=using)):
            for some in with_keys(rows(audited, using), column, entries):
                yield from chunks(columns_of(audited, some).iterator(READ_CHUNK), READ_CHUNK)


def _read_unresolved(audited: AuditedModel, field: AuditedField, root: Root, using: str) -> Iterator[list[Row]]:
    """Those that name what vanished since the watcher last looked for the records of missing names."""
    recent = MissingFile.objects.using(using).filter(root=root, position__gt=root.resolved_until)
    if recent.filter(is_directory=False).exists():
        named = rows(audited, using).filter(**{f"{field.name}__in": missing_names(recent, using)})
        # In one query: a second page would make the database join everything a second time.
        yield from chunks(columns_of(audited, named).iterator(READ_CHUNK), READ_CHUNK)
    yield from _read_below(audited, field, topmost(recent.filter(is_directory=True)), using)


def missing_names(missing: QuerySet[MissingFile], using: str) -> QuerySet[Any]:
    """A subquery of the names of the files among what is missing."""
    files = missing.filter(is_directory=False)
    if connections[using].vendor == "postgresql":
        # PostgreSQL compares no two collations, but "default" gives way to that of the host's column.
        return files.values_list(Collate("path", "default"), flat=True)
    return files.values_list("path", flat=True)


def topmost(directories: QuerySet[Any]) -> list[str]:
    """Those directories, by their `path`, that do not lie in another one of them."""
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
