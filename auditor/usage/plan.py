"""What a clean-up of unused files would do, as plain values."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from auditor.usage.identity import modified_ns_of, size_of


class Kept(StrEnum):
    """Why a file that no record names stays."""

    YOUNG = "young"
    UNDO = "undo"
    MISSED = "missed"
    MOVED = "moved"
    LINKED = "linked"
    TWICE = "twice"
    MENTIONED = "mentioned"
    PATTERN = "pattern"
    PRESET = "preset"
    SETTING = "setting"
    FOLDER = "folder"
    HIDDEN = "hidden"
    MOUNT = "mount"
    UNMOUNTED = "unmounted"
    SPECIAL = "special"


WORDS = {
    Kept.YOUNG: "younger than {min_age}: an upload may be under way",
    Kept.UNDO: "named in what a clean-up deleted: restore_orphaned_media can still bring it back",
    Kept.MISSED: "a record that misses its file names one like this: see cleanup_orphaned_media",
    Kept.MOVED: "seen moving here from a name that a record still has: see cleanup_orphaned_media --relink",
    Kept.LINKED: "a symlink leads to it",
    Kept.TWICE: "in a folder that is mounted in two places: its files may be named in the other one",
    Kept.MENTIONED: "mentioned by name in a text of the database",
    Kept.PATTERN: "matched by AUDITOR_KEEP or --keep",
    Kept.PRESET: "made by another app from its images: {presets}",
    Kept.SETTING: "in a place that the settings or a field name: {settings}",
    Kept.FOLDER: "in a folder that a record names",
    Kept.HIDDEN: "hidden: its name, or that of its folder, begins with a dot",
    Kept.MOUNT: "on another file system that is not registered: see register_media_root",
    Kept.UNMOUNTED: "where a file system is not mounted now",
    Kept.SPECIAL: "neither a file nor a folder",
}


@dataclass(frozen=True, slots=True)
class UnusedFile:
    """A file that nothing names; `name` is relative to its root, in bytes as on disk.

    `top` is the folder of its file system, in which its trash is; `identity` tells whether it is still the same.
    `frees` is what its removal frees, in bytes: nothing, where it has another name.
    """

    name: bytes
    top: bytes
    identity: bytes
    frees: int

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return size_of(self.identity)

    @property
    def modified_ns(self) -> int:
        """When its content changed last, in nanoseconds since 1970."""
        return modified_ns_of(self.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPlan:
    """What was found in one root: `files` in all, `named` by records, the `unused`, and the others by reason.

    `unlisted` are the directories that could not be read: {path: reason}; `settings` and `presets` those that keep
    a file here.
    """

    path: str
    files: int = 0
    named: int = 0
    unused: tuple[UnusedFile, ...] = ()
    kept: Mapping[Kept, int] = field(default_factory=dict)
    unlisted: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[str] = ()
    presets: Sequence[str] = ()
    identity: str = ""
    is_known: bool = False

    @property
    def bytes(self) -> int:
        """What could be freed."""
        return sum(one.frees for one in self.unused)

    @property
    def is_unproven(self) -> bool:
        """Whether not one of its files is named: this is what a wrong database, or a wrong folder, looks like."""
        return bool(self.unused) and not self.named

    @property
    def is_certain(self) -> bool:
        """Whether nothing was met that a person has to see to."""
        return not self.unlisted and not self.kept.get(Kept.UNMOUNTED)

    def by_directory(self) -> list[tuple[str, int, int]]:
        """(directory, files, bytes) of the unused, the largest first."""
        return _grouped((one.name.rpartition(b"/")[0] or b".", one) for one in self.unused)

    def by_type(self) -> list[tuple[str, int, int]]:
        """(suffix, files, bytes) of the unused, the largest first."""
        return _grouped((_suffix(one.name), one) for one in self.unused)


def _suffix(name: bytes) -> bytes:
    last = name.rpartition(b"/")[2]
    stem, dot, suffix = last.rpartition(b".")
    return b"." + suffix.lower() if stem and dot and suffix else b"without a suffix"


def _grouped(placed: Iterator[tuple[bytes, UnusedFile]]) -> list[tuple[str, int, int]]:
    files: Counter[bytes] = Counter()
    freed: Counter[bytes] = Counter()
    for group, one in placed:
        files[group] += 1
        freed[group] += one.frees
    order = sorted(files, key=lambda group: (-freed[group], -files[group], group))
    return [(group.decode(errors="backslashreplace"), files[group], freed[group]) for group in order]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedPlan:
    """Everything that was found; `left_out` are folders in which nothing can be called unused: {folder: reason}.

    `elsewhere` are fields whose files are in no folder: {field id: reason}.
    """

    roots: tuple[RootPlan, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    min_age: str = ""

    @property
    def total(self) -> int:
        """How many files are unused."""
        return sum(len(root.unused) for root in self.roots)

    @property
    def bytes(self) -> int:
        """What could be freed."""
        return sum(root.bytes for root in self.roots)

    @property
    def is_certain(self) -> bool:
        """Whether nothing was met that a person has to see to."""
        return all(root.is_certain for root in self.roots)

    def kept(self) -> Counter[Kept]:
        """How many files stay that no record names, by reason."""
        counts: Counter[Kept] = Counter()
        for root in self.roots:
            counts.update(root.kept)
        return counts


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that went: into the trash, out of it, or for good; `reason` where it stayed after all.

    `name` and `to`, its place in the trash, are relative to the root; `run` is the one that trashed it.
    """

    root: str
    name: bytes
    size: int = 0
    run: str = ""
    to: bytes = b""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesOutcome:
    """What was done: files that went into a trash, came out of it, were removed for good, and stayed after all."""

    trashed: tuple[Moved, ...] = ()
    untrashed: tuple[Moved, ...] = ()
    freed: tuple[Moved, ...] = ()
    kept: tuple[Moved, ...] = ()
