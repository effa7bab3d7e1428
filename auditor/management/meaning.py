"""What the flags of the clean-up mean together."""

import shlex
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from auditor import conf, limits
from auditor.durations import seconds_of
from auditor.errors import AuditorError, ExitCode
from auditor.limits import Limits, limit_of
from auditor.orphans import registry, selection
from auditor.orphans.selection import Selection
from auditor.wishes import RelinkWanted

READS_ONLY = ("dry_run", "check", "acknowledged")
WRITES_NO_RECORD = ("acknowledge", "unacknowledge")
TWO_MINDS = "Choose one of them."


def ensure_flags_agree(options: dict[str, Any]) -> None:
    """Raises AuditorError (usage) for flags that contradict one another, or that can mean nothing."""
    modes = [name for name in (*READS_ONLY, *WRITES_NO_RECORD) if options[name]]
    if options["force"] and modes:
        _refuse(f"{_flag(modes[0])} and --force contradict each other.", _first_then_force(modes[0]))
    if len(modes) > 1 and set(modes) != {"dry_run", "check"}:
        _refuse(f"{_flag(modes[0])} and {_flag(modes[1])} contradict each other.", TWO_MINDS)
    if options["json"] and not options["force"] and not modes:
        _refuse("--json cannot ask for a confirmation.", "Add --dry-run to look, or --force to delete without asking.")
    if options["limit"] is not None and options["limit"] < 1:
        _refuse(f"--limit {options['limit']} leaves nothing to do.", "Give it 1 or more, or leave it out.")
    if options["groups"] and (options["acknowledged"] or options["unacknowledge"]):
        _refuse("Acknowledged losses are kept without their group: --album cannot choose among them.", "Use --path.")
    for fault in selection.faults(selection_of(options)):
        _refuse(fault, "Look at a dry run for the names as they are.")


def selection_of(options: dict[str, Any]) -> Selection:
    """The records that the flags select."""
    return Selection(
        prefixes=tuple(options["path"]), excluded=tuple(options["exclude"]), groups=tuple(options["groups"])
    )


def limits_of(options: dict[str, Any]) -> Limits:
    """The limits of the settings, but for those of `--max-orphans`; raises AuditorError (usage) for what is none.

    A plain number or percentage replaces all of the settings.
    """
    given = dict(_limit_given(text) for text in options["max_orphans"])
    try:
        everywhere = Limits(each=limit_of(given[""]), run=limit_of(given.pop(""))) if "" in given else None
        named = limits.limits_of(given)
    except ValueError as error:
        raise AuditorError(
            f"--max-orphans: {error}.",
            hint="Write it as 100, 5% or gallery.Photo=5%.",
            exit_code=ExitCode.USAGE,
        ) from error
    for fault in filter(None, (registry.name_fault(model) for model, _ in named.models)):
        _refuse(f"--max-orphans: {fault}", "Name a model as 'app.Model', or all together as 'run'.")
    return (everywhere or conf.max_orphans()).replaced(named)


def min_age_seconds_of(options: dict[str, Any]) -> int:
    """For how long a file must have been missing; raises AuditorError (usage) for what is no length of time."""
    given = options["min_age"]
    return conf.min_age_seconds() if given is None else seconds_of(given, of="--min-age")


def again(command: str, options: dict[str, Any]) -> str:
    """The command as it was given, for a person who is to run it once more; without its limits."""
    words = [f"python manage.py {command}"]
    if options["database"] != DEFAULT_DB_ALIAS:
        words.append(f"--database {options['database']}")
    for flag, values in (
        ("--model", options["model"]),
        ("--path", options["path"]),
        ("--exclude", options["exclude"]),
        ("--album", options["groups"]),
    ):
        words += [f"{flag} {shlex.quote(value)}" for value in values]
    words += [f"--{name.replace('_', '-')} {options[name]}" for name in ("limit", "min_age") if options[name]]
    words += ["--delete-moved"] * options["delete_moved"] + ["--force"] * options["force"]
    return " ".join(words + [f"--relink={options['relink']}"] * (options["relink"] != RelinkWanted.NOTHING))


def _limit_given(text: str) -> tuple[str, str]:
    model, _, limit = text.rpartition("=")
    return model, limit


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _first_then_force(mode: str) -> str:
    return f"Run with {_flag(mode)} first, then with --force." if mode in ("dry_run", "check") else TWO_MINDS


def _refuse(message: str, hint: str) -> None:
    raise AuditorError(message, hint=hint, exit_code=ExitCode.USAGE)
