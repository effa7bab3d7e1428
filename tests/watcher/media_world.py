"""A real media folder, and beside it, in memory, what must be in it: the truth that a watcher is held to."""

import ctypes
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TypeAlias

MARKER = ".media-root"  # the watcher's own
RENAME_EXCHANGE = 2
AT_FDCWD = -100

Entry: TypeAlias = "dict[str, Entry] | None"  # a folder's entries; None for a file


class MediaWorld:
    """Does things to a folder and to its image in memory; what cannot be done is left undone.

    `takings` counts how often a last part of a name was taken away by a call of its own: nobody may be told of more.
    A folder that is moved takes one name away, whatever it holds.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "media"
        self.outside = folder / "outside"
        self.place = self.root  # where the folder is now
        self.tree: dict[str, Entry] = {}
        self.left: list[Entry] = []
        self.takings: Counter[str] = Counter()
        self.root.mkdir()
        self.outside.mkdir()

    @property
    def is_hidden(self) -> bool:
        """Whether the folder is not where the watcher looks for it."""
        return self.place != self.root

    def hide(self, _: int) -> None:
        """Takes the folder out of sight; what happens to it goes on there."""
        self.place = self.root.with_name("away")
        self.root.rename(self.place)

    def show(self) -> None:
        """Brings the folder back."""
        self.place.rename(self.root)
        self.place = self.root

    def close(self) -> None:
        """Frees what a process's end would not."""

    def files(self) -> list[str]:
        return [path for path, entry in self._walk() if entry is None]

    def folders(self) -> list[str]:
        return [path for path, entry in self._walk() if entry is not None]

    def entries(self) -> list[str]:
        return [path for path, _ in self._walk()]

    def on_disk(self) -> list[str]:
        """What there is on the disk, to be compared with `entries`."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.place):
            inside = os.path.relpath(folder, self.place)
            found.extend(os.path.normpath(os.path.join(inside, name)) for name in (*folders, *files) if name != MARKER)
        return sorted(found)

    def is_file(self, path: str) -> bool:
        return path in self.files()

    def create(self, path: str) -> bool:
        """Writes a file, with the folders that it needs; whether there is a file now."""
        folder = self._madeparent_of(path)
        name = os.path.basename(path)
        if folder is None or isinstance(folder.get(name), dict):
            return False
        folder[name] = None
        (self.place / path).touch()
        return True

    def make_tree(self, path: str) -> None:
        """Makes folders in folders and files in them, as fast as it goes."""
        for inside in ("a", "d/a", "d/e/a", "d/e/b"):
            self.create(f"{path}/{inside}")

    def remove(self, path: str) -> None:
        """Removes a file, or a folder with all that is in it."""
        entry = self._take(path)
        self._note_taken(*(path + below for below in _below(entry)))
        if entry is None:
            (self.place / path).unlink()
        else:
            shutil.rmtree(self.place / path)

    def move(self, path: str, to: str) -> None:
        """Renames a file or a folder; a file in the way of a file is replaced."""
        if f"{to}/".startswith(f"{path}/") or f"{path}/".startswith(f"{to}/"):
            return
        folder, name = self._madeparent_of(to), os.path.basename(to)
        if folder is None or (name in folder and not (folder[name] is None and self.is_file(path))):
            return
        folder[name] = self._take(path)
        self._note_taken(path)
        os.rename(self.place / path, self.place / to)

    def exchange(self, one: str, other: str) -> None:
        """Lets two entries change places in one step."""
        if f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"):
            return
        first, second = self._take(one), self._take(other)
        self.parent_of(one)[os.path.basename(one)] = second
        self.parent_of(other)[os.path.basename(other)] = first
        self._note_taken(one, other)
        _exchange(self.place / one, self.place / other)

    def move_out(self, path: str) -> None:
        """Moves an entry out of the root."""
        os.rename(self.place / path, self.outside / str(len(self.left)))
        self.left.append(self._take(path))
        self._note_taken(path)

    def move_in(self, path: str) -> None:
        """Moves what left the root last back into it, under this name."""
        folder, name = self._madeparent_of(path), os.path.basename(path)
        if not self.left or folder is None or name in folder:
            return
        folder[name] = self.left.pop()
        shutil.move(self.outside / str(len(self.left)), self.place / path)

    def empty_outside(self) -> None:
        """Removes the files of folders that left the root, which is nobody's business any more."""
        for number, left in enumerate(self.left):
            for path in [path for path, entry in _entries("", left or {}) if entry is None]:
                (self.outside / f"{number}{path}").unlink()
        self.left = [_without_files(left) for left in self.left]

    def storm(self, count: int) -> None:
        """Makes so many files and removes them again, none of which any record names."""
        names = [f"storm{number}" for number in range(count)]
        for name in names:
            (self.place / name).touch()
        self._note_taken(*names)
        for name in names:
            (self.place / name).unlink()

    def _walk(self) -> list[tuple[str, Entry]]:
        return sorted(((path[1:], entry) for path, entry in _entries("", self.tree)), key=lambda item: item[0])

    def parent_of(self, path: str) -> dict[str, Entry]:
        folder = self.tree
        for name in path.split("/")[:-1]:
            inside = folder[name]
            assert inside is not None
            folder = inside
        return folder

    def _madeparent_of(self, path: str) -> dict[str, Entry] | None:
        """The folder for a path, made if need be; None where a file is in the way."""
        folder, place = self.tree, self.place
        for name in path.split("/")[:-1]:
            place /= name
            if name not in folder:
                folder[name] = {}
                place.mkdir()
            inside = folder[name]
            if inside is None:
                return None
            folder = inside
        return folder

    def _note_taken(self, *paths: str) -> None:
        self.takings.update(map(os.path.basename, paths))

    def _take(self, path: str) -> Entry:
        return self.parent_of(path).pop(os.path.basename(path))


def _entries(path: str, folder: dict[str, Entry]) -> list[tuple[str, Entry]]:
    found: list[tuple[str, Entry]] = []
    for name, entry in folder.items():
        found.append((f"{path}/{name}", entry))
        found.extend(_entries(f"{path}/{name}", entry) if entry else [])
    return found


def _without_files(entry: Entry) -> Entry:
    return entry and {name: _without_files(inside) for name, inside in entry.items() if inside is not None}


def _below(entry: Entry) -> list[str]:
    """The ends of all names of an entry, its own being the empty one."""
    return ["", *(path for path, _ in _entries("", entry))] if entry is not None else [""]


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == -1:
        raise OSError(ctypes.get_errno(), "renameat2", str(one))
