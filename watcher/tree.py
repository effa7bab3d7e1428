"""The directories of a root, each with its watch.

What is heard is older than what stands on the disk. Two rules keep the two together, whatever is renamed meanwhile:

- Whenever a name has changed hands, what stands under it now is looked at. So each folder is known by the name that
  it has on the disk, or its move is still in the queue and has it looked at again.
- A watch that this does not find again is ended. If its directory is in the root after all, its move is still in the
  queue: all below the old name is then told to be gone, and what is found under the new one is watched first.
"""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.folders import Folder, FolderMap, on_disk
from watcher.notices import GapError

VANISHED = (errno.ENOENT, errno.ENOTDIR)


class Unwatched(NamedTuple):
    """Why a directory is not watched, and the errno that said so, or 0."""

    sentence: str
    number: int = 0


class WatchedTree:
    """Keeps every directory of a root watched but the ignored ones; symlinks are never followed.

    `add` watches a path and gives its watch, or -1 and the errno of ctypes; `remove` ends a watch.
    `unwatched` is {folder: Unwatched} for those that are there and cannot be watched or listed.
    Once `is_abandoned` is set, a walk that is under way ends early.
    """

    def __init__(
        self,
        root: bytes,
        *,
        add: Callable[[bytes], int],
        remove: Callable[[int], object],
        is_ignored: Callable[[bytes], bool],
    ) -> None:
        self.known = FolderMap()
        self.unwatched: dict[Folder, Unwatched] = {}
        self.is_abandoned = False
        self.forget = self.known.forget
        self.folder = self.known.folders.get  # the one thing that is asked for every notice
        self._root = root
        self._add = add
        self._remove = remove
        self._is_ignored = is_ignored
        self._lost: set[int] = set()

    def watch(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        """Watches a folder and all below it, each before it is listed; gives (path, is it a directory).

        Raises GapError if that is the root and it cannot be watched or listed.
        """
        yield from self._look_at(folder)
        self._end_lost()

    def leave(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        """Ends the watches of a folder that was removed, or moved out of the root; gives what stands there now.

        Else what is deleted out there would be told under a name that is free, or taken again, in here.
        """
        self._lost.update(self.known.drop(folder))
        self._forget_unwatched(folder)
        yield from self.watch(folder)

    def follow(self, folder: Folder, to: Folder) -> Iterator[tuple[bytes, bool]]:
        """Takes the new name of a folder over; gives all that is in it, as `watch` does."""
        self._lost.update(self.known.rename(folder, to))
        self._forget_unwatched(folder)
        self._forget_unwatched(to)
        # A directory made just before the move could not be watched under its old name.
        yield from self._look_at(to)
        # Two directories may have been exchanged: what stands under the old name now is looked for as well.
        yield from self.watch(folder)

    def retry(self) -> Iterator[tuple[bytes, bool]]:
        """Tries to watch what could not be watched before; gives what is found in it."""
        is_starved = False
        for top, below in _grouped(sorted(self.unwatched)):
            if is_starved and self.unwatched[top].number == errno.ENOSPC:
                continue
            for folder in (top, *below):
                del self.unwatched[folder]
            yield from self._look_at(top)
            is_starved = is_starved or (top in self.unwatched and self.unwatched[top].number == errno.ENOSPC)
        self._end_lost()

    def hindrance(self) -> str:
        """What cannot be watched and how to mend that, for a person; empty if all is watched."""
        if not self.unwatched:
            return ""
        said = limits.and_more(self.unwatched[min(self.unwatched)].sentence, len(self.unwatched) - 1)
        starved = sum(entry.number == errno.ENOSPC for entry in self.unwatched.values())
        return f"{said} {limits.more_watches(starved)}" if starved else said

    def shown(self, watch: int) -> str:
        """The path of a watch, for a person."""
        return limits.shown(on_disk(self._root, self.folder(watch) or b""))

    def _look_at(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        ahead = [folder]
        while ahead and not self.is_abandoned:
            folder = ahead.pop()
            if folder and self._is_ignored(folder[:-1]):
                self._lost.update(self.known.drop(folder))
            elif self._watch_one(folder):
                below = []
                for name, is_directory in self._list(folder):
                    if is_directory:
                        below.append(folder + name + b"/")
                    yield folder + name, is_directory
                if folder not in self.unwatched:
                    for gone in self.known.children(folder).difference(below):
                        self._lost.update(self.known.drop(gone))
                ahead += below

    def _watch_one(self, folder: Folder) -> bool:
        """False if the folder is not there any more, or cannot be watched."""
        path = on_disk(self._root, folder)
        self.unwatched.pop(folder, None)
        watch = self._add(path)
        if watch == -1:
            number = ctypes.get_errno()
            if number not in VANISHED or not folder:
                self._cannot(folder, Unwatched(limits.no_watch(path, number), number))
            return False
        known = self.folder(watch)
        if known is not None and known != folder and _is_same(on_disk(self._root, known), path):
            self._cannot(folder, Unwatched(limits.mounted_twice(on_disk(self._root, known), path)))
            return False
        replaced = self.known.put(watch, folder)
        if replaced is not None:
            self._lost.add(replaced)
        self._lost.discard(watch)
        return True

    def _cannot(self, folder: Folder, entry: Unwatched) -> None:
        if not folder:
            reason = GapReason.ROOT_GONE if entry.number in VANISHED else GapReason.NOT_WATCHED
            raise GapError(reason, self._with_setting(entry))
        self.unwatched[folder] = entry
        if entry.number == errno.ENOSPC:  # of what is below nothing would be heard if it moved: it is only counted
            self._count_below(folder, entry.number)

    def _count_below(self, folder: Folder, number: int) -> None:
        ahead = [folder]
        while ahead:
            folder = ahead.pop()
            for name, is_directory in self._list(folder):
                if is_directory and not self._is_ignored(folder + name):
                    ahead.append(folder + name + b"/")
                    self.unwatched[ahead[-1]] = Unwatched(
                        limits.no_watch(on_disk(self._root, ahead[-1]), number), number
                    )

    def _forget_unwatched(self, folder: Folder) -> None:
        for path in [path for path in self.unwatched if path.startswith(folder)]:
            del self.unwatched[path]

    def _end_lost(self) -> None:
        for watch in self._lost:
            self._remove(watch)
        self._lost.clear()

    def _list(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        path = on_disk(self._root, folder)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    yield entry.name, entry.is_dir(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return  # it vanished, and the queue will say so
        except OSError as error:
            self._cannot(folder, Unwatched(limits.no_list(path, error)))

    def _with_setting(self, entry: Unwatched) -> str:
        return f"{entry.sentence} {limits.more_watches(1)}" if entry.number == errno.ENOSPC else entry.sentence


def _is_same(one: bytes, other: bytes) -> bool:
    try:
        first = os.lstat(one)
        # Looked at once more: it may have been renamed from the one to the other in between.
        return os.path.samestat(first, os.lstat(other)) and os.path.samestat(first, os.lstat(one))
    except OSError:
        return False


def _grouped(folders: list[Folder]) -> Iterator[tuple[Folder, list[Folder]]]:
    """Each folder that lies in no other one, with those that lie in it; the folders are sorted."""
    start = 0
    while start < len(folders):
        end = start + 1
        while end < len(folders) and folders[end].startswith(folders[start]):
            end += 1
        yield folders[start], folders[start + 1 : end]
        start = end
