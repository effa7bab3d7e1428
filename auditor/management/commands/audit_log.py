"""Answers questions from the audit log."""

import sys
from argparse import ArgumentParser
from typing import Any

from auditor.management import questions
from auditor.management.base import AuditorCommand


class Command(AuditorCommand):
    help = "Answers questions from the audit log: what happened to a file, when nobody looked, what a run did."
    state = "Nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        questions.add_to(parser, self.add_log_arguments)

    def handle(self, **options: Any) -> None:
        from auditor.management.audit_log import Answer  # noqa: PLC0415 - `--help` is not to wait for all of it

        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            exit_code = Answer(self, log, options).give()
        if exit_code:
            sys.exit(exit_code)
