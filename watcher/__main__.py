"""`python -m watcher`: watch_media without a manage.py."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        sys.exit_code = 2
