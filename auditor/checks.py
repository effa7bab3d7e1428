"""System checks: a broken setting or registration is told before any command runs."""

from typing import Any

from django.conf import settings
from django.core import checks

from auditor import conf
from auditor.orphans import registry

HINT = "Names look like 'gallery.Photo'; see register() in auditor.orphans.registry."


@checks.register("auditor")
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E001: a setting has the wrong type or size."""
    faults = (setting.fault() for setting in conf.ALL)
    return [checks.Error(fault, hint="Correct it in settings.py.", id="auditor.E001") for fault in faults if fault]


@checks.register("auditor")
def check_named_models(**_: Any) -> list[checks.CheckMessage]:
    """auditor.E002: AUDITOR_MODELS names what cannot be cleaned up."""
    if conf.MODELS.fault():
        return []
    faults = (registry.name_fault(name) for name in conf.named_models())
    return [checks.Error(f"AUDITOR_MODELS: {fault}", hint=HINT, id="auditor.E002") for fault in faults if fault]


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
