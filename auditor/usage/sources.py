"""Where names are: the columns of every model in every database that hold the name of a file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.files.storage import FileSystemStorage
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.errors import AuditorError, first_line
from auditor.orphans import references
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.orphans.storages import home_of

# Text columns of well-known apps that hold names of files, relative to a media folder.
TEXT_COLUMNS = {"easy_thumbnails.Source": ("name",), "easy_thumbnails.Thumbnail": ("name",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a site keeps files: `roots` can be judged, `left_out` cannot, and why: {folder: reason}.

    `elsewhere` are fields whose files are in no folder of this machine: {field id: reason}.
    """

    roots: tuple[str, ...]
    left_out: dict[str, str]
    elsewhere: dict[str, str]


def naming_models() -> list[AuditedModel]:
    """Every model with columns that name files, managed or not; a field's `root` is what its names are relative to.

    A field without one may name a file in any media folder.
    """
    found = []
    for model in apps.get_models(include_auto_created=True):
        fields = [] if model._meta.proxy else list(_naming_fields(model))
        if fields:
            found.append(
                AuditedModel(model=model, label=model._meta.label, fields=tuple(fields), group=None, named=False)
            )
    return found


def _naming_fields(model: type[models.Model]) -> Iterator[AuditedField]:
    for column in model._meta.local_concrete_fields:
        field = getattr(column, "base_field", column)  # an array of names
        is_text = column.name in TEXT_COLUMNS.get(model._meta.label, ())
        if isinstance(field, models.FileField):
            storage = field.storage
            root = os.path.realpath(storage.location) if isinstance(storage, FileSystemStorage) else None
            yield AuditedField(model=model._meta.label, name=column.name, is_primary=False, root=root)
        elif isinstance(field, models.FilePathField) or is_text:
            yield AuditedField(model=model._meta.label, name=column.name, is_primary=False, root=None)


def defaults_of(one: AuditedModel, name: str) -> list[Any]:
    """What a field holds in a record that is made tomorrow: the picture of all who have chosen none.

    Raises AuditorError if the site's function for it fails.
    """
    field = one.model._meta.get_field(name)
    given = getattr(field, "default", models.NOT_PROVIDED)
    try:
        every = [given() if callable(given) else given, getattr(field, "db_default", None)]
    except Exception as error:
        raise AuditorError(
            f"The default of {one.label}.{name} cannot be asked: {type(error).__name__}: {first_line(error)}".rstrip(
                ". "
            )
            + ". Nothing was moved.",
            hint="Mend the function that the field has as its default, and run the command again.",
        ) from error
    values = (getattr(value, "value", value) for value in every)  # of an expression
    return [value for value in values if isinstance(value, str | os.PathLike | list | tuple)]


def places() -> Places:
    """The folders of all file fields.

    A folder is left out where a storage may keep a file in it under another name than that of its record.
    """
    roots: dict[str, None] = {}
    left_out: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for model in apps.get_models(include_auto_created=True):
        for column in [] if model._meta.proxy else model._meta.local_concrete_fields:
            field = getattr(column, "base_field", column)
            if not isinstance(field, models.FileField):
                continue
            home = home_of(field.storage)
            if home.root is not None and home.adapter is None:
                roots[home.root] = None
            elif isinstance(field.storage, FileSystemStorage):
                left_out[os.path.realpath(field.storage.location)] = home.fault
            else:
                elsewhere[f"{model._meta.label}.{column.name}"] = home.fault or "its files are in no local folder"
    unclear = {root: reason for root in roots for other, reason in left_out.items() if overlap(root, other)}
    return Places(
        roots=tuple(root for root in roots if root not in unclear), left_out=left_out | unclear, elsewhere=elsewhere
    )


def overlap(one: str, other: str) -> bool:
    """Whether one folder is the other, or lies in it."""
    return lies_in(one, other) or lies_in(other, one)


def lies_in(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def databases() -> list[str]:
    """The aliases of every database that can have records of its own: a mirror has those of another one."""
    return [alias for alias in connections if not _is_unasked(connections[alias])]


def _is_unasked(connection: BaseDatabaseWrapper) -> bool:
    """Whether it is a mirror, or a database that only stands for none."""
    return connection.vendor == "unknown" or bool((connection.settings_dict.get("TEST") or {}).get("MIRROR"))


def in_database(found: list[AuditedModel], alias: str) -> list[AuditedModel]:
    """Those models whose table is in this database, wherever a router keeps their records."""
    present = _tables(alias)
    return [
        one
        for one in found
        if (table := one.model._meta.db_table).lower() in present
        or ('"' in table and not references.kept_elsewhere(one, alias))  # a quoted schema is not listed
    ]


def _tables(alias: str) -> set[str]:
    """In small letters: not every database tells them from capital ones."""
    return {table.lower() for table in references.tables(alias)}


def refuse_lost(models_without_table: list[AuditedModel]) -> None:
    """Raises AuditorError for a model whose table is in no database, if one should have it."""
    for one in models_without_table:
        homes = [alias for alias in databases() if router.allow_migrate_model(alias, one.model)]
        if one.model._meta.managed and homes:
            raise AuditorError(
                f"No database has the table {one.model._meta.db_table}, so nobody knows which files {one.label} "
                "names. Nothing was moved.",
                hint=f"Run: python manage.py migrate --database {homes[0]}",
            )
