"""Brings back the records that a clean-up deleted, after showing them."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.db.utils import Error as DatabaseFailure

from auditor import lines, restore_lines, restore_report
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, ensure_log
from auditor.management.flags import add_force_flag
from auditor.management.run import CommandRun
from auditor.models import Run
from auditor.removal.belonging import Belonging, is_record
from auditor.removal.erasing import erase
from auditor.removal.restore import Restoration, look_back, restore
from auditor.removal.restore_plan import RestorePlan, Wish, asked_for
from auditor.removal.runs import RunFacts, RunSeen, find_run, older_wait, one_run_at_a_time, restorable_runs
from auditor.removal.written import Clash, read_run


class Command(AuditorCommand):
    help = "Brings back the records that a clean-up deleted, with all that went along, if that is confirmed."
    state = "Nothing was restored."
    stealth_options = ("user",)  # the admin says who has asked for it

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "run", nargs="?", default="", metavar="RUN_ID", help="the run, or how its id begins (default: the newest)"
        )
        parser.add_argument("--list", action="store_true", help="list the runs that can be restored")
        parser.add_argument("--dry-run", action="store_true", help="show what would come back, and write nothing")
        add_force_flag(parser, "restore without asking")
        parser.add_argument(
            "--only",
            action="extend",
            nargs="+",
            default=[],
            metavar="MODEL:PK",
            help="these records alone, such as gallery.Photo:5",
        )
        parser.add_argument(
            "--with-missing-files", action="store_true", help="also the records whose file is still missing"
        )
        parser.add_argument(
            "--skip-conflicts", action="store_true", help="leave out what cannot come back, and restore the rest"
        )
        parser.add_argument(
            "--erase", action="store_true", help="erase what was kept of the rows for good, and restore nothing"
        )
        parser.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the summary")
        self.add_log_arguments(parser)

    def handle(self, **options: Any) -> None:
        with self.opened_log(
            log_format=options["log_format"], json_into=options["json_into"], json=options["json"]
        ) as log:
            ensure_flags_agree(options)
            exit_code = Undoing(self, log, options).run()
        if exit_code:
            sys.exit(exit_code)


def ensure_flags_agree(options: dict[str, Any]) -> None:
    """Raises AuditorError (usage) for flags that contradict one another, and for what is no record."""
    pairs = [("dry_run", "force"), ("list", "force"), ("list", "dry_run"), ("list", "erase")]
    pairs += [("erase", "with_missing_files"), ("erase", "skip_conflicts")]
    for one, other in pairs:
        if options[one] and options[other]:
            flags = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
            raise AuditorError(
                f"{flags} contradict each other.", hint="Give only one of them.", exit_code=ExitCode.USAGE
            )
    nameless = [text for text in options["only"] if ":" not in text]
    if nameless:
        raise AuditorError(
            f"--only takes records such as gallery.Photo:5, and {nameless[0]!r} is none.",
            hint="Put the id of the run before --only.",
            exit_code=ExitCode.USAGE,
        )
    if options["json"] and not (options["force"] or options["dry_run"] or options["list"]):
        raise AuditorError(
            "--json cannot ask for a confirmation.",
            hint="Add --dry-run to look, or --force to restore without asking.",
            exit_code=ExitCode.USAGE,
        )


class Undoing(CommandRun):
    """One run of the command: plan, show, do."""

    def __init__(self, command: AuditorCommand, log: JsonLog, options: dict[str, Any]) -> None:
        super().__init__(command, log, options)
        self.is_dry: bool = options["dry_run"]

    def run(self) -> ExitCode:
        """Does it all; gives back the exit code."""
        ensure_log(self.using)
        if self.options["list"]:
            return self.list()
        run = find_run(self.options["run"], self.using, erases=self.options["erase"])
        self.log.emit(lines.run_started(self.command.name, self.using, dry_run=self.is_dry))
        return self.erase(run) if self.options["erase"] else self.restore(run)

    def list(self) -> ExitCode:
        """Shows the runs that can be restored."""
        found = restorable_runs(self.using)
        self.log.emit_all(restore_lines.run_listed(run) for run in found)
        self.say(restore_report.runs(found))
        return ExitCode.DONE

    def restore(self, run: RunSeen) -> ExitCode:
        """Shows what would come back, and brings it back if that is confirmed."""
        wish = Wish(
            only=tuple(self.options["only"]),
            with_missing_files=self.options["with_missing_files"],
            skip_conflicts=self.options["skip_conflicts"],
        )
        self.say(restore_report.opening(run))
        plan = look_back(run.uid, wish, using=self.using)
        self.log.emit_all(restore_lines.restore_planned(plan))
        self.say(f"\n{restore_report.summary(plan)}")
        done, exit_code = Restoration(plan=plan), conclusion(plan)
        if plan.is_blocked:
            self.say(f"\n{restore_report.blocked(plan)}")
        elif plan.coming and not self.is_dry:
            if self.options["force"] or self.is_confirmed(restore_report.ASKED):
                done = self.bring_back(run, wish, plan)
                exit_code = conclusion(done.plan)
            else:
                self.say(restore_report.CANCELLED)
                exit_code = ExitCode.FAILED
        if not done.plan.coming and not self.options["run"] and older_wait(run, self.using):
            self.say(f"\n{restore_report.OLDER_WAIT}")
        self.complete(done, exit_code)
        return exit_code

    def bring_back(self, run: RunSeen, wish: Wish, plan: RestorePlan) -> Restoration:
        """Restores, and shows what came back."""
        facts = self.facts()
        try:
            with one_run_at_a_time(self.using):
                done = restore(run.uid, wish, facts, using=self.using)
        finally:
            self.command.state = self.what_is_true(facts)
        self.log.emit_all(restore_lines.restored(plan, done))
        if done.plan.is_blocked:
            self.say(f"\n{restore_report.summary(done.plan)}\n\n{restore_report.blocked(done.plan)}")
        else:
            self.say(f"\n{restore_report.completion(plan, done)}")
        return done

    def erase(self, run: RunSeen) -> ExitCode:
        """Erases what was kept, if that is confirmed."""
        belonging = Belonging(read_run(run.uid, self.using), self.using)
        rows = [one for one in belonging.rows if one.fault is not Clash.ERASED]
        if self.options["only"]:
            chosen = belonging.with_dependents(asked_for(rows, self.options["only"], to_do="to erase"))
            rows = [one for one in rows if one in chosen]
        records = [one for one in rows if is_record(one)]
        self.say(restore_report.opening(run, erases=True))
        self.say(f"\n{restore_report.erasing(records, len(rows))}")
        exit_code, count = ExitCode.DONE, 0
        if not self.is_dry:
            self.say(f"\n{restore_report.ERASING}")
            if self.options["force"] or self.is_confirmed(restore_report.ERASE_ASKED):
                with one_run_at_a_time(self.using):
                    count = erase(run.uid, rows, self.log.run_id, using=self.using)
                self.say(f"\n{restore_report.erased(count)}")
            else:
                self.say(restore_report.NOTHING_ERASED)
                exit_code = ExitCode.FAILED
        self.complete(None, exit_code, erased=count)
        return exit_code

    def complete(self, done: Restoration | None, exit_code: ExitCode, *, erased: int = 0) -> None:
        """Writes the log's last line."""
        self.log.emit(
            restore_lines.restore_completed(
                done,
                command=self.command.name,
                dry_run=self.is_dry,
                exit_code=exit_code,
                duration_ms=self.duration_ms,
                erased=erased,
            )
        )

    def is_confirmed(self, question: str) -> bool:
        return self.is_answered_yes(f"\n{question}")

    def what_is_true(self, run: RunFacts) -> str:
        """What became of a restore: the answer to its COMMIT may be lost, or an interrupt come just behind it."""
        try:
            is_complete = Run.objects.using(self.using).filter(uid=run.uid).exists()
        except DatabaseFailure:
            return f"If the database has a run {run.uid}, the restore is complete, and else nothing was restored."
        return "The restore is complete." if is_complete else "Nothing was restored."


def conclusion(plan: RestorePlan) -> ExitCode:
    """What the shell is told of a restore that reached its end."""
    if plan.is_blocked:
        return ExitCode.FAILED
    stays_away = plan.away or any(not conflict.is_mended for conflict in plan.conflicts)
    return ExitCode.UNKNOWN_NAMES if stays_away else ExitCode.DONE
