"""Loads records as instances, which the collector and the host's signals want, though their files are gone."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.db import models

from auditor.auditlog.store import CHUNK, chunks
from auditor.orphans import references
from auditor.orphans.registry import AuditedModel


def load(audited: AuditedModel, keys: Sequence[Any], using: str) -> list[models.Model]:
    """The records with these keys, whole."""
    instances: list[models.Model] = []
    for some in chunks(keys, CHUNK):
        rows = references.rows(audited, using).filter(pk__in=some)
        try:
            instances += rows
        except (OSError, ValueError, SuspiciousFileOperation):
            # An ImageField whose dimensions are not stored opens its file when it is loaded.
            instances += _load_unopened(rows)
    return instances


def _load_unopened(rows: models.QuerySet[Any]) -> Iterator[models.Model]:
    """The records loaded without the names of their files, which are put in afterwards."""
    files = [one.name for one in rows.model._meta.concrete_fields if isinstance(one, models.FileField)]
    held = {row["pk"]: row for row in rows.values("pk", *files)}
    for instance in rows.defer(*files):
        instance.__dict__.update((name, held[instance.pk][name]) for name in files)
        yield instance
