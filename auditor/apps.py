"""The Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AuditorConfig(AppConfig):
    """Finds every app's `media_audit.py`, as the admin finds `admin.py`."""

    name = "auditor"
    verbose_name = "Media auditor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from auditor import checks  # noqa: F401, PLC0415 - registers itself, and needs the apps to be loaded

        autodiscover_modules("media_audit")
