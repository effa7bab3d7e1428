"""Checks that every record has its file, that every file is sound, and what has changed since the last check."""

import sys
from argparse import ArgumentParser
from typing import Any

from auditor.management import integrity
from auditor.management.base import AuditorCommand


class Command(AuditorCommand):
    help = (
        "Checks the media in both directions: records whose file is missing or broken, files that nothing names. "
        "It changes no file and no record."
    )
    state = "No file and no record was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        integrity.add_flags(parser)
        parser.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the summary")
        self.add_log_arguments(parser)

    def handle(self, **options: Any) -> None:
        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            exit_code = integrity.IntegrityRun(self, log, options).run()
        if exit_code:
            sys.exit(exit_code)
