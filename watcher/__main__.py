"""`python -m watcher`: watch_media for a project that is named by its settings."""

import os
import sys

from django.core.management import execute_from_command_line

from auditor.errors import ExitCode


def main(arguments: list[str]) -> None:
    """Runs watch_media with the arguments; leaves with USAGE if no settings are named."""
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        sys.stderr.write("DJANGO_SETTINGS_MODULE is not set: it must name the settings of your project.\n")
        sys.exit(ExitCode.USAGE)
    # A manage.py is run from the folder of the project: this finds it there as well.
    sys.path.insert(0, os.getcwd())
    execute_from_command_line(["python -m watcher", "watch_media", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
