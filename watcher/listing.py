"""Lists every directory of a root and tells what has changed since the listing before."""

import os
import stat
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import islice

from auditor.auditlog.coverage import GapReason
from auditor.orphans.disk import Verdict, judge_error
from watcher import limits
from watcher.folders import Folder, on_disk, parent_of
from watcher.ignored import never
from watcher.notices import GapError, Kind, Notice

NAMES_AT_ONCE = 1_000  # so often a large directory shows that it still gets on
SEPARATOR = b"\0"


class Survey:
    """One look at every directory of a root; `before` are the listings to compare with, None for the first look.

    `listings` is {folder: its names, those of directories with a slash at the end, joined by NUL}: one object
    for a whole directory, which is shared with `before` where nothing has changed.
    `changes` are the notices: deletions that a second look confirmed, and what is new, in the order of the walk.
    `at` is the folder that is being looked at.
    """

    def __init__(
        self,
        root: bytes,
        before: Mapping[Folder, bytes] | None = None,
        *,
        is_ignored: Callable[[bytes], bool] = never,
    ) -> None:
        self.listings: dict[Folder, bytes] = {}
        self.changes: list[Notice] = []
        self.at: Folder = b""
        self._root = root
        self._before = before
        self._is_ignored = is_ignored
        self._ahead: list[Folder] = [b""]
        self._returned: set[Folder] = set()

    def steps(self) -> Iterator[None]:
        """Walks the tree, and gives way after each directory and every 1,000 names.

        Raises GapError for whatever cannot be looked at: what is not known is never a change.
        """
        while self._ahead:
            self.at = self._ahead.pop()
            try:
                names, folders = yield from self._list(self.at)
            except (FileNotFoundError, NotADirectoryError) as error:
                self._leave(self.at, error)
            except OSError as error:
                raise self._unlistable(self.at, error) from error
            else:
                yield from self._keep(self.at, SEPARATOR.join(names))
                self._ahead += (folder for folder in folders if self._is_listed(folder))
            yield

    def _list(self, folder: Folder) -> Generator[None, None, tuple[list[bytes], list[Folder]]]:
        names: list[bytes] = []
        folders: list[Folder] = []
        with os.scandir(on_disk(self._root, folder)) as entries:
            while batch := list(islice(entries, NAMES_AT_ONCE)):
                for entry in batch:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        name += b"/"
                        folders.append(folder + name)
                    names.append(name)
                yield
        names.sort()
        return names, folders

    def _is_listed(self, folder: Folder) -> bool:
        return (self._before is not None and folder in self._before) or not self._is_ignored(folder[:-1])

    def _keep(self, folder: Folder, listing: bytes) -> Iterator[None]:
        known = None if self._before is None else self._before.get(folder, b"")
        if known == listing:
            listing = known
        elif known is not None:
            kept = yield from self._compare(folder, set(_names(known)), set(_names(listing)))
            listing = SEPARATOR.join(sorted([*_names(listing), *kept])) if kept else listing
        self.listings[folder] = listing

    def _compare(self, folder: Folder, were: set[bytes], are: set[bytes]) -> Generator[None, None, list[bytes]]:
        """Tells what vanished and what is new; returns the names that were not listed although they are there."""
        kept: list[bytes] = []
        seen_at = time.time()
        for count, name in enumerate(sorted(were - are), start=1):
            path, is_directory = _plain(folder + name)
            if self._is_ignored(path):
                continue
            if not self._stands(path, is_directory):
                self.changes.append(Notice(Kind.DELETED, seen_at, path, is_directory))
            else:
                kept.append(name)
                self._ahead += [folder + name] * is_directory
            if count % NAMES_AT_ONCE == 0:
                yield
        for name in sorted(are - were):
            path, is_directory = _plain(folder + name)
            if not self._is_ignored(path):
                self.changes.append(Notice(Kind.CREATED, seen_at, path, is_directory))
        return kept

    def _stands(self, path: bytes, is_directory: bool) -> bool:
        """Whether a file, or a directory, stands at this path: a listing alone can be wrong."""
        try:
            mode = os.lstat(os.path.join(self._root, path)).st_mode
        except OSError as error:
            if judge_error(error).verdict is Verdict.MISSING:
                return False
            detail = f"{limits.shown(os.path.join(self._root, path))} cannot be looked at: {error.strerror}."
            raise GapError(GapReason.NOT_WATCHED, detail) from error
        return stat.S_ISDIR(mode) == is_directory

    def _leave(self, folder: Folder, error: OSError) -> None:
        """A directory that vanished after its parent was listed is told now.

        By the next look another one could have its name, and then nobody would miss what was in the first.
        """
        if not folder or folder in self._returned:
            raise self._unlistable(folder, error) from error
        path, _ = _plain(folder)
        if self._stands(path, is_directory=True):
            self._returned.add(folder)
            self._ahead.append(folder)
            return
        parent = parent_of(folder)
        remaining = [name for name in _names(self.listings[parent]) if parent + name != folder]
        self.listings[parent] = SEPARATOR.join(remaining)
        if self._before is not None:
            self.changes.append(Notice(Kind.DELETED, time.time(), path, is_directory=True))

    def _unlistable(self, folder: Folder, error: OSError) -> GapError:
        is_gone = not folder and judge_error(error).verdict is Verdict.MISSING
        reason = GapReason.ROOT_GONE if is_gone else GapReason.NOT_WATCHED
        return GapError(reason, limits.no_list(on_disk(self._root, folder), error))


def _names(listing: bytes) -> list[bytes]:
    return listing.split(SEPARATOR) if listing else []


def _plain(path: bytes) -> tuple[bytes, bool]:
    return (path[:-1], True) if path.endswith(b"/") else (path, False)
