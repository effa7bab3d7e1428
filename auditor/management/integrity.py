"""One run of the integrity check: look, compare with earlier runs, show."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from auditor import lines
from auditor.auditlog import store
from auditor.durations import seconds_of
from auditor.errors import AuditorError, ExitCode
from auditor.integrity import images, report, table
from auditor.integrity import lines as integrity_lines
from auditor.integrity.check import Check
from auditor.integrity.conclusion import conclude, is_asked_for
from auditor.integrity.content import Asked
from auditor.integrity.findings import Report, Reported
from auditor.integrity.found import Wanted
from auditor.integrity.history import one_check_at_a_time
from auditor.integrity.pace import Pace
from auditor.integrity.sizes import bytes_of
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, refuse_unknown, usable
from auditor.management.run import CommandRun
from auditor.memory import seldom_collected
from auditor.orphans import references
from auditor.orphans.registry import AuditedModel, audited_models


def add_flags(parser: ArgumentParser) -> None:
    """What the check looks at, how long and how fast, and how it shows what it has found."""
    parser.add_argument("--check", action="store_true", help="exit with 3 if there is an error or a warning")
    parser.add_argument(
        "--deep", action="store_true", help="open every image as well, and compare its size with its record"
    )
    parser.add_argument(
        "--checksums",
        action="store_true",
        help="read every file as well, and compare its content with what it was the last time",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        metavar="TIME",
        help="read files for so long, such as 30m; the next run goes on with the rest",
    )
    parser.add_argument("--rate", metavar="BYTES", help="read no more than so much in a second, such as 50MB")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="app.Model",
        help="only records of this model and their files (may be repeated)",
    )
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="PREFIX",
        help="only names that begin so, such as photos/2024/ (may be repeated)",
    )
    parser.add_argument("--list", action="store_true", help="list every finding, and the files that nothing names")
    parser.add_argument(
        "--format", default="text", choices=["text", "csv"], help="a summary, or every finding as CSV (text)"
    )


class IntegrityRun(CommandRun):
    """One run of the command."""

    def __init__(self, command: AuditorCommand, log: JsonLog, options: dict[str, Any]) -> None:
        super().__init__(command, log, options)
        self.speaks = self.speaks and options["format"] == "text"

    def run(self) -> ExitCode:
        """Does it all; gives back the exit code."""
        check = self.checked_flags()
        present = present_in(self.using)
        ensure_audited(present, self.options["model"])
        self.log.emit(lines.run_started(self.command.name, self.using, dry_run=False))
        with seldom_collected(), one_check_at_a_time(self.using):
            return self.run_alone(check, present)

    def run_alone(self, check: Check, present: Sequence[AuditedModel]) -> ExitCode:
        """Does it all, with no other check at work."""
        started_at = store.database_time(self.using)
        chosen = [one for one in present if not one.kept_in and check.wanted.covers_model(one.id)]
        totals = references.counts(chosen, self.using)
        self.say(report.opening((one.label, totals[one.id]) for one in chosen))
        check.run(present)
        made = conclude(check, self.log.run_id, started_at)
        exit_code = self.conclusion(check, made)
        self.show(check, made)
        self.log.emit(
            integrity_lines.completed(
                made,
                command=self.command.name,
                exit_code=exit_code,
                duration_ms=self.duration_ms,
            )
        )
        return exit_code

    def checked_flags(self) -> Check:
        """The check that the flags ask for; raises AuditorError (usage) for flags that can mean nothing."""
        options = self.options
        reads = options["deep"] or options["checksums"]
        for flag, value in (("--for", options["seconds"]), ("--rate", options["rate"])):
            if value is not None and not reads:
                _refuse(f"{flag} is about the reading of files.", "Add --checksums or --deep.")
        if options["json"] and options["format"] == "csv":
            _refuse("--json and --format csv contradict each other.", "Choose one of them.")
        for prefix in options["path"]:
            if not prefix or prefix.startswith(("/", "./")):
                _refuse(
                    f"--path {prefix!r} selects nothing: names are relative to the media folder.",
                    "Write it as in a record, such as photos/2024/.",
                )
        if options["deep"]:
            images.ensure_pillow()
        seconds = None if options["seconds"] is None else seconds_of(options["seconds"], of="--for")
        rate = None if options["rate"] is None else bytes_of(options["rate"], of="--rate")
        return Check(
            using=self.using,
            wanted=Wanted(models=tuple(model.lower() for model in options["model"]), prefixes=tuple(options["path"])),
            asked=Asked(
                sums=options["checksums"],
                deep=options["deep"],
                until=None if seconds is None else self.begun + seconds,
            ),
            pace=Pace(rate, clock=time.monotonic, sleep=time.sleep),
            progress=self.progress,
        )

    def show(self, check: Check, made: Report) -> None:
        """Prints the findings in the form that is asked for, and logs them."""
        lists_all = self.options["list"]
        is_csv = self.options["format"] == "csv"
        unused = [Reported(finding=one) for one in check.unused()] if lists_all else []
        if is_csv:
            table.write([*made.findings, *unused], made.not_looked_at, _Encoding(self.command))
        else:
            self.say("\n" + report.summary(made, unused=unused, lists_all=lists_all))
        self.log.emit_all(integrity_lines.found([*made.findings, *unused]))
        self.log.emit_all(integrity_lines.report_made(made))

    def conclusion(self, check: Check, made: Report) -> ExitCode:
        """What the shell is told of a check that reached its end."""
        if made.reading and made.reading.is_interrupted:
            return ExitCode.INTERRUPTED
        if check.places.refused:
            return ExitCode.REFUSED_ROOT
        is_open = any(is_asked_for(check, one.finding.kind) for one in made.still_open)  # and the time was up
        is_found = self.options["check"] and (is_open or not made.is_sound)
        return ExitCode.ORPHANS_FOUND if is_found else ExitCode.DONE


class _Encoding:
    """A command's stdout, to which lines are written as they are."""

    def __init__(self, command: AuditorCommand) -> None:
        self._command = command

    def write(self, text: str) -> None:
        self._command.stdout.write(self._command.encodable(text), ending="")


def present_in(using: str) -> list[AuditedModel]:
    """The models of the database, and last those that are kept in another one; raises as `usable` does.

    Other than for a clean-up, it is no mistake if all that are named are kept elsewhere: there are others.
    """
    refuse_unknown(using)
    audited = audited_models()
    if all(references.kept_elsewhere(one, using) for one in audited if one.named):
        audited = [replace(one, named=False) for one in audited]
    return usable(using, audited)


def ensure_audited(present: Sequence[AuditedModel], wanted: Sequence[str]) -> None:
    """Raises AuditorError if no model has a file field (refused: root), or a wanted one has none here (usage)."""
    if not present:
        raise AuditorError(
            "No installed app has a model with a file field: there is nothing to check.",
            hint="Look at INSTALLED_APPS: is the app with the uploads in it?",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    known = {one.id.lower(): one for one in present}
    for model in wanted:
        if model.lower() not in known:
            choices = ", ".join(one.id for one in present)
            _refuse(f"--model {model}: no such model has a file field here.", f"Choose one of: {choices}.")
        elif known[model.lower()].kept_in:
            elsewhere = known[model.lower()].kept_in
            _refuse(f"A router keeps {model} in the database {elsewhere!r}.", f"Run this with --database {elsewhere}.")


def _refuse(message: str, hint: str) -> None:
    raise AuditorError(message, hint=hint, exit_code=ExitCode.USAGE)
