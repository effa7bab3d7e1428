"""The questions of `audit_log` and their flags; the answers are another file's, for `--help` is not to wait for it."""

from argparse import ArgumentParser
from collections.abc import Callable

LISTED = 50  # where no --limit is given
TAILED = 10


def add_to(parser: ArgumentParser, add_log_arguments: Callable[[ArgumentParser], object]) -> None:
    """Makes a sub-parser for each question."""
    asked = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    for name, (words, add_flags) in QUESTIONS.items():
        one = asked.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.")
        add_flags(one)
        if name != "export":
            one.add_argument("--json", action="store_true", help="JSON lines on stdout instead of the text")
        add_log_arguments(one)
        if name == "export":  # stdout is for nothing else, so a failure is told on stderr
            one.set_defaults(json=False, log_format="none")


def _why(parser: ArgumentParser) -> None:
    parser.add_argument(
        "subject", metavar="NAME", help="a file, such as photos/a.jpg or /srv/media/photos/a.jpg, or gallery.Photo:42"
    )
    _add_root(parser)


def _add_root(parser: ArgumentParser) -> None:
    parser.add_argument("--root", default="", metavar="PATH", help="only this media folder")


def _show(parser: ArgumentParser) -> None:
    _add_times(parser)
    parser.add_argument("--type", default="", metavar="TYPE", help="only this type, such as file.deleted")
    parser.add_argument("--name", default="", metavar="NAME", help="only this name, such as photos/a.jpg")
    parser.add_argument("--prefix", default="", metavar="PREFIX", help="only names that begin so, such as photos/")
    parser.add_argument("--run", default="", metavar="RUN_ID", help="only events of this run, or how its id begins")
    _add_root(parser)
    _add_limit(parser)
    parser.add_argument("--before", type=int, metavar="POSITION", help="only events before it: the next page")


def _add_times(parser: ArgumentParser) -> None:
    words = "recorded {} this time, such as 2026-03-01, '2026-03-01 10:00' or 2h (two hours ago)"
    parser.add_argument("--since", default="", metavar="TIME", help=words.format("since"))
    parser.add_argument("--until", default="", metavar="TIME", help=words.format("before"))


def _add_limit(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=LISTED, metavar="N", help=f"no more than so many ({LISTED})")


def _spans(parser: ArgumentParser) -> None:
    _add_root(parser)
    _add_limit(parser)


def _runs(parser: ArgumentParser) -> None:
    _add_limit(parser)
    parser.add_argument("--before", default="", metavar="RUN_ID", help="only runs before it: the next page")


def _tail(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=int, default=TAILED, metavar="N", help=f"begin with so many that are there ({TAILED})"
    )


def _verify(parser: ArgumentParser) -> None:
    parser.add_argument("--full", action="store_true", help="from the first event, not from where the last one ended")
    parser.add_argument(
        "--anchors", default="", metavar="FILE", help="compare with the seals in JSON lines of the watcher's log"
    )
    _add_segments(parser)


def _add_segments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--segments", default="", metavar="DIR", help="the folder with what was pruned, to be read as well"
    )


def _export(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--after", type=int, default=0, metavar="POSITION", help="only events behind it: an export that goes on"
    )


def _rebuild(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what differs, and write nothing")
    _add_segments(parser)


def _prune(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--before", default="", metavar="TIME", help="what was recorded before, instead of AUDITOR_RETENTION_DAYS"
    )
    parser.add_argument(
        "--into", default="", metavar="DIR", help="the folder of the archive, instead of AUDITOR_ARCHIVE_DIR"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and write nothing")


def _nothing(_: ArgumentParser) -> None:
    """There are no flags of its own."""


QUESTIONS: dict[str, tuple[str, Callable[[ArgumentParser], None]]] = {
    "why": ("what happened to a file, or to a record", _why),
    "show": ("events, the newest first", _show),
    "tail": ("events as they are recorded, until Ctrl-C", _tail),
    "spans": ("when the watcher looked, and when nobody did", _spans),
    "runs": ("the runs that changed something", _runs),
    "verify": ("whether the log is as it was written", _verify),
    "export": ("all events and seals as JSON lines on stdout", _export),
    "rebuild": ("make the missing names, spans and checkpoints anew from the events", _rebuild),
    "prune": ("archive old events, and remove them from the log", _prune),
    "stats": ("how large the log is, and how fast it grows", _nothing),
}
