"""Deletes the records whose media file is gone, after showing them."""

import getpass
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

from django.db.utils import Error as DatabaseFailure
from tqdm import tqdm

from auditor import lines, report
from auditor.auditlog import store
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, usable
from auditor.models import Run
from auditor.orphans.finder import Progress, find
from auditor.orphans.plan import Outcome, Plan
from auditor.orphans.registry import AuditedModel, audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey
from auditor.removal.remove import RunFacts, ensure_allowed, remove


class Command(AuditorCommand):
    help = "Finds the records whose media file is gone, shows them, and deletes them if that is confirmed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would be deleted, and write nothing")
        parser.add_argument(
            "--force",
            "--no-input",
            "--noinput",
            action="store_true",
            dest="force",
            help="delete without asking",
        )
        parser.add_argument("--check", action="store_true", help="a dry run that exits with 3 if there are orphans")
        parser.add_argument(
            "--model",
            action="append",
            default=[],
            metavar="app.Model",
            help="name this model for deletion, instead of those of the settings (may be repeated)",
        )
        parser.add_argument(
            "--route",
            default="auto",
            choices=[kind.value for kind in RouteKind],
            help="ask the audit log, scan the whole disk, or whatever can be vouched for (auto)",
        )
        parser.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the summary")
        self.add_log_arguments(parser)

    def handle(self, **options: Any) -> None:
        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            ensure_flags_agree(options)
            exit_code = CleanUp(self, log, options).run()
        if exit_code:
            sys.exit(exit_code)


def ensure_flags_agree(options: dict[str, Any]) -> None:
    """Raises AuditorError (usage) for flags that contradict one another."""
    reads_only = [flag for flag in ("--dry-run", "--check") if options[flag[2:].replace("-", "_")]]
    if options["force"] and reads_only:
        raise AuditorError(
            f"{reads_only[0]} and --force contradict each other.",
            hint=f"Run with {reads_only[0]} first, then with --force.",
            exit_code=ExitCode.USAGE,
        )
    if options["json"] and not options["force"] and not reads_only:
        raise AuditorError(
            "--json cannot ask for a confirmation.",
            hint="Add --dry-run to look, or --force to delete without asking.",
            exit_code=ExitCode.USAGE,
        )


class CleanUp:
    """One run of the command: plan, show, do."""

    def __init__(self, command: AuditorCommand, log: JsonLog, options: dict[str, Any]) -> None:
        self.command = command
        self.log = log
        self.options = options
        self.using: str = options["database"]
        self.is_dry = options["dry_run"] or options["check"]
        self.begun = time.monotonic()

    def run(self) -> ExitCode:
        """Does it all; gives back the exit code."""
        audited = usable(self.using, audited_models(self.options["model"]))
        ensure_something_to_do(audited, deletes=not self.is_dry)
        self.log.emit(lines.run_started(self.command.name, self.using, dry_run=self.is_dry))
        plan = self.plan(audited)
        outcome, exit_code = Outcome(), ExitCode.DONE
        if plan.to_delete and not self.is_dry:
            ensure_allowed(plan, forced=self.options["force"])
            if self.options["force"] or self.is_confirmed():
                outcome = self.delete(plan, audited)
            else:
                self.say(report.CANCELLED)
                exit_code = ExitCode.FAILED
        exit_code = exit_code or conclusion(plan, outcome, checks=self.options["check"])
        self.log.emit(
            lines.run_completed(
                plan,
                outcome,
                command=self.command.name,
                dry_run=self.is_dry,
                exit_code=exit_code,
                duration_ms=round((time.monotonic() - self.begun) * 1000),
            )
        )
        return exit_code

    def plan(self, audited: Sequence[AuditedModel]) -> Plan:
        """Finds the orphans and shows them."""
        survey = make_survey(audited, using=self.using, wanted=RouteKind(self.options["route"]))
        main = [one for one in audited if one.named] or [one for one in audited if one.primary]
        self.say(report.opening((one.label, survey.totals[one.id]) for one in main))
        with self.progress(sum(survey.totals.values()), "records") as progress:
            plan = find(audited, survey, progress=progress)
        self.log.emit_all(lines.plan_made(plan))
        self.say(f"\n{report.summary(plan)}")
        return plan

    def is_confirmed(self) -> bool:
        """Whether a person types exactly `yes`."""
        self.say(f"\n{report.WARNING}")
        answer, stdin = "", sys.stdin or StringIO()  # a shell can close it
        try:
            self.command.stdout.write(report.QUESTION, ending="")
            self.command.stdout.flush()
            answer = stdin.readline()
        finally:
            if not (stdin.isatty() and answer.endswith("\n")):
                self.say("\n")  # nobody's return key has ended the line
        return answer.rstrip("\n") == "yes"

    def delete(self, plan: Plan, audited: Sequence[AuditedModel]) -> Outcome:
        """Executes the plan and shows what came of it."""
        run = RunFacts(
            uid=self.log.run_id,
            command=self.command.name,
            user=who(),
            started_at=store.database_time(self.using),
        )
        try:
            with self.progress(plan.orphans_total(), "orphans") as progress:
                outcome = remove(plan, audited, run, using=self.using, progress=progress)
        finally:
            self.command.state = self.what_is_true(run)
        self.log.emit_all(lines.plan_executed(outcome))
        self.say(f"\n{report.completion(plan, outcome)}")
        return outcome

    def what_is_true(self, run: RunFacts) -> str:
        """What became of a deletion: the answer to its COMMIT may be lost, or an interrupt come just behind it."""
        try:
            is_complete = Run.objects.using(self.using).filter(uid=run.uid).exists()
        except DatabaseFailure:
            return f"If the database has a run {run.uid}, the deletion is complete, and else nothing was deleted."
        return "The deletion is complete." if is_complete else "Nothing was deleted."

    def say(self, text: str) -> None:
        """Prints a part of the summary, unless stdout carries JSON."""
        if not self.options["json"]:
            self.command.stdout.write(self.command.encodable(text))

    @contextmanager
    def progress(self, total: int, unit: str) -> Iterator[Progress]:
        """A progress bar on a terminal, for what takes longer than a second."""
        shown = self.command.stderr.isatty()
        with tqdm(total=total, unit=f" {unit}", delay=1, leave=False, disable=not shown, file=sys.stderr) as bar:
            yield bar.update


def who() -> str:
    """The user who runs this; in a container, that may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before Python 3.13, a KeyError
        return f"uid {os.getuid()}"


def ensure_something_to_do(audited: Sequence[AuditedModel], *, deletes: bool) -> None:
    """Raises AuditorError if no model has a file field (refused: root), or none is named for a deletion (usage)."""
    with_primary = [one.id for one in audited if one.primary]
    if not audited:
        raise AuditorError(
            "No installed app has a model with a file field: there is nothing to audit.",
            hint="Look at INSTALLED_APPS: is the app with the uploads in it?",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    if deletes and not any(one.named for one in audited):
        raise AuditorError(
            "No model is named for deletion, so nothing can be deleted.",
            hint=f"Add to your settings: {report.naming(with_primary)}\nOr look first, with --dry-run.",
            exit_code=ExitCode.USAGE,
        )


def conclusion(plan: Plan, outcome: Outcome, *, checks: bool) -> ExitCode:
    """What the shell is told of a run that reached its end."""
    if checks and plan.orphans_total():
        return ExitCode.ORPHANS_FOUND
    is_settled = all(kept.is_settled for kept in outcome.kept)
    return ExitCode.DONE if plan.is_certain and is_settled else ExitCode.UNKNOWN_NAMES
