"""Walks a root once and tells the files that nothing names from those that have to stay. Only reads."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from auditor.marker import MARKER
from auditor.orphans.disk import judge_error
from auditor.trash import TRASH
from auditor.usage.identity import identity
from auditor.usage.keeping import Rules
from auditor.usage.names import Names, folded
from auditor.usage.plan import Kept, UnusedFile

TRASH_FOLDER = TRASH.encode()
MARKER_FILE = MARKER.encode()
LISTED_AT_ONCE = 2_000  # entries of a directory: what is still in the processor's cache when it is looked up
LOST = b"lost+found"  # of a file system's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known of a root before the walk: what names its files, and what else is in it.

    `mounts` are the full paths at which a file system is mounted: {path: is it registered}; `unmounted` are those
    where one should be. `others` are the roots inside it, which have walks of their own.
    """

    root: bytes
    names: Names
    undo: Names
    rules: Rules
    mounts: Mapping[bytes, bool]
    unmounted: Collection[bytes]
    others: Collection[bytes]
    youngest_ns: int  # what has changed since this time is young


@dataclass(slots=True)
class Seen:
    """What walks have seen: shared by those of all roots, because a symlink may lead from one into another.

    `missed` are the last parts of names whose file is not there, without case; `linked` is where symlinks lead.
    `visited` are all folders, and `twice` those that are the same as another one: a bind mount, or a root in a root.
    """

    missed: set[str] = field(default_factory=set)
    linked: set[bytes] = field(default_factory=set)
    visited: set[bytes] = field(default_factory=set)
    twice: set[bytes] = field(default_factory=set)
    _folders: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def visit(self, folder: bytes) -> None:
        """Takes note of a folder, and of the one that it is the same as."""
        self.visited.add(folder)
        status = os.stat(folder)
        first = self._folders.setdefault((status.st_dev, status.st_ino), folder)
        if first != folder:
            self.twice |= {first, folder}


