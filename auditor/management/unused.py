"""One run of the clean-up of unused files: plan, show, do; and what becomes of its trash."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.utils import Error as DatabaseFailure

from auditor import lines as run_lines
from auditor import roots, wording
from auditor.auditlog import store
from auditor.durations import seconds_of
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management import unused_flags as flags
from auditor.management.base import AuditorCommand, ensure_log
from auditor.management.run import CommandRun
from auditor.models import Run
from auditor.usage import lines, refusals, report
from auditor.usage.bins import bins, find_bin
from auditor.usage.cleaning import Cleaning
from auditor.usage.finder import Survey, Wanted, find, make_survey
from auditor.usage.plan import FilesOutcome, UnusedPlan
from auditor.usage.settling import settle, settle_unfinished
from auditor.usage.telling import Teller, numbers_of

NOTHING = UnusedPlan(roots=())


class UnusedFiles(CommandRun):
    """One run of the command."""

    def __init__(self, command: AuditorCommand, log: JsonLog, options: dict[str, Any]) -> None:
        super().__init__(command, log, options)
        self.is_dry = any(options[name] for name in flags.READS_ONLY)
        self.limit = flags.limit_of(options)
        self.min_age = flags.min_age_of(options)
        self.wanted = Wanted(min_age_seconds=seconds_of(self.min_age, of="--min-age"), patterns=tuple(options["keep"]))
        self.older_than = flags.older_than_of(options)
        self.older_than_seconds = seconds_of(self.older_than, of="--older-than")

    def run(self) -> ExitCode:
        """Does it all; gives back the exit code."""
        ensure_log(self.using)
        self.log.emit(run_lines.run_started(self.command.name, self.using, dry_run=self.is_dry))
        survey = make_survey(using=self.using)
        with nullcontext() if self.is_dry else self.alone():
            if not self.is_dry:
                self.settle(survey)
            plan, outcome, exit_code = self.act(survey)
        self.log.emit(
            lines.completed(
                plan,
                outcome,
                command=self.command.name,
                dry_run=self.is_dry,
                exit_code=exit_code,
                duration_ms=self.duration_ms,
            )
        )
        return exit_code

    def act(self, survey: Survey) -> tuple[UnusedPlan, FilesOutcome, ExitCode]:
        """Does what the flags ask for."""
        if self.options["list_trash"]:
            found = bins(survey.roots, self.using)
            self.log.emit_all(lines.trash_listed(found))
            steps = self.next_steps(found[0].run, "To put files back") if found else []
            self.say(report.trash(found, next_steps=steps))
            return NOTHING, FilesOutcome(), ExitCode.DONE
        if self.options["restore"]:
            return NOTHING, *self.restore(survey)
        if self.options["empty_trash"]:
            return NOTHING, *self.empty(survey)
        plan = self.plan(survey)
        return plan, *self.clean(plan, survey)

    def settle(self, survey: Survey) -> None:
        """Puts right what an earlier run, which was ended before its end, has left in the audit log."""
        found = settle_unfinished(numbers_of(list(survey.roots), self.using), self.using)
        if found:
            self.log.emit_all(lines.settled(found))
            self.say(report.settled(found) + "\n")

    def plan(self, survey: Survey) -> UnusedPlan:
        """Finds the unused files, and shows them."""
        self.say(report.OPENING)
        with self.progress(None, "records") as progress:
            plan = find(survey, self.wanted, min_age=self.min_age, using=self.using, progress=progress)
        self.log.emit_all(lines.plan_made(plan))
        self.say("\n" + report.summary(plan, lists_all=self.options["list"]))
        return plan

    def clean(self, plan: UnusedPlan, survey: Survey) -> tuple[FilesOutcome, ExitCode]:
        """Moves the unused files, unless it is a dry run, or refused, or not confirmed."""
        if self.is_dry or not plan.total:
            is_found = self.options["check"] and plan.total
            return FilesOutcome(), ExitCode.ORPHANS_FOUND if is_found else conclusion(plan, FilesOutcome())
        refusals.ensure_believable(plan, forced=self.options["force"], using=self.using)
        refusals.ensure_within(self.limit, plan)
        deletes = self.options["delete"]
        if not self.is_confirmed(report.DELETE_WARNING if deletes else report.WARNING):
            self.say(report.CANCELLED)
            return FilesOutcome(), ExitCode.FAILED
        self.meet_roots(plan)
        with self.cleaning(survey, plan.total) as cleaning:
            cleaning.trash(plan, frees=deletes)
        outcome = cleaning.outcome()
        self.log.emit_all(lines.executed(outcome))
        steps = self.next_steps(self.log.run_id) if outcome.trashed else []
        self.say("\n" + report.completion(outcome, next_steps=steps, is_certain=plan.is_certain))
        return outcome, conclusion(plan, outcome)

    def restore(self, survey: Survey) -> tuple[FilesOutcome, ExitCode]:
        """Puts the files of a run back to where they were."""
        found = bins(survey.roots, self.using)
        run = find_bin(self.options["restore"], found)
        chosen = [one for one in found if one.run == run]
        self.say(report.restoring(chosen))
        if self.is_dry:
            return FilesOutcome(), ExitCode.DONE
        if not self.is_confirmed("", question=f"Put these files back? {wording.QUESTION.rpartition('? ')[2]}"):
            self.say(report.NOT_PUT_BACK)
            return FilesOutcome(), ExitCode.FAILED
        with self.cleaning(survey, sum(one.files for one in chosen)) as cleaning:
            cleaning.restore(run)
        return self.told(cleaning, report.put_back)

    def empty(self, survey: Survey) -> tuple[FilesOutcome, ExitCode]:
        """Removes for good what has been in the trash for long enough."""
        limit = store.database_time(self.using) - timedelta(seconds=self.older_than_seconds)
        found = bins(survey.roots, self.using)
        old = [one for one in found if one.finished_at is not None and one.finished_at <= limit]
        self.say(report.emptying(old, older_than=self.older_than))
        if self.is_dry or not old:
            return FilesOutcome(), ExitCode.DONE
        if not self.is_confirmed(report.EMPTY_WARNING):
            self.say(report.NOT_EMPTIED)
            return FilesOutcome(), ExitCode.FAILED
        with self.cleaning(survey, sum(one.files for one in old)) as cleaning:
            cleaning.empty(list(dict.fromkeys(one.run for one in old)))
        return self.told(cleaning, report.emptied)

    def told(self, cleaning: Cleaning, words: Callable[[FilesOutcome], str]) -> tuple[FilesOutcome, ExitCode]:
        """Shows what became of the trash."""
        outcome = cleaning.outcome()
        self.log.emit_all(lines.executed(outcome))
        self.say("\n" + words(outcome))
        return outcome, conclusion(NOTHING, outcome)

    def meet_roots(self, plan: UnusedPlan) -> None:
        """Registers the media folders that nobody has met before: a file that a record names is in each."""
        for seen in plan.roots:
            if seen.unused and not seen.is_known:
                root = store.register_root(seen.path, using=self.using)
                done = roots.register_if_new(root, using=self.using)
                if done is not None:
                    self.say(f"Media folder: {wording.registered(seen.path, done, str(root.marker))}")
                    self.log.emit(run_lines.root_registered(root, done))

    @contextmanager
    def cleaning(self, survey: Survey, total: int) -> Iterator[Cleaning]:
        """A run at work, which is completed in the audit log however it ends."""
        numbers, run = numbers_of(list(survey.roots), self.using), self.log.run_id
        now = store.database_time(self.using)
        Run.objects.using(self.using).create(
            uid=run, command=self.command.name, user=self.user(), started_at=now, finished_at=now
        )
        teller = Teller(run=run, roots=numbers, using=self.using, options=self.given())
        with self.progress(total, "files") as progress:
            cleaning = Cleaning(teller=teller, roots=list(numbers), progress=progress)
            try:
                yield cleaning
            except BaseException:
                self.command.state = self.what_is_true(cleaning)
                with suppress(DatabaseFailure, AuditorError):  # else the next run does it
                    settle(run, numbers, self.using)
                raise
        teller.completed(cleaning.counts())

    def what_is_true(self, cleaning: Cleaning) -> str:
        """What had been done when a run ended before its end."""
        outcome, done = cleaning.outcome(), []
        if outcome.trashed:
            done.append(f"{report.files(len(outcome.trashed))} moved to the trash (--restore {self.log.run_id})")
        if outcome.untrashed:
            done.append(f"{report.files(len(outcome.untrashed))} put back")
        if outcome.freed:
            done.append(f"{report.files(len(outcome.freed))} deleted")
        return f"Before that: {', '.join(done)}." if done else "Nothing was moved."

    def next_steps(self, run: UUID, undo: str = "To undo this") -> Sequence[str]:
        """How a run is undone, and how its files are freed."""
        database = "" if self.using == DEFAULT_DB_ALIAS else f" --database {self.using}"
        command = f"python manage.py {self.command.name}{database}"
        return [
            f"{undo}: {command} --restore {run}",
            f"To free the space after {flags.OLDER_THAN}: {command} --empty-trash",
        ]

    def is_confirmed(self, warning: str, question: str = wording.QUESTION) -> bool:
        """Whether a person types exactly `yes`, or has said so before."""
        if self.options["force"]:
            return True
        if warning:
            self.say(f"\n{warning}")
        return self.is_answered_yes(question if warning else f"\n{question}")


def conclusion(plan: UnusedPlan, outcome: FilesOutcome) -> ExitCode:
    """What the shell is told of a run that reached its end."""
    return ExitCode.DONE if plan.is_certain and not outcome.kept else ExitCode.UNKNOWN_NAMES
