"""Which columns the reference journal is kept of, and that their triggers are there after each migrate."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import transaction

from auditor import conf
from auditor.journal import triggers
from auditor.journal.columns import Column, column_of, unique
from auditor.journal.triggers import TriggerSeen, TriggerState
from auditor.models import Span, UncheckedReference
from auditor.orphans import references, registry
from auditor.orphans.registry import AuditedModel

logger = logging.getLogger("auditor.journal")


def audited_columns(using: str) -> list[Column]:
    """Each column of this database that holds names of files in a folder of this machine, once."""
    return columns_of(references.in_database(registry.audited_models(), using))


def columns_of(audited: Sequence[AuditedModel], root: str = "") -> list[Column]:
    """Each column of these models that holds names of files in a folder of this machine, or in this one, once."""
    fields = ((one.model, field) for one in audited for field in one.fields)
    return unique(
        [
            column_of(model, field.name)
            for model, field in fields
            if field.root is not None and field.adapter is None and (not root or field.root == root)
        ]
    )


def forget_unwatched(audited: Sequence[AuditedModel], *, using: str) -> None:
    """Empties the journal for the folders that no watcher vouches for: the next one looks at every record by itself.

    Without a watcher, the journal would grow with every upload. The disk is not looked at.
    """
    for root in registry.roots(audited):
        watched = Span.objects.using(using).filter(root__path=root, closed_at__isnull=True)
        if watched.exists():
            continue
        names = [column.id for column in columns_of(audited, root)]
        with transaction.atomic(using):
            UncheckedReference.objects.using(using).filter(field__in=names)._raw_delete(using)
            # Asked again behind it: a watcher that has come since may not have seen what these entries stand for.
            if watched.exists():
                transaction.set_rollback(True, using)


def has_tables(using: str) -> bool:
    """Whether the journal's table is in this database."""
    return UncheckedReference._meta.db_table in references.tables(using)


def lacking(seen: Mapping[str, TriggerSeen]) -> dict[str, TriggerSeen]:
    """Those columns whose triggers could be there, and are not."""
    return {name: one for name, one in seen.items() if one.state is TriggerState.MISSING}


def keep(*, using: str, **_: Any) -> None:
    """After a migrate, makes the triggers that are missing, and removes those that this project wants no more."""
    _attempt(_put_in_order, using)


def _put_in_order(*, using: str) -> None:
    if not has_tables(using):
        return
    columns = audited_columns(using) if conf.keeps_journal() else []
    own = [model for model in apps.get_models() if model._meta.managed]
    for failed in triggers.remove_others(columns, own, using=using):
        logger.warning("The reference journal keeps triggers that nobody needs until the next migrate: %s", failed)
    for name, seen in lacking(triggers.install(columns, using=using)).items():
        logger.warning("The reference journal has no triggers for %s: %s", name, seen.why)


def _attempt(act: Callable[..., object], using: str) -> None:
    """Does it; whatever goes wrong is told in one line, and ends no migrate of the host."""
    try:
        act(using=using)
    except Exception as error:
        logger.warning("The reference journal's triggers in the database %r: %s", using, error)
