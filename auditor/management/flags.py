"""The flags of the clean-up; what they mean is another file's, for `--help` is not to wait for it."""

from argparse import ArgumentParser

from auditor.orphans.route import RouteKind
from auditor.wishes import OnProtected, RelinkWanted


def add_force_flag(parser: ArgumentParser, words: str) -> None:
    """The flag that leaves out the question, under Django's own names for it as well."""
    parser.add_argument("--force", "--no-input", "--noinput", action="store_true", dest="force", help=words)


def add_mode_flags(parser: ArgumentParser) -> None:
    """What the run does with what it finds."""
    parser.add_argument("--dry-run", action="store_true", help="show what would be deleted, and write nothing")
    add_force_flag(parser, "delete without asking")
    parser.add_argument("--check", action="store_true", help="a dry run that exits with 3 if there are orphans")
    parser.add_argument(
        "--acknowledge",
        action="store_true",
        help="delete nothing: these losses are known, and are not to be reported again",
    )
    parser.add_argument(
        "--unacknowledge", action="store_true", help="delete nothing: report acknowledged losses again"
    )
    parser.add_argument("--acknowledged", action="store_true", help="only list the acknowledged losses")


def add_selection_flags(parser: ArgumentParser) -> None:
    """Which records the run is about."""
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="app.Model",
        help="name this model for deletion, instead of those of the settings (may be repeated)",
    )
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="PREFIX",
        help="only records whose missing file's name begins so, such as photos/2024/ (may be repeated)",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="not records whose missing file's name is like this; * stands for anything (may be repeated)",
    )
    parser.add_argument(
        "--album",
        "--group",
        action="append",
        default=[],
        dest="groups",
        metavar="NAME",
        help="only records of this group, as the report shows it in brackets (may be repeated)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="delete no more than so many records")


def add_move_flags(parser: ArgumentParser) -> None:
    """What becomes of records whose file was only moved."""
    parser.add_argument(
        "--relink",
        nargs="?",
        default=RelinkWanted.NOTHING.value,
        const=RelinkWanted.SEEN.value,
        choices=[RelinkWanted.SEEN.value, RelinkWanted.PROPOSED.value],
        help="point records at the new name of a file that was seen moving, or also of one that was only found",
    )
    parser.add_argument(
        "--delete-moved",
        action="store_true",
        help="delete also the records whose file was seen moving, which otherwise stay",
    )


def add_rule_flags(parser: ArgumentParser) -> None:
    """How careful the run is."""
    parser.add_argument(
        "--min-age",
        metavar="TIME",
        help="only records whose file has been missing for so long, such as 12h or 7d, instead of AUDITOR_MIN_AGE",
    )
    parser.add_argument(
        "--max-orphans",
        action="append",
        default=[],
        metavar="LIMIT",
        help="delete nothing at all above it: N, N%% or app.Model=N, instead of AUDITOR_MAX_ORPHANS (may be repeated)",
    )
    parser.add_argument(
        "--on-protected",
        default=OnProtected.SKIP.value,
        choices=[way.value for way in OnProtected],
        help="keep a record whose deletion the database forbids, or delete nothing at all (skip)",
    )
    parser.add_argument(
        "--route",
        default="auto",
        choices=[kind.value for kind in RouteKind],
        help="ask the audit log, scan the whole disk, or whatever can be vouched for (auto)",
    )
