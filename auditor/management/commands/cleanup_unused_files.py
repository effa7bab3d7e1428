"""Moves the files that no record names into a trash, after showing them."""

import sys
from argparse import ArgumentParser
from typing import Any

from auditor.management import unused_flags as flags
from auditor.management.base import AuditorCommand
from auditor.management.unused import UnusedFiles


class Command(AuditorCommand):
    help = "Finds the files that no record names, shows them, and moves them into a trash if that is confirmed."
    state = "Nothing was moved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        flags.add_flags(parser)
        parser.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the summary")
        self.add_log_arguments(parser)

    def handle(self, **options: Any) -> None:
        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            flags.ensure_flags_agree(options)
            exit_code = UnusedFiles(self, log, options).run()
        if exit_code:
            sys.exit(exit_code)
