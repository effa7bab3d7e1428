"""Shows whether the writes of each audited column are journaled; makes the triggers for it, or removes them."""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any

from auditor import conf, lines
from auditor.errors import AuditorError, ExitCode
from auditor.journal import entries, triggers
from auditor.journal.triggers import TriggerSeen, TriggerState
from auditor.management.base import AuditorCommand, ensure_log, refuse_unknown
from auditor.models import Candidate, UncheckedReference
from auditor.orphans.journaled import audited_columns, lacking
from auditor.wording import counted, safe

WORDS = {
    TriggerState.IN_PLACE: "journaled",
    TriggerState.MISSING: "not journaled, its triggers are missing",
    TriggerState.IMPOSSIBLE: "not journaled",
}
NEXT = "To make the triggers that are missing: python manage.py reference_journal --install"
UNKEPT = "AUDITOR_JOURNAL is False: the next migrate removes all triggers."
COMES_BACK = "The next migrate makes them again, unless AUDITOR_JOURNAL = False is in the settings."


class Command(AuditorCommand):
    help = (
        "Shows of each audited column whether triggers write its new and changed references into the reference "
        "journal, and how many wait there to be looked at."
    )
    state = "Nothing of the journal was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--install", action="store_true", help="make the triggers that are missing")
        action.add_argument("--remove", action="store_true", help="remove all triggers, and what is in the journal")
        self.add_log_arguments(parser)

    def handle(self, *, install: bool, remove: bool, database: str, log_format: str, json_into: str, **_: Any) -> None:
        with self.opened_log(log_format=log_format, json_into=json_into) as log:
            if remove:
                refuse_unknown(database)
                removed = triggers.remove(using=database)
                self.say(removal(removed))
                log.emit(lines.journal_removed(removed))
                return
            ensure_log(database)
            if install and not conf.keeps_journal():
                raise unkept()
            columns = audited_columns(database)
            seen = (triggers.install if install else triggers.look)(columns, using=database)
            unchecked, candidates = (entries.counts(one, using=database) for one in (UncheckedReference, Candidate))
            self.say(account(seen, unchecked, candidates))
            for line in lines.journal_seen(seen, unchecked, candidates):
                log.emit(line)
            if install and lacking(seen):
                raise refused(lacking(seen))

    def say(self, sentences: Iterator[str]) -> None:
        """Prints sentences, a line each."""
        for sentence in sentences:
            self.stdout.write(self.encodable(safe(sentence)))


def account(
    seen: Mapping[str, TriggerSeen], unchecked: Mapping[str, int], candidates: Mapping[str, int]
) -> Iterator[str]:
    """What there is to say of each column, and what may be done."""
    for name, one in seen.items():
        yield f"{name}: {', '.join(part for part in (WORDS[one.state], one.why) if part)}"
        waiting, missed = unchecked.get(name, 0), candidates.get(name, 0)
        if waiting or missed:
            yield f"  {counted(waiting, 'reference')} to be looked at, {counted(missed, 'candidate')}"
    if not conf.keeps_journal():
        yield UNKEPT
    elif lacking(seen):
        yield NEXT


def removal(removed: int) -> Iterator[str]:
    """What a removal did, and how long that lasts."""
    yield f"Removed {counted(removed, 'trigger')}, and all that was in the journal."
    if conf.keeps_journal():
        yield COMES_BACK


def unkept() -> AuditorError:
    """Nothing is made that the next migrate would remove."""
    return AuditorError(
        "AUDITOR_JOURNAL is False: the next migrate would remove the triggers.",
        hint="Set AUDITOR_JOURNAL = True in settings.py.",
        exit_code=ExitCode.USAGE,
    )


def refused(lacking: Mapping[str, TriggerSeen]) -> AuditorError:
    """The database did not let some of the triggers be made."""
    return AuditorError(
        f"The triggers of {counted(len(lacking), 'column')} could not be made: {', '.join(lacking)}.",
        hint="Run it again as a role that owns the tables, at a time when no long transaction writes to them.",
    )
