"""The tests' project with a second database, in which a router keeps the gallery; both are files of one folder."""

import os
from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import MEDIA_ROOT

FOLDER = os.path.dirname(MEDIA_ROOT)
DATABASES = {
    alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(FOLDER, f"{alias}.sqlite3")}
    for alias in ("default", "media")
}
DATABASE_ROUTERS = ["tests.orphans.two_databases.GalleryElsewhere"]


class GalleryElsewhere:
    """Keeps the gallery in `media`, and everything else in `default`; the audit log is in both."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return self.home(model._meta.app_label)

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        home = self.home(app_label)
        return db == home if home else None

    def home(self, app_label: str) -> str | None:
        return None if app_label == "auditor" else {"gallery": "media"}.get(app_label, "default")
