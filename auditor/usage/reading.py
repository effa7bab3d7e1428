"""Reads everything that names files: the records of every database, hooks, and what clean-ups have deleted."""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, cast
from urllib.parse import unquote

from django.conf import settings
from django.db.utils import Error as DatabaseFailure

from auditor.auditlog.store import CHUNK, chunks
from auditor.errors import AuditorError, first_line
from auditor.models import Tombstone
from auditor.orphans import references
from auditor.orphans.references import Row
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.usage import registry, schemas, sources
from auditor.usage.asking import asked
from auditor.usage.names import Names

HOW_TO_SEE_ALL = "Run this as the owner of the table, or as a user with BYPASSRLS."
Progress = Callable[[int], object]
PLAIN = {str, type(None)}
LONGEST = 1_000  # characters of what may be a name
IN_ARRAYS = re.compile(r'[\[\]{},"]+')  # between the names in an array of PostgreSQL, or of JSON


def read_names(roots: Collection[str], *, progress: Progress = lambda _: None) -> Names:
    """Every path below these roots that a record of any database, or a hook, names. Only reads.

    Raises AuditorError where a database or a hook cannot be asked: what it would name is not known then.
    `progress` is told how many records were read since the last call.
    """
    names, found = Names(), sources.naming_models()
    for field, some in _named(found, progress):
        for root in [field.root] if field.root else roots:
            names.add(root, some)
    for root in roots:
        names.add(root, _hooked())
    return names


def _named(found: list[AuditedModel], progress: Progress) -> Iterator[tuple[AuditedField, list[str]]]:
    without_table = list(found)
    for alias in sources.databases():
        with asked(alias):
            here = sources.in_database(found, alias)
            without_table = [one for one in without_table if one not in here]
            schemas.refuse_hidden(alias, {one.model._meta.db_table for one in here}, hint=HOW_TO_SEE_ALL)
            for one in here:
                for chunk in _records(one, alias):
                    for at, field in enumerate(one.fields, 1):
                        yield field, texts(map(itemgetter(at), chunk))
                    progress(len(chunk))
            yield from _in_other_schemas(found, alias)
    sources.refuse_lost(without_table)
    for one in found:
        yield from ((field, texts(sources.defaults_of(one, field.name))) for field in one.fields)


def _records(one: AuditedModel, alias: str) -> Iterator[list[Row]]:
    if one.model._meta.managed:
        return references.read_all(one, alias)
    # Not page by page: in a view of the host's, a key may be there twice, or be NULL.
    rows = references.columns_of(one, references.rows(one, alias)).order_by()
    return chunks(rows.iterator(references.READ_CHUNK), references.READ_CHUNK)


def _in_other_schemas(found: list[AuditedModel], alias: str) -> Iterator[tuple[AuditedField, list[str]]]:
    for table in schemas.other_tables(alias):
        for one in found:
            for field in one.fields if one.model._meta.db_table == table.name else ():
                column: Any = one.model._meta.get_field(field.name)
                if column.column in table.columns:
                    for some in schemas.read_other(alias, table, [column.column]):
                        yield field, [name for value in some for name in _names_in(value)]


def read_undo(roots: Collection[str]) -> Names:
    """Every path that is named in a row which a clean-up has deleted or changed, and that can be brought back.

    All texts of such a row count as names: what its model was may not be known any more.
    """
    names = Names()
    for alias in sources.databases():
        with asked(alias):
            for payload in undo_texts(alias):
                some = [name for value in json.loads(payload).values() for name in _names_in(value)]
                for root in roots:
                    names.add(root, some)
    return names


def undo_texts(alias: str) -> Iterator[str]:
    """The rows that clean-ups have deleted or changed in a database, and that can be brought back, as JSON."""
    if Tombstone._meta.db_table in references.tables(alias):
        waiting = Tombstone.objects.using(alias).filter(restored_at=None, erased_at=None)
        yield from waiting.values_list("payload", flat=True).iterator(references.READ_CHUNK)


def _names_in(value: Any) -> list[str]:
    """A value as a name, or as an array of names."""
    if not isinstance(value, str):
        return []
    every = [value, *IN_ARRAYS.split(value)] if value.startswith(("{", "[")) else [value]
    return [name for name in every if name and len(name) <= LONGEST and "\n" not in name]


def texts(values: Iterable[Any]) -> list[str]:
    """The names in a column: one to a row, or many in an array."""
    every = list(values)
    if not set(map(type, every)) - PLAIN:
        return list(filter(None, every))
    found = []
    for value in every:
        if type(value) is str:
            if value:
                found.append(value)
        elif isinstance(value, list | tuple):
            found += texts(value)
        elif value:
            found.append(str(value))
    return found


def _hooked() -> list[str]:
    """What the hooks name; a URL of a media file is its name, too."""
    named = []
    for hook in registry.hooks():
        try:
            some = [str(name) for name in _many(hook())]
        except DatabaseFailure:
            raise
        except Exception as error:
            raise AuditorError(
                f"{registry.name_of(hook)} cannot say which files are in use: "
                f"{type(error).__name__}: {first_line(error)}".rstrip(". ")
                + ". Nothing was moved.",
                hint="Mend what media_audit.py registers with register_names(), and run the command again.",
            ) from error
        named += [form for name in some for form in _forms(name)]
    return named


def _many(named: Any) -> Iterable[Any]:
    if isinstance(named, str | bytes | os.PathLike):  # whose letters would be taken for names
        raise TypeError("it gave one name, not many")
    return cast("Iterable[Any]", named)


def _forms(name: str) -> Iterator[str]:
    if not name:
        return
    yield name
    plain = unquote(name.partition("#")[0].partition("?")[0])
    yield plain
    for form in {name, plain}:
        if settings.MEDIA_URL and settings.MEDIA_URL != "/" and form.startswith(settings.MEDIA_URL):
            yield form.removeprefix(settings.MEDIA_URL)


def named_now(paths: Sequence[str], roots: Collection[str]) -> set[str]:
    """Those of the full paths that a record names at this moment, spelled as Django spells names; without hooks."""
    named: set[str] = set()
    found = sources.naming_models()
    for alias in sources.databases():
        with asked(alias):
            for one in sources.in_database(found, alias):
                for some in chunks(paths, CHUNK):
                    named |= _named_by(one, some, roots, alias)
    return named


def _named_by(one: AuditedModel, paths: Sequence[str], roots: Collection[str], alias: str) -> set[str]:
    named: set[str] = set()
    for field in one.fields:
        folders = [field.root] if field.root else list(roots)
        spelled = {
            path[len(folder.rstrip("/")) + 1 :]: path
            for folder in folders
            for path in paths
            if sources.lies_in(path, folder)
        }
        column = one.model._meta.get_field(field.name)
        if hasattr(column, "base_field"):
            rows = references.rows(one, alias).filter(**{f"{field.name}__overlap": list(spelled)})
        else:
            rows = references.rows(one, alias).filter(**{f"{field.name}__in": list(spelled)})
        for name in texts(rows.order_by().values_list(field.name, flat=True)):
            named |= {spelled[name]} if name in spelled else set()
    return named
