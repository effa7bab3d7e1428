"""Media folders with files that nobody names, and the command that looks for them."""

import os
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from auditor.management.commands.cleanup_unused_files import Command
from auditor.trash import TRASH
from auditor.usage.finder import Wanted, find, make_survey
from auditor.usage.plan import Kept, RootPlan
from tests.makers import make_known, make_photo, real
from tests.running import Ran, run

NAME = Command.__module__.rpartition(".")[2]
AT_ONCE = ("--min-age", "0")


def make_used(media: Path) -> None:
    """A folder that the database knows, with one file that a record names."""
    make_photo("photos/used.jpg", media=media)
    make_known(media)


def clean(*arguments: str) -> Ran:
    """Runs the command, which takes files of any age."""
    return run(NAME, *(() if {"--restore", "--empty-trash", "--list-trash"} & set(arguments) else AT_ONCE), *arguments)


def looked(media: Path, *, min_age_seconds: int = 0, keep: Collection[str] = ()) -> RootPlan:
    """What a look finds in the media folder."""
    wanted = Wanted(min_age_seconds=min_age_seconds, patterns=tuple(keep))
    plan = find(make_survey(using="default"), wanted, using="default")
    return next(root for root in plan.roots if root.path == real(media))


def unused_in(media: Path) -> list[str]:
    """The names of the unused files."""
    return [os.fsdecode(one.name) for one in looked(media).unused]


def kept_in(media: Path) -> dict[Kept, int]:
    """How many files stay that no record names, by reason."""
    return dict(looked(media).kept)


def files_below(folder: Path) -> dict[str, bytes]:
    """{path: content} of every file, those in the trash and the marker left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and TRASH not in path.parts and path.name != ".media-root"
    }


def in_trash(media: Path) -> dict[str, bytes]:
    """{path: content} of every file in the trash, below the folder of its run."""
    trash = media / TRASH
    return {
        "/".join(path.relative_to(trash).parts[1:]): path.read_bytes()
        for path in sorted(trash.rglob("*"))
        if path.is_file()
    }


def run_of(ran: Ran) -> UUID:
    """The id of a run."""
    return UUID(ran.log[0]["run_id"])
