"""System checks: a broken setting or registration is told before any command runs."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS

from auditor import conf
from auditor.auditlog import append_only
from auditor.journal import triggers
from auditor.orphans import journaled, registry
from auditor.usage.registry import hook_faults

HINT = "Names look like 'gallery.Photo'; see register() in auditor.orphans.registry."


@checks.register("auditor")
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E001: a setting has the wrong type or size."""
    faults = (setting.fault() for setting in conf.ALL)
    return [checks.Error(fault, hint="Correct it in settings.py.", id="auditor.E001") for fault in faults if fault]


@checks.register("auditor")
def check_named_models(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E002: AUDITOR_MODELS or AUDITOR_MAX_ORPHANS names what cannot be cleaned up."""
    named = [] if conf.MODELS.fault() else [(conf.MODELS, name) for name in conf.named_models()]
    if not conf.MAX_ORPHANS.fault():
        named += [(conf.MAX_ORPHANS, name) for name, _ in conf.max_orphans().models]
    faults = ((setting.name, registry.name_fault(name)) for setting, name in named)
    return [checks.Error(f"{setting}: {fault}", hint=HINT, id="auditor.E002") for setting, fault in faults if fault]


@checks.register("auditor")
def check_registrations(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E003: a `media_audit.py` registers a model or field that does not fit."""
    return [
        checks.Error(f"media_audit.py: {fault}", hint=HINT, id="auditor.E003")
        for fault in registry.registration_faults()
    ]


@checks.register("auditor")
def check_time_zones(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E004: times without a zone cannot be compared between hosts."""
    if settings.USE_TZ:
        return []
    return [
        checks.Error(
            "USE_TZ is False.", hint="Set USE_TZ = True: the audit log keeps times in UTC.", id="auditor.E004"
        )
    ]


@checks.register("auditor")
def check_name_hooks(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E005: a `media_audit.py` registers names with what cannot be called."""
    return [
        checks.Error(
            f"media_audit.py: {fault}",
            hint="Give register_names() a function that takes nothing and yields names of files.",
            id="auditor.E005",
        )
        for fault in hook_faults()
    ]


@checks.register(checks.Tags.database)
def check_journal(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """auditor.W001: the triggers of the reference journal are missing, so that the log is not enough for an answer."""
    if not conf.keeps_journal() or check_named_models():
        return []
    return [one for using in databases or () for one in _without_triggers(using)]


def _without_triggers(using: str) -> Iterator[checks.CheckMessage]:
    if journaled.has_tables(using):
        flag = "" if using == DEFAULT_DB_ALIAS else f" --database {using}"
        seen = triggers.look(journaled.audited_columns(using), using=using)
        for name, one in journaled.lacking(seen).items():
            why = f": {one.why}" if one.why else ""
            yield checks.Warning(
                f"The reference journal has no triggers for {name}{why}.",
                hint=f"Run: python manage.py reference_journal --install{flag}",
                id="auditor.W001",
            )


@checks.register(checks.Tags.database)
def check_append_only(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """auditor.W002: the database would let events or batches of the audit log be changed."""
    return [
        checks.Warning(
            f"The database {using!r} would let the audit log be changed: {len(names)} of its triggers are missing.",
            hint=f"Run as the owner of the tables: python manage.py migrate auditor --database {using}",
            id="auditor.W002",
        )
        for using in databases or ()
        if (names := append_only.missing(using=using))
    ]
