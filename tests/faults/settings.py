"""The project of the watchers under test: the gallery alone, on the tests' database, at a quicker pace."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "tests.shapes"]  # its second folder is never there

AUDITOR_WATERMARK_SECONDS = 0.5
AUDITOR_POLL_SECONDS = 0.5
AUDITOR_STALL_SECONDS = float(os.environ.get("TEST_STALL_SECONDS", "60"))
