"""Compares the watches that the kernel holds with those that we know of and with the directories on the disk."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from watcher import limits
from watcher.folders import Folder, on_disk

PROCESS = "/proc/self"
WATCH = re.compile(rb"^inotify wd:([0-9a-f]+) ino:([0-9a-f]+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """Copies of what is watched: `known` as {folder: watch}, `kept` as {watch: inode}, the kernel's own list.

    `unwatched` are the folders that are known not to be watched: nothing is said of these and of what is in them.
    """

    known: Mapping[Folder, int]
    kept: Mapping[int, int]
    unwatched: frozenset[Folder]


def kept_by_kernel(descriptor: int) -> dict[int, int]:
    """The watches of an inotify descriptor and what each is on, as {watch: inode}; see proc_pid_fdinfo(5)."""
    with open(f"{PROCESS}/fdinfo/{descriptor}", "rb") as stream:
        return {int(watch, 16): int(inode, 16) for watch, inode in WATCH.findall(stream.read())}


def differences(root: bytes, watches: Watches, is_ignored: Callable[[bytes], bool]) -> list[str]:
    """What is on the disk and not watched, and what is watched and not on the disk; a sentence for each."""
    walk = _Walk(root, watches.unwatched, is_ignored)
    inodes = walk.inodes
    has_inodes = watches.kept.get(watches.known.get(b"", -1)) == inodes.get(b"")  # overlayfs has two of each
    found = list(walk.faults)
    for folder, inode in inodes.items():
        watch = watches.known.get(folder)
        if watch is None or watch not in watches.kept:
            found.append(f"{_named(folder)} is not watched.")
        elif has_inodes and watches.kept[watch] != inode and walk.inode_of(folder) != watches.kept[watch]:
            found.append(f"The watch of {_named(folder)} is on another directory.")
    stale = sorted(folder for folder in watches.known.keys() - inodes.keys() if not walk.is_hidden(folder))
    strays = sorted(watches.kept.keys() - set(watches.known.values()))
    return [
        *found,
        *(f"{_named(folder)} is watched and not there." for folder in stale),
        *(f"Watch {watch} is on a directory that has left." for watch in strays),
    ]


class _Walk:
    """The directories of a root as {folder: inode}, found without following symlinks."""

    def __init__(self, root: bytes, unwatched: frozenset[Folder], is_ignored: Callable[[bytes], bool]) -> None:
        self._root = root
        self._is_ignored = is_ignored
        self._hidden = set(unwatched)
        self.inodes: dict[Folder, int] = {}
        self.faults: list[str] = []
        inode = self.inode_of(b"")
        if inode is not None:
            self.inodes[b""] = inode
            ahead = [b""]
            while ahead:
                ahead += self._below(ahead.pop())

    def inode_of(self, folder: Folder) -> int | None:
        """Asked of the directory itself: a listing tells the inode that a mount covers."""
        try:
            return os.lstat(on_disk(self._root, folder)).st_ino
        except OSError:
            return None

    def is_hidden(self, folder: Folder) -> bool:
        """Whether the folder lies in one that could not be listed, or is one that is not spoken of."""
        return any(folder.startswith(hidden) for hidden in self._hidden)

    def _below(self, folder: Folder) -> list[Folder]:
        found = []
        try:
            with os.scandir(on_disk(self._root, folder)) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        continue
                    path = folder + entry.name + b"/"
                    if path not in self._hidden and not self._is_ignored(path[:-1]):
                        self.inodes[path] = entry.inode()
                        found.append(path)
        except (FileNotFoundError, NotADirectoryError):
            self.inodes.pop(folder, None)
        except OSError as error:
            self._hidden.add(folder)
            self.faults.append(limits.no_list(on_disk(self._root, folder), error))
        return found


def _named(folder: Folder) -> str:
    return limits.shown(folder[:-1]) if folder else "The media folder"
