"""The directories of a root, each with its watch."""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.folders import Folder, FolderMap
from watcher.notices import GapError

VANISHED = (errno.ENOENT, errno.ENOTDIR)


class WatchedTree:
    """Keeps every directory of a root watched; symlinks are never followed.

    `add` watches a path and gives its watch, or -1 and the errno of ctypes; `remove` ends a watch.
    """

    def __init__(self, root: bytes, *, add: Callable[[bytes], int], remove: Callable[[int], object]) -> None:
        self._root = root
        self._add = add
        self._remove = remove
        self._folders = FolderMap()
        self.forget = self._folders.forget
        self.folder = self._folders.get  # the one thing that is asked for every notice

    def __len__(self) -> int:
        return len(self._folders)

    def watch(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        """Watches a folder and all below it, each before it is listed; gives (path, is it a directory).

        Raises GapError for a directory that is there and cannot be watched or listed.
        """
        ahead = [folder]
        while ahead:
            folder = ahead.pop()
            if not self._watch_one(folder):
                continue
            for name, is_directory in self._list(folder):
                if is_directory:
                    ahead.append(folder + name + b"/")
                yield folder + name, is_directory

    def leave(self, folder: Folder) -> None:
        """Ends the watches of a folder that was moved out of the root.

        Else what is deleted out there would be told under a name that is free, or taken again, in here.
        """
        for watch in self._folders.drop(folder):
            self._remove(watch)

    def follow(self, folder: Folder, to: Folder) -> Iterator[tuple[bytes, bool]]:
        """Takes the new name of a folder over; gives all that is in it, as `watch` does."""
        self._folders.rename(folder, to)
        # A directory made just before the move could not be watched under its old name.
        yield from self.watch(to)
        # Two directories may have been exchanged: what stands under the old name now is looked for as well.
        yield from self.watch(folder)

    def shown(self, watch: int) -> str:
        """The path of a watch, for a person."""
        return limits.shown(self._on_disk(self._folders.get(watch) or b""))

    def _watch_one(self, folder: Folder) -> bool:
        """False if the folder is not there any more."""
        path = self._on_disk(folder)
        watch = self._add(path)
        if watch == -1:
            number = ctypes.get_errno()
            if number in VANISHED and folder:
                return False
            reason = GapReason.ROOT_GONE if number in VANISHED else GapReason.NOT_WATCHED
            raise GapError(reason, limits.no_watch(path, number))
        self._refuse_second_mount(watch, folder)
        self._folders.put(watch, folder)
        return True

    def _refuse_second_mount(self, watch: int, folder: Folder) -> None:
        known = self._folders.get(watch)
        if known is None or known == folder:
            return
        first, second = self._on_disk(known), self._on_disk(folder)
        if _is_same(first, second):
            raise GapError(GapReason.NOT_WATCHED, limits.mounted_twice(first, second))

    def _list(self, folder: Folder) -> Iterator[tuple[bytes, bool]]:
        path = self._on_disk(folder)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    yield entry.name, entry.is_dir(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return  # it vanished, and the queue will say so
        except OSError as error:
            raise GapError(GapReason.NOT_WATCHED, limits.no_list(path, error)) from error

    def _on_disk(self, folder: Folder) -> bytes:
        # Without the slash at the end, which would follow a symlink.
        return os.path.join(self._root, folder[:-1]) if folder else self._root


def _is_same(one: bytes, other: bytes) -> bool:
    try:
        first = os.lstat(one)
        # Looked at once more: it may have been renamed from the one to the other in between.
        return os.path.samestat(first, os.lstat(other)) and os.path.samestat(first, os.lstat(one))
    except OSError:
        return False
