"""One run of a command: what all of them have at hand, and how they speak with a person."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.db.utils import Error as DatabaseFailure

from auditor import wording
from auditor.auditlog import store
from auditor.auditlog.events import NamesDoubted, RunRefused
from auditor.errors import AuditorError, ExitCode
from auditor.management.base import AuditorCommand, who
from auditor.management.given import given_to
from auditor.removal.runs import RunFacts, one_run_at_a_time

if TYPE_CHECKING:
    from auditor.jsonlog import JsonLog


class CommandRun:
    """One run of a command with these options."""

    def __init__(self, command: AuditorCommand, log: "JsonLog", options: dict[str, Any]) -> None:
        self.command = command
        self.log = log
        self.options = options
        self.using: str = options["database"]
        self.begun = time.monotonic()
        self.speaks = not options["json"]

    @property
    def duration_ms(self) -> int:
        """For how long it has been at work."""
        return round((time.monotonic() - self.begun) * 1000)

    def facts(self) -> RunFacts:
        """What is kept of the run."""
        return RunFacts(
            uid=self.log.run_id,
            command=self.command.name,
            user=self.user(),
            started_at=store.database_time(self.using),
            options=self.given(),
        )

    def user(self) -> str:
        """Who runs it: whoever called the command from Python may have said so, as the admin does."""
        return self.options.get("user") or who()

    def given(self) -> str:
        """The options that the command was given."""
        return given_to(self.command.create_parser("manage.py", self.command.name), self.options)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within it, no other run is at work; a refusal is written into the audit log as well."""
        with one_run_at_a_time(self.using):
            try:
                yield
            except AuditorError as error:
                if error.exit_code in (ExitCode.REFUSED_ROOT, ExitCode.REFUSED_LIMIT):
                    message, hint = (wording.safe_lines(text) for text in (error.message, error.hint))
                    code = int(error.exit_code)
                    self.write_down(RunRefused, options=self.given(), exit_code=code, message=message, hint=hint)
                raise

    def write_down(self, kind: type[RunRefused | NamesDoubted], **data: Any) -> None:
        """Writes an event of this run into the audit log, unless that fails: the run itself says the same."""
        with suppress(DatabaseFailure, AuditorError):
            now = store.database_time(self.using)
            event = kind(occurred_at=now, run_id=self.log.run_id, command=self.command.name, user=self.user(), **data)
            store.append([event], using=self.using)

    def say(self, text: str) -> None:
        """Prints a part of the summary, unless stdout carries something else."""
        if self.speaks:
            self.command.stdout.write(self.command.encodable(text))

    def is_answered_yes(self, question: str) -> bool:
        """Whether a person types exactly `yes`."""
        answer, stdin = "", sys.stdin or StringIO()  # a shell can close it
        try:
            self.command.stdout.write(question, ending="")
            self.command.stdout.flush()
            answer = stdin.readline()
        finally:
            if not (stdin.isatty() and answer.endswith("\n")):
                self.say("\n")  # nobody's return key has ended the line
        return answer.rstrip("\n") == "yes"

    @contextmanager
    def progress(self, total: int | None, unit: str) -> Iterator[Callable[[int], object]]:
        """A progress bar on a terminal, for what takes longer than a second."""
        if not self.command.stderr.isatty():
            yield lambda _: None
            return
        from tqdm import tqdm  # noqa: PLC0415 - not a light one, and seldom shown

        with tqdm(total=total, unit=f" {unit}", delay=1, leave=False, file=sys.stderr) as bar:
            yield bar.update
