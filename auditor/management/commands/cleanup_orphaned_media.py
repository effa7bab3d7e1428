"""Deletes the records whose media file is gone, after showing them."""

import sys
from argparse import ArgumentParser
from typing import Any

from auditor.management import flags
from auditor.management.base import AuditorCommand


class Command(AuditorCommand):
    help = "Finds the records whose media file is gone, shows them, and deletes them if that is confirmed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        flags.add_mode_flags(parser)
        flags.add_selection_flags(parser)
        flags.add_move_flags(parser)
        flags.add_rule_flags(parser)
        parser.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the summary")
        self.add_log_arguments(parser)

    def handle(self, **options: Any) -> None:
        from auditor.management.cleanup import CleanUp  # noqa: PLC0415 - `--help` is not to wait for all of it
        from auditor.management.meaning import ensure_flags_agree  # noqa: PLC0415

        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            ensure_flags_agree(options)
            exit_code = CleanUp(self, log, options).run()
        if exit_code:
            sys.exit(exit_code)
