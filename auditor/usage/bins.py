"""Where trashes are and what is in them: `<top>/.media-trash/<run>/<path below the top>`.

A top is a root, or a file system that is mounted in one: a file is renamed within its own file system only.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from stat import S_ISREG
from uuid import UUID

from auditor.errors import AuditorError, ExitCode
from auditor.models import Run
from auditor.mounts import mounted_in
from auditor.removal.runs import beginning_with
from auditor.trash import TRASH


@dataclass(frozen=True, slots=True)
class Binned:
    """A file in the trash of a run; `path` is its own full path, and `root` the root that this is in."""

    root: str
    top: bytes
    run: UUID
    path: bytes

    @property
    def name(self) -> bytes:
        """Its own name, relative to its root."""
        return self.path[len(os.fsencode(self.root).rstrip(b"/")) + 1 :]

    @property
    def place(self) -> bytes:
        """Its full path in the trash."""
        return place_of(self.path, self.top, self.run)

    @property
    def to(self) -> bytes:
        """Its path in the trash, relative to its root."""
        return self.place[len(os.fsencode(self.root).rstrip(b"/")) + 1 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """What one run has in the trash of one root; `finished_at` is None if the database does not know the run."""

    root: str
    run: UUID
    files: int
    bytes: int
    finished_at: datetime | None


def place_of(path: bytes, top: bytes, run: UUID) -> bytes:
    """Where a file with this full path is in the trash of a run."""
    top = top.rstrip(b"/")
    return b"/".join([top, TRASH.encode(), str(run).encode(), path[len(top) + 1 :]])


def tops_of(root: str) -> list[bytes]:
    """The root and the file systems mounted in it, the deepest first."""
    inside = [mount.point for mount in mounted_in(root).inside]
    return sorted([os.fsencode(root), *inside], key=len, reverse=True)


def top_of(path: bytes, tops: Sequence[bytes]) -> bytes:
    """The top that a full path belongs to."""
    return next(top for top in tops if path.startswith(top.rstrip(b"/") + b"/"))


def binned(roots: Iterable[str], run: UUID | None = None) -> Iterator[Binned]:
    """Every file in the trashes of these roots, or only of one run.

    Raises AuditorError (refused: root) where one cannot be listed.
    """
    for root in roots:
        for top in tops_of(root):
            for one in [run] if run else _runs_in(top):
                folder = place_of(top.rstrip(b"/") + b"/", top, one)
                for place in _files_below(folder):
                    yield Binned(root, top, one, top.rstrip(b"/") + b"/" + place[len(folder) :])


def _runs_in(top: bytes) -> list[UUID]:
    runs = []
    for entry in _listed(os.path.join(top, TRASH.encode())):
        try:
            runs.append(UUID(entry.name.decode()))
        except ValueError:  # not ours, whoever has put it there
            continue
    return runs


def _listed(folder: bytes) -> list[os.DirEntry[bytes]]:
    if os.path.islink(folder):  # nobody's trash: what it leads to is not ours
        return []
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise AuditorError(
            f"The trash cannot be read: {os.fsdecode(folder)}: {error.strerror}.",
            hint="Run this as the user who has moved the files there.",
            exit_code=ExitCode.REFUSED_ROOT,
        ) from error


def _files_below(folder: bytes) -> Iterator[bytes]:
    ahead = [folder.rstrip(b"/")]
    while ahead:
        listed = _listed(ahead.pop())
        yield from (entry.path for entry in listed if entry.is_file(follow_symlinks=False))
        ahead += [entry.path for entry in reversed(listed) if entry.is_dir(follow_symlinks=False)]


def is_file(path: bytes) -> bool:
    """Whether a regular file is at a path, which is not followed."""
    try:
        return S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def length_of(path: bytes) -> int:
    """How long a file is, in bytes; one that has gone since it was listed takes no room."""
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0


def bins(roots: Iterable[str], using: str) -> list[Bin]:
    """What is in the trashes, the newest run first; those of unknown runs last."""
    counts: dict[tuple[str, UUID], list[int]] = {}
    for one in binned(roots):
        counts.setdefault((one.root, one.run), []).append(length_of(one.place))
    known = dict(Run.objects.using(using).values_list("uid", "finished_at"))
    found = [
        Bin(root=root, run=run, files=len(sizes), bytes=sum(sizes), finished_at=known.get(run))
        for (root, run), sizes in counts.items()
    ]
    return sorted(found, key=lambda one: (one.finished_at is not None, one.finished_at or 0, one.root), reverse=True)


def find_bin(wanted: str, found: Sequence[Bin]) -> UUID:
    """The run whose id begins like that; raises AuditorError (usage) if none has files in the trash, or several."""
    hint = "cleanup_unused_files --list-trash shows the ids."
    return beginning_with(wanted, (one.run for one in found), which="runs with files in the trash", hint=hint)


def tidy(roots: Iterable[str]) -> None:
    """Removes the empty folders of the trashes, and those that are empty then."""
    for root in roots:
        for top in tops_of(root):
            for folder in reversed(_folders_in(os.path.join(top, TRASH.encode()))):
                with suppress(OSError):  # there is something in it
                    os.rmdir(folder)


def _folders_in(folder: bytes) -> list[bytes]:
    """A folder and all below it, each before those that are in it."""
    found, ahead = [], [folder]
    while ahead:
        folder = ahead.pop()
        found.append(folder)
        with suppress(AuditorError):
            ahead += [entry.path for entry in _listed(folder) if entry.is_dir(follow_symlinks=False)]
    return found
