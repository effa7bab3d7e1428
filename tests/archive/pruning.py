"""Logs to prune, and the command that does it."""

import gzip
import json
from pathlib import Path
from typing import Any

from auditor.auditlog.events import DirectoryMoved, Event, FileMoved, RunCompleted
from auditor.models import Event as Row
from auditor.models import Root
from tests.answers.happening import NAME, RUN, append, at, deleted, ran, root_of
from tests.running import Ran, run

LATER = "2100-01-01"  # in a test's transaction, PostgreSQL's clock stands still
LOST = "photos/lost.jpg"  # the one name that no record has
HELD = "photos/held.jpg"


def prune(into: Path, *flags: str, before: str = LATER) -> Ran:
    return run(NAME, "prune", "--before", before, "--into", str(into), *flags, "--log-format", "none")


def ask(question: str, *flags: str) -> Ran:
    return run(NAME, question, *flags, *(["--log-format", "none"] if question != "export" else []))


def make_log(media: Path) -> Root:
    """Three batches: two files that vanished, moves and what they touch, and a run that reached its end."""
    root = root_of(media)
    append(deleted(root, LOST), deleted(root, HELD, 1))
    append(
        deleted(root, "old/gone.jpg", 2),
        moved(root, "a.jpg", "b.jpg", 3),
        DirectoryMoved(root=root.pk, path="old", to="new", occurred_at=at(4)),
        deleted(root, "new/x.jpg", 5),
        deleted(root, "b.jpg", 6),
    )
    ran(RUN, "cleanup_orphaned_media", 7)
    append(
        deleted(root, "other.jpg", 7),
        RunCompleted(occurred_at=at(8), run_id=RUN, command="c", deleted={"a.B": 3}, cascade={}, kept={}),
    )
    return root


def moved(root: Root, path: str, to: str, seconds: float) -> Event:
    return FileMoved(root=root.pk, path=path, to=to, occurred_at=at(seconds))


def there() -> list[int]:
    """The positions that are in the table."""
    return list(Row.objects.order_by("position").values_list("position", flat=True))


def segments(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file())


def lines_in(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """(kind, values) of each line of a segment."""
    return [one for line in gzip.decompress(file.read_bytes()).splitlines() for one in json.loads(line).items()]
