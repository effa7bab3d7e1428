"""The flags of the clean-up of unused files, and what they mean together."""

from argparse import ArgumentParser
from typing import Any

from auditor import conf
from auditor.durations import seconds_of
from auditor.errors import AuditorError, ExitCode
from auditor.limits import Limit
from auditor.limits import limit_of as parsed_limit
from auditor.management.flags import add_force_flag

READS_ONLY = ("dry_run", "check", "list_trash")
TRASH = ("restore", "empty_trash", "list_trash")
OLDER_THAN = "30d"


def add_flags(parser: ArgumentParser) -> None:
    """What the run does, with which files."""
    parser.add_argument("--dry-run", action="store_true", help="show what would be moved, and write nothing")
    add_force_flag(parser, "move without asking")
    parser.add_argument("--check", action="store_true", help="a dry run that exits with 3 if there are unused files")
    parser.add_argument("--list", action="store_true", help="show all names, not only a sample")
    parser.add_argument(
        "--min-age",
        metavar="TIME",
        help="only files that have not changed for so long, such as 24h or 7d, instead of AUDITOR_UNUSED_MIN_AGE",
    )
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="PATTERN",
        help="not files whose name is like this, besides AUDITOR_KEEP; * stands for anything (may be repeated)",
    )
    parser.add_argument(
        "--max-files", metavar="LIMIT", help="move nothing at all above it: N or N%%, instead of AUDITOR_MAX_UNUSED"
    )
    parser.add_argument("--delete", action="store_true", help="delete the files for good at the end of the run")
    parser.add_argument("--list-trash", action="store_true", help="only list what is in the trash, run by run")
    parser.add_argument("--restore", metavar="RUN_ID", help="put the files back that this run has moved to the trash")
    parser.add_argument("--empty-trash", action="store_true", help="delete what has been in the trash for long enough")
    parser.add_argument(
        "--older-than", metavar="TIME", help=f"how long that is, such as 12h, or 0 for everything ({OLDER_THAN})"
    )


def ensure_flags_agree(options: dict[str, Any]) -> None:
    """Raises AuditorError (usage) for flags that contradict one another."""
    if options["restore"] is not None and not options["restore"].strip("-"):
        _refuse("--restore is empty.", "Give it the id of a run: cleanup_unused_files --list-trash shows them.")
    of_trash = [name for name in TRASH if options[name]]
    if len(of_trash) > 1:
        _refuse(f"{_flag(of_trash[0])} and {_flag(of_trash[1])} contradict each other.", "Choose one of them.")
    for name in ("check", "list", "min_age", "keep", "max_files", "delete"):
        if of_trash and options[name]:
            _refuse(f"{_flag(of_trash[0])} and {_flag(name)} contradict each other.", "Leave one of them out.")
    for name in READS_ONLY:
        if options[name] and options["force"]:
            _refuse(f"{_flag(name)} and --force contradict each other.", "Give only one of them.")
    if options["older_than"] is not None and not options["empty_trash"]:
        _refuse("--older-than says what --empty-trash deletes.", "Give both, or neither.")
    if options["json"] and not options["force"] and not any(options[name] for name in READS_ONLY):
        _refuse("--json cannot ask for a confirmation.", "Add --dry-run to look, or --force to move without asking.")
    if "" in options["keep"]:
        _refuse("--keep is empty.", "Give it a pattern such as 'press/*'.")


def min_age_of(options: dict[str, Any]) -> str:
    """How old a file must be, as it is written; raises AuditorError (usage) for what is no length of time."""
    given = options["min_age"]
    seconds_of(given if given is not None else conf.unused_min_age(), of="--min-age")
    return conf.unused_min_age() if given is None else str(given)


def older_than_of(options: dict[str, Any]) -> str:
    """For how long a file must have been in the trash, as it is written."""
    return OLDER_THAN if options["older_than"] is None else str(options["older_than"])


def limit_of(options: dict[str, Any]) -> Limit | None:
    """How many files may be moved; raises AuditorError (usage) for what is no limit."""
    if options["max_files"] is None:
        return conf.max_unused()
    try:
        return parsed_limit(options["max_files"])
    except ValueError:
        _refuse(f"--max-files {options['max_files']!r} is no limit.", "Write it as 100 or 5%.")
    return None


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _refuse(message: str, hint: str) -> None:
    raise AuditorError(message, hint=hint, exit_code=ExitCode.USAGE)
