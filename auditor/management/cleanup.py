"""One run of the clean-up: plan, show, do."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.utils import Error as DatabaseFailure

from auditor import lines, report, roots, wording
from auditor.auditlog import store
from auditor.auditlog.events import NamesDoubted
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management import meaning
from auditor.management.base import AuditorCommand, usable, who
from auditor.management.run import CommandRun
from auditor.memory import seldom_collected
from auditor.models import Run
from auditor.orphans import acknowledged, age, journaled, moves, proposals, remote, selection
from auditor.orphans.finder import find
from auditor.orphans.plan import Fate, Outcome, Plan
from auditor.orphans.registry import AuditedModel, audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey
from auditor.removal import refusals
from auditor.removal.preview import preview
from auditor.removal.remove import remove
from auditor.removal.runs import RunFacts
from auditor.wishes import OnProtected, RelinkWanted


class CleanUp(CommandRun):
    """One run of the command."""

    def __init__(self, command: AuditorCommand, log: JsonLog, options: dict[str, Any]) -> None:
        super().__init__(command, log, options)
        self.selection = meaning.selection_of(options)
        self.limits = meaning.limits_of(options)
        self.relink = RelinkWanted(options["relink"])
        self.on_protected = OnProtected(options["on_protected"])
        self.min_age_seconds = meaning.min_age_seconds_of(options)
        self.is_dry = any(options[name] for name in meaning.READS_ONLY)
        self.deletes = not self.is_dry and not any(options[name] for name in meaning.WRITES_NO_RECORD)
        self.audited: Sequence[AuditedModel] = ()
        self.found = Plan(findings=())  # before anything was selected or decided
        self.met: list[str] = []  # what became of media folders that nobody had met before

    def run(self) -> ExitCode:
        """Does it all; gives back the exit code."""
        audited = usable(self.using, audited_models(self.options["model"]))
        ensure_something_to_do(audited, deletes=self.deletes)
        self.audited = audited
        self.log.emit(lines.run_started(self.command.name, self.using, dry_run=self.is_dry))
        with seldom_collected(), self.alone() if self.deletes else nullcontext():
            return self.run_alone(audited)

    def run_alone(self, audited: Sequence[AuditedModel]) -> ExitCode:
        """Does it all, with nobody else at work."""
        if self.options["acknowledged"] or self.options["unacknowledge"]:
            return self.end(Plan(findings=()), Outcome(), self.speak_of_acknowledged(audited))
        plan = self.plan(audited)
        if self.options["acknowledge"]:
            return self.end(plan, Outcome(), self.acknowledge(plan, audited))
        return self.end(plan, *self.act(plan, audited))

    def act(self, plan: Plan, audited: Sequence[AuditedModel]) -> tuple[Outcome, ExitCode]:
        """Does what the plan says, unless it is a dry run, or refused, or not confirmed."""
        outcome = Outcome()
        if self.deletes:
            self.note_doubts(plan)
            self.ensure_allowed(plan)
            if plan.to_do and not (self.options["force"] or self.is_confirmed(plan)):
                self.remember(outcome)
                self.say(report.CANCELLED)
                return outcome, ExitCode.FAILED
            if plan.to_do:
                outcome = self.delete(plan, audited)
            self.remember(outcome)
        return outcome, conclusion(plan, outcome, checks=self.options["check"])

    def note_doubts(self, plan: Plan) -> None:
        """Writes into the audit log of which records nobody can say whether their file is there."""
        if plan.unknown:
            records = dict(Counter(one.model for one in plan.unknown))
            sample = [
                wording.safe(f"{one.model}:{one.key} {one.name} ({one.reason})")
                for one in plan.unknown[: wording.SAMPLE]
            ]
            self.write_down(NamesDoubted, records=records, sample=sample)

    def ensure_allowed(self, plan: Plan) -> None:
        """Raises AuditorError where the disk cannot be believed, or there are more orphans than a limit allows."""
        refusals.ensure_a_root(plan)
        if plan.to_do:
            refusals.ensure_believable(plan, forced=self.options["force"])
        if self.on_protected is OnProtected.ABORT:
            refusals.ensure_unprotected(plan)
        if plan.excesses:
            self.remember(Outcome())
            raise refusals.too_many(plan, command=meaning.again(self.command.name, self.options))

    def remember(self, outcome: Outcome) -> None:
        """Notes what is missing and stays, so that a later run knows for how long it has been."""
        acknowledged.forget_returned(self.found, using=self.using)
        age.remember(self.found, outcome, using=self.using)
        journaled.forget_unwatched(self.audited, using=self.using)

    def end(self, plan: Plan, outcome: Outcome, exit_code: ExitCode) -> ExitCode:
        """The last line of the log."""
        self.log.emit(
            lines.run_completed(
                plan,
                outcome,
                command=self.command.name,
                dry_run=self.is_dry,
                exit_code=exit_code,
                duration_ms=self.duration_ms,
            )
        )
        return exit_code

    def meet_roots(self, plan: Plan) -> None:
        """Registers the media folders that nobody has met before, and notes what is mounted in those that are known.

        A folder is believed where a file that a record names is there.
        """
        for seen in plan.roots:
            if not (seen.is_known or seen.is_witnessed):
                continue
            root = store.register_root(seen.path, using=self.using)
            done = None if seen.is_known else roots.register_if_new(root, using=self.using)
            if done is not None:
                self.met.append(f"Media folder: {wording.registered(seen.path, done, str(root.marker))}")
                self.log.emit(lines.root_registered(root, done))
            roots.note_mounts(root, seen.mounted.names, using=self.using)

    def plan(self, audited: Sequence[AuditedModel]) -> Plan:
        """Finds the orphans, decides what is to become of them, and shows them."""
        survey = make_survey(audited, using=self.using, wanted=RouteKind(self.options["route"]))
        main = [one for one in audited if one.named] or [one for one in audited if one.primary]
        self.say(report.opening((one.label, survey.totals[one.id]) for one in main))
        with self.progress(sum(survey.totals.values()), "records") as progress:
            self.found = find(audited, survey, progress=progress)
        # What vanished with a volume would else be shown, noted and acknowledged as missing.
        refusals.ensure_same_roots(self.found, remote.adapters(audited), using=self.using)
        if self.deletes:
            self.meet_roots(self.found)
        plan = self.decided(self.found, audited)
        self.log.emit_all(lines.plan_made(plan))
        self.say("\n" + "\n\n".join([*self.met, report.summary(plan)]))
        return plan

    def decided(self, plan: Plan, audited: Sequence[AuditedModel]) -> Plan:
        """The plan with the fate of every orphan."""
        plan = selection.select(plan, self.selection)
        plan = acknowledged.leave_out_acknowledged(plan, using=self.using)
        plan = moves.trace(plan, audited, using=self.using)
        if self.looks_for_files(plan):
            plan = proposals.propose(plan, audited, using=self.using)
        plan = moves.decide(plan, self.relink, delete_moved=self.options["delete_moved"])
        if self.min_age_seconds:
            plan = age.aged(plan, self.min_age_seconds, using=self.using)
        plan = self.with_cascade(plan, audited)
        if self.options["limit"]:
            # Those that others protect do not count: or they would stand in the way of the rest for ever.
            plan = self.with_cascade(selection.first(plan, self.options["limit"]), audited)
        return plan.limited(self.limits)

    def with_cascade(self, plan: Plan, audited: Sequence[AuditedModel]) -> Plan:
        """The plan with what the deletion takes along, and the records that others protect."""
        with self.progress(plan.orphans_total(), "orphans") as progress:
            return preview(plan, audited, using=self.using, progress=progress)

    def looks_for_files(self, plan: Plan) -> bool:
        """Whether missing files are looked for all over their media folder, as where nobody watched it."""
        is_scanned = any(route.kind is RouteKind.SCAN for fields in plan.routes.values() for route in fields.values())
        return bool(plan.to_do) and (is_scanned or self.relink is RelinkWanted.PROPOSED)

    def is_confirmed(self, plan: Plan) -> bool:
        """Whether a person types exactly `yes`."""
        self.say(f"\n{report.warning(plan)}")
        return self.is_answered_yes(wording.QUESTION)

    def delete(self, plan: Plan, audited: Sequence[AuditedModel]) -> Outcome:
        """Executes the plan and shows what came of it."""
        run = self.facts()
        try:
            with self.progress(plan.orphans_total(), "orphans") as progress:
                outcome = remove(
                    plan,
                    audited,
                    run,
                    using=self.using,
                    on_protected=self.on_protected,
                    progress=progress,
                )
        finally:
            self.command.state = self.what_is_true(run)
        self.log.emit_all(lines.plan_executed(outcome))
        self.say(f"\n{report.completion(plan, outcome, undo=self.undo(outcome))}")
        return outcome

    def undo(self, outcome: Outcome) -> str:
        """How the run is undone; a relinked record is brought back to a name at which no file is."""
        database = "" if self.using == DEFAULT_DB_ALIAS else f" --database {self.using}"
        command = f"python manage.py restore_orphaned_media{database} {self.log.run_id}"
        if outcome.relinked:
            return f"To undo this: {command} --with-missing-files"
        return f"To undo this, once the files are back: {command}" if outcome.deleted else ""

    def what_is_true(self, run: RunFacts) -> str:
        """What became of a deletion: the answer to its COMMIT may be lost, or an interrupt come just behind it."""
        try:
            is_complete = Run.objects.using(self.using).filter(uid=run.uid).exists()
        except DatabaseFailure:
            return f"If the database has a run {run.uid}, the deletion is complete, and else nothing was deleted."
        return "The deletion is complete." if is_complete else "Nothing was deleted."

    def acknowledge(self, plan: Plan, audited: Sequence[AuditedModel]) -> ExitCode:
        """Takes down that the losses in the report are known; as for a deletion, the disk must be believable."""
        refusals.ensure_a_root(plan)
        refusals.ensure_believable(plan, forced=True)
        count = acknowledged.acknowledge(plan, audited, self.log.run_id, user=who(), using=self.using)
        self.say(f"\n{wording.acknowledged(count)}")
        return ExitCode.DONE

    def speak_of_acknowledged(self, audited: Sequence[AuditedModel]) -> ExitCode:
        """Lists the acknowledged losses, or takes their acknowledgement back."""
        models = [one.id for one in audited if one.named or not self.options["model"]]
        known = acknowledged.acknowledged(models, self.selection, using=self.using)
        if self.options["unacknowledge"]:
            acknowledged.take_back(known, using=self.using)
            self.say(wording.unacknowledged(len(known)))
        else:
            self.say(wording.acknowledged_list(known))
            self.log.emit_all(lines.acknowledged(known))
        return ExitCode.DONE


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
    if checks and any(orphan.fate is not Fate.WAITING for finding in plan.main for orphan in finding.orphans):
        return ExitCode.ORPHANS_FOUND
    wants_a_person = any(finding.of_fate(Fate.MOVED, Fate.PROTECTED) for finding in plan.main)
    is_settled = all(kept.is_settled for kept in outcome.kept)
    return ExitCode.DONE if plan.is_certain and is_settled and not wants_a_person else ExitCode.UNKNOWN_NAMES
