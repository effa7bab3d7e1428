"""What one walk of a media folder has shown, and which of it a record names: a number for each name."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.integrity.findings import Finding, Kind
from auditor.usage.names import folded

# A name's number holds these, and above them the size of its file: a million objects would take 200 MB more.
NAMED = 1  # by a record of a model that is judged
WANTED = 2  # by a record that this run is about
IMAGE = 4  # in an ImageField of it
TROUBLED = 8  # something was found about it: see `Tree.troubles`
ABSENT = 16  # only a record has the name: it is not on disk
LINK = 32  # a symlink, which takes no room of its own
KNOWN = 64  # it has a checksum already
SHIFT = 7
SHOWN_TWINS = 3


@dataclass(slots=True)
class Tree:
    """A media folder with all that is in it; one that lies inside another is a part of that one's tree.

    `folders` is {directory, ending with a slash: {name: number}}.
    `troubles`: {path: what the walk has found about it}, `unlisted`: {directory: why it could not be listed}.
    """

    root: str
    folders: dict[str, dict[str, int]] = field(default_factory=dict)
    troubles: dict[str, tuple[Kind, str]] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    unmounted: tuple[str, ...] = ()
    is_walked: bool = False

    def get(self, path: str) -> int | None:
        """The number of a path, or None if neither the disk nor a record has it."""
        cut = path.rfind("/") + 1
        folder = self.folders.get(path[:cut])
        return folder.get(path[cut:]) if folder else None

    def set(self, path: str, number: int) -> None:
        """Gives a path its number."""
        cut = path.rfind("/") + 1
        self.folders.setdefault(path[:cut], {})[path[cut:]] = number

    def mark(self, path: str, bits: int) -> bool:
        """Adds to what is known of a path; False if it is not known at all."""
        number = self.get(path)
        if number is None:
            return False
        if number & bits != bits:
            self.set(path, number | bits)
        return True

    def files(self) -> Iterator[tuple[str, int]]:
        """(path, number) of all that is on disk, in the order of the directories."""
        for head in sorted(self.folders):
            names = self.folders[head]
            yield from ((head + last, names[last]) for last in sorted(names) if not names[last] & ABSENT)

    def is_hidden(self, path: str) -> bool:
        """Whether the walk could not see what is at the path."""
        places = (*self.unmounted, *(head.rstrip("/") for head in self.unlisted))
        return any(not place or path == place or path.startswith(f"{place}/") for place in places)

    def is_on_disk(self, path: str) -> bool:
        """Whether the walk has seen a file at the path."""
        number = self.get(path)
        return number is not None and not number & ABSENT

    def is_named(self, path: str) -> bool:
        """Whether a record of a model that is judged names the path."""
        return bool((self.get(path) or 0) & NAMED)


def twins(tree: Tree) -> Iterator[Finding]:
    """The names, on disk or in records, that differ from another one only by case or Unicode form."""
    heads: defaultdict[str, list[str]] = defaultdict(list)
    for head in tree.folders:
        heads[folded(head)].append(head)
    for alike in heads.values():
        names = [(head, last) for head in alike for last in tree.folders[head]]
        if len({folded(last) for _, last in names}) == len(names):
            continue
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for head, last in names:
            groups[folded(last)].append(head + last)
        for paths in groups.values():
            yield from _twins_of(tree, sorted(paths)) if len(paths) > 1 else ()


def _twins_of(tree: Tree, paths: list[str]) -> Iterator[Finding]:
    for path in paths:
        others = [f"{other} ({_where(tree, other)})" for other in paths if other != path]
        more = f" and {len(others) - SHOWN_TWINS} more" if len(others) > SHOWN_TWINS else ""
        beside = ", ".join(others[:SHOWN_TWINS]) + more
        yield Finding(kind=Kind.TWINS, root=tree.root, path=path, detail=f"{_where(tree, path)}, beside {beside}")


def _where(tree: Tree, path: str) -> str:
    number = tree.get(path) or 0
    if number & ABSENT:
        return "in a record"
    return "on disk and in a record" if number & NAMED else "on disk"


def inside(root: str, path: str) -> str:
    """The part of a real path below the root, or nothing."""
    start = root.rstrip("/") + "/"
    return path[len(start) :] if path.startswith(start) else ""


def real(root: str, name: str) -> str:
    """The real path of a name, or nothing for one that no file system could hold."""
    try:
        return os.path.realpath(os.path.join(root, name))
    except (OSError, ValueError):
        return ""