@dataclass(slots=True)
class Walk:
    """One walk; `candidates` are the files that may be unused, until all walks have ended."""

    ground: Ground
    seen: Seen
    candidates: list[UnusedFile] = field(default_factory=list)
    kept: Counter[Kept] = field(default_factory=Counter)
    named: int = 0
    unlisted: dict[str, str] = field(default_factory=dict)
    settings: set[str] = field(default_factory=set)
    presets: set[str] = field(default_factory=set)
    _ahead: list[tuple[bytes, bytes, int, Kept | None]] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files were met; what stays hidden in a trash is none."""
        return self.named + len(self.candidates) + sum(self.kept.values())

    def run(self) -> "Walk":
        """Walks the root to its end."""
        root = self.ground.root
        self._ahead.append((root, root, _device(root), None))
        while self._ahead:
            folder, top, device, reason = self._ahead.pop()
            try:
                self._visit(folder, top, device, reason)
            except OSError as error:
                if judge_error(error).reason:  # else it has gone since it was listed
                    self.unlisted[self._shown(folder)] = judge_error(error).reason
        return self

    def _visit(self, folder: bytes, top: bytes, device: int, reason: Kept | None) -> None:
        named, root = self.ground.names.named_in(folder), self.ground.root
        self.seen.visit(folder)
        with os.scandir(folder) as entries:
            while some := list(islice(entries, LISTED_AT_ONCE)):
                files = {entry.name: entry for entry in some if entry.is_file(follow_symlinks=False)}
                unnamed = set(files).difference(named)
                self.named += len(files) - len(unnamed)
                for name in unnamed:
                    if name != MARKER_FILE or folder != root:
                        self._meet(files[name], top, device, reason)
                for entry in some if len(files) < len(some) else ():
                    if entry.name not in files:
                        self._meet_other(entry, top, device, Kept.FOLDER if entry.name in named else reason)
                        named.discard(entry.name)
                named.difference_update(files)
        self.seen.missed.update(map(base_of, named))

    def _meet_other(self, entry: os.DirEntry[bytes], top: bytes, device: int, reason: Kept | None) -> None:
        if entry.is_dir(follow_symlinks=False):
            self._go_into(entry, top, device, reason)
        elif entry.is_symlink():
            self.seen.linked.add(os.path.realpath(entry.path))
        else:
            self._meet(entry, top, device, reason)

    def _go_into(self, entry: os.DirEntry[bytes], top: bytes, device: int, reason: Kept | None) -> None:
        path, name = entry.path, entry.name
        if path in self.ground.others or name in (TRASH_FOLDER, LOST):
            return
        if path in self.ground.mounts:
            top = path
            reason = reason or (None if self.ground.mounts[path] else Kept.MOUNT)
            device = _device(path)
        elif path in self.ground.unmounted:
            reason = Kept.UNMOUNTED
        elif name.startswith(b"."):
            reason = reason or Kept.HIDDEN
        self._ahead.append((path, top, device, reason))

    def _meet(self, entry: os.DirEntry[bytes], top: bytes, device: int, reason: Kept | None) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # it has gone since it was listed
            return
        if reason is None and not entry.is_file(follow_symlinks=False):
            reason = Kept.SPECIAL
        if reason is None and status.st_dev != device:
            reason = Kept.MOUNT
        reason = reason or self._reason(entry.path)
        if reason is None and max(status.st_mtime_ns, status.st_ctime_ns) > self.ground.youngest_ns:
            reason = Kept.YOUNG
        if reason is not None:
            self.kept[reason] += 1
            return
        name = entry.path[len(self.ground.root.rstrip(b"/")) + 1 :]
        self.candidates.append(UnusedFile(name, top, identity(status), status.st_size if status.st_nlink == 1 else 0))

    def _reason(self, path: bytes) -> Kept | None:
        name = os.fsdecode(path[len(self.ground.root.rstrip(b"/")) + 1 :])
        if name.rpartition("/")[2].startswith("."):
            return Kept.HIDDEN
        if setting := self.ground.rules.place_of(path):
            self.settings.add(setting)
            return Kept.SETTING
        if self.ground.rules.is_kept(name):
            return Kept.PATTERN
        if preset := self.ground.rules.preset_of(name):
            self.presets.add(preset)
            return Kept.PRESET
        return Kept.UNDO if self.ground.undo.has(path) else None

    def _shown(self, folder: bytes) -> str:
        return folder[len(self.ground.root.rstrip(b"/")) + 1 :].decode(errors="backslashreplace") or "."


def _device(folder: bytes) -> int:
    return os.stat(folder).st_dev


def base_of(path: bytes) -> str:
    """The last part of a path, without case."""
    return folded(path.rpartition(b"/")[2].decode(errors="surrogateescape"))


def missed_elsewhere(names: Names, seen: Seen) -> set[str]:
    """The last parts, without case, of the names in folders that no walk has come to."""
    away = (folder for folder in names.folders() if folder not in seen.visited)
    return {base_of(name) for folder in away for name in names.named_in(folder)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is only known when all roots were walked.

    `linked` are full paths to which a symlink leads, `moved` those to which a file was seen moving from a name that
    is still in use, both of folders as well; `twice` are folders that were met under two paths.
    `missed` are the last parts, without case, of names without a file.
    """

    linked: Collection[bytes]
    twice: Collection[bytes]
    moved: Collection[bytes]
    missed: Collection[str]


def settled(walk: Walk, context: Context) -> list[UnusedFile]:
    """The candidates that are unused after all, in the order of their names; the others are counted as kept."""
    unused = []
    for one in walk.candidates:
        path = walk.ground.root.rstrip(b"/") + b"/" + one.name
        if context.linked and lies_below(path, context.linked):
            walk.kept[Kept.LINKED] += 1
        elif context.twice and lies_below(path, context.twice):
            walk.kept[Kept.TWICE] += 1
        elif context.moved and lies_below(path, context.moved):
            walk.kept[Kept.MOVED] += 1
        elif context.missed and base_of(path) in context.missed:
            walk.kept[Kept.MISSED] += 1
        else:
            unused.append(one)
    return sorted(unused, key=lambda one: one.name)


def without_mentioned(walk: Walk, unused: Sequence[UnusedFile], mentioned: Collection[str]) -> list[UnusedFile]:
    """Those of the files whose last part no text mentions; the others are counted as kept."""
    left = [one for one in unused if base_of(one.name) not in mentioned]
    if len(left) < len(unused):
        walk.kept[Kept.MENTIONED] += len(unused) - len(left)
    return left


def lies_below(path: bytes, paths: Collection[bytes]) -> bool:
    """Whether a path is one of those, or lies below one."""
    cut = len(path)
    while cut > 0:
        if path[:cut] in paths:
            return True
        cut = path.rfind(b"/", 0, cut)
    return False
