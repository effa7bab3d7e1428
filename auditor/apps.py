"""The Django app."""

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class AuditorConfig(AppConfig):
    """Finds every app's `media_audit.py`, as the admin finds `admin.py`."""

    name = "auditor"
    verbose_name = "Media auditor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from auditor import checks  # noqa: F401, PLC0415 - registers itself, and needs the apps to be loaded
        from auditor.auditlog import append_only  # noqa: PLC0415
        from auditor.journal import giving_way  # noqa: PLC0415
        from auditor.orphans import journaled  # noqa: PLC0415

        connection_created.connect(giving_way.attend)
        for connection in connections.all(initialized_only=True):
            giving_way.attend(connection=connection)
        post_migrate.connect(append_only.keep, sender=self)
        post_migrate.connect(journaled.keep, sender=self)

        autodiscover_modules("media_audit")
