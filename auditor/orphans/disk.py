"""Judges whether a file is there: present, missing or unknown, by lstat and errno.

Only "no such file" and "not a directory" on the way mean missing.
`os.path.exists` and `FileSystemStorage.exists` answer False for every error and are not asked.
"""

import errno
import os
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress, islice, repeat
from operator import itemgetter
from stat import S_ISREG

from auditor.auditlog.events import is_too_long
from auditor.orphans.leftovers import Leftover, Leftovers, Stamp, settled_stamp

LISTED_NAMES = 100_000  # names of listings kept in memory, about 15 MB
LISTING_PAYS = 4  # an entry listed costs about a fifth of a name looked at
SAMPLED = 50  # names to one that tells in which directories many are
LONG_QUESTION = 10_000  # names, after which more are likely to follow
MORE_TO_COME = 50  # times as many
HANDLE_PAYS = 4  # names in a directory for which it is opened
TASTED = 8  # of these names, which tell whether most of them are gone
ENTRY_BYTES = 40  # of a directory's size, for one entry with a name of usual length
BLOCK_BYTES = 4_096  # what the smallest directory takes
LARGE_BYTES = 1_000_000  # some 25,000 entries
ODD_PARTS = ("", ".", "..")
PATH_ONLY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
LONGEST_NAME = "x" * 255  # NAME_MAX of Linux


class Verdict(StrEnum):
    """What a look at the disk says of a name."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Look:
    """A verdict with its reason; `is_odd` where the name is not spelled as the folder's own entry.

    The audit log speaks of entries: it cannot follow an odd name, nor an unknown one.
    """

    verdict: Verdict
    reason: str = ""
    is_odd: bool = False


PRESENT = Look(Verdict.PRESENT)
ODDLY_PRESENT = Look(Verdict.PRESENT, "", True)
MISSING = Look(Verdict.MISSING)
LEAVES_ROOT = Look(Verdict.UNKNOWN, "the name leaves the media root", True)
LEADS_OUT = Look(Verdict.UNKNOWN, "a symlink leads out of the media root", True)
NOT_A_NAME = Look(Verdict.UNKNOWN, "not a valid file name", True)


def not_mounted(mount: str) -> Look:
    """What there is to say of a name below a place where a file system is not mounted any more."""
    return Look(Verdict.UNKNOWN, f"the file system at {mount} is not mounted", True)


def judge_error(error: OSError) -> Look:
    """The one place where an errno becomes a verdict."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MISSING
    return Look(Verdict.UNKNOWN, in_words(error), True)


def in_words(error: OSError) -> str:
    """An error of the operating system in the words that reports use for it."""
    name = errno.errorcode.get(error.errno or 0, "error")
    return f"{name}: {error.strerror}"


def look_at(path: str) -> Look:
    """Looks at one path, now; the last part of it is not followed if it is a symlink."""
    try:
        os.lstat(path)
    except OSError as error:
        return judge_error(error)
    except ValueError:  # a NUL, or a surrogate that no file system can hold
        return NOT_A_NAME
    return PRESENT


def is_directory(root: str, path: str) -> bool:
    """Whether a path below the root is a directory now, reached without a symlink; False where that is unknown."""
    full = f"{root}/{path}"
    return os.path.isdir(full) and os.path.realpath(full) == full


def is_plain_file(root: str, name: str) -> bool:
    """Whether a name is spelled plainly and a file is there now, reached without a symlink; False if unknown."""
    head = name[: name.rfind("/") + 1]
    if not is_plain(head) or name[len(head) :] in ODD_PARTS:
        return False
    full = f"{root}/{name}"
    try:
        return S_ISREG(os.lstat(full).st_mode) and os.path.realpath(full) == full
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What is known of one directory: its listing, or one look that goes for every name in it, or neither.

    `names` are those of its entries with the directory before them; `entries` is how many it had.
    A large one has {entry: None} in `unmet` instead, and each once: a set of a million takes 30 MB.
    `stamp` is what it was like before its listing, if that can be told.
    `is_odd`: it is reached through a symlink, or not spelled plainly.
    """

    names: frozenset[str] = frozenset()
    unmet: dict[str, None] = field(default_factory=dict)
    entries: int = 0
    look: Look | None = None
    is_odd: bool = False
    is_listed: bool = False
    stamp: Stamp | None = None


class Disk:
    """Judges many names below one root, listing a directory once where that is cheaper than a look at each name.

    `exact` lists every directory: only a listing tells that a name is spelled otherwise on disk.
    `unmounted` are the relative paths where a file system was mounted and is not now: what lies there is unknown.
    `unlisted` keeps the directories that could not be listed: {directory: reason}.
    """

    def __init__(self, root: str, *, unmounted: Sequence[str] = (), exact: bool = False) -> None:
        self.root = root
        self.unmounted = unmounted
        self.exact = exact
        self.unlisted: dict[str, str] = {}
        self._folders: OrderedDict[str, Folder] = OrderedDict()
        self._held = 0
        self._foreseen: set[str] = set()  # directories in which a whole question lay
        self._unused: dict[str, frozenset[str]] = {}  # of the names in the folders that have a stamp
        self._leftovers = Leftovers()

    def leftovers(self) -> Mapping[str, Leftover]:
        """What was listed, and is none of the names that were judged; of directories that are not in it, nothing."""
        for head, folder in self._folders.items():
            self._keep_leftover(head, folder)
        return self._leftovers.by_head

    def judge(self, names: Collection[str]) -> dict[str, Look]:
        """{name: Look} of those names that are not plainly present."""
        asked = frozenset(names)
        sample = Counter(name[: name.rfind("/") + 1] for name in islice(names, 0, None, SAMPLED))
        # Whole sets at a time: to take every name apart costs more than to find it in a listing.
        known = [
            self._folder(head, self._expected(head, count * SAMPLED, len(asked))) for head, count in sample.items()
        ]
        rest: Collection[str] = asked.difference(*[folder.names for folder in known])
        for head, folder in zip(sample, known, strict=True):
            rest = _without_met(rest, head, folder.unmet) if folder.unmet else rest
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for name in rest:
            cut = name.rfind("/") + 1
            groups[name[:cut]].append(name[cut:])
        looks = {}
        for head, lasts in groups.items():
            folder = self._folder(head, len(lasts))
            for last in self._unseen(folder, head, lasts):
                look = self._judge_one(folder, head, last)
                if look is not PRESENT:
                    looks[head + last] = look
        self._use({*sample, *groups}, asked)
        return looks

    def _expected(self, head: str, names: int, asked: int) -> int:
        """How many names of a directory will be asked for, in all; where all of a long question lie in it, more come.

        That is believed once: to list a directory again and again would cost more than it spares.
        """
        if asked < LONG_QUESTION or names < asked or head in self._foreseen:
            return names
        self._foreseen.add(head)
        return names * MORE_TO_COME

    def _use(self, heads: Iterable[str], asked: frozenset[str]) -> None:
        for head in heads:
            if head in self._unused:
                self._unused[head] -= asked

    def _unseen(self, folder: Folder, head: str, lasts: list[str]) -> Iterable[str]:
        """Those names in a directory that no listing and no quick question has found: they have to be looked at."""
        if folder.is_listed:
            return [last for last in lasts if head + last not in folder.names and folder.unmet.pop(last, True)]
        if folder.is_odd or folder.look is not None or len(lasts) < HANDLE_PAYS:
            return lasts
        return unfound_in(f"{self.root}/{head}", lasts)

    def _judge_one(self, folder: Folder, head: str, last: str) -> Look:
        if folder.is_odd or last in ODD_PARTS:
            return look_oddly(self.root, head + last, self.unmounted)
        if folder.look is not None:
            return folder.look
        look = look_at(f"{self.root}/{head}{last}")
        return ODDLY_PRESENT if look is PRESENT and folder.is_listed else look

    def _folder(self, head: str, asked: int) -> Folder:
        known = self._folders.get(head)
        if known is not None:
            self._folders.move_to_end(head)
            return known
        folder = self._visit(head, asked)
        if folder == Folder():
            return folder  # too few names were asked of it for a listing; the next time there may be more
        self._hold(head, folder)
        return folder

    def _hold(self, head: str, folder: Folder) -> None:
        self._folders[head] = folder
        self._held += folder.entries + 1
        if folder.stamp is not None:
            self._unused[head] = folder.names
        while self._held > LISTED_NAMES and len(self._folders) > 1:
            dropped, oldest = self._folders.popitem(last=False)
            self._held -= oldest.entries + 1
            self._keep_leftover(dropped, oldest)

    def _keep_leftover(self, head: str, folder: Folder) -> None:
        unused = self._unused.pop(head, None)
        if unused is not None and folder.stamp is not None:
            self._leftovers.keep(head, Leftover(unused.union(map(head.__add__, folder.unmet)), folder.stamp))

    def _visit(self, head: str, asked: int) -> Folder:
        if not is_plain(head):
            return Folder(is_odd=True)
        path = f"{self.root}/{head}".rstrip("/")
        try:
            real = _real(self.root, path)
            if hidden := hidden_in(real, self.root, self.unmounted):
                return Folder(look=hidden)
            if real != path:
                return Folder(is_odd=True)
            return self._list(path, head, asked)
        except OSError as error:
            look = judge_error(error)
            if look is MISSING:
                return Folder(is_listed=True)  # as an empty one: a name can still be one that no folder could hold
            if not _is_fault_of_name(self.root, head, error):
                self.unlisted[head.rstrip("/") or "."] = look.reason
            return Folder(look=look)
        except ValueError:
            return Folder(look=NOT_A_NAME)

    def _list(self, path: str, head: str, asked: int) -> Folder:
        status = os.stat(path)
        if not self.exact and status.st_size > asked * LISTING_PAYS * ENTRY_BYTES + BLOCK_BYTES:
            return Folder()
        stamp = None if self.exact else settled_stamp(status)
        if self.exact or status.st_size < LARGE_BYTES:
            names = frozenset([head + entry for entry in os.listdir(path)])
            return Folder(names=names, entries=len(names), is_listed=True, stamp=stamp)
        unmet = dict.fromkeys(os.listdir(path))
        return Folder(unmet=unmet, entries=len(unmet), is_listed=True, stamp=stamp)


def _real(root: str, path: str) -> str:
    """The real path of a directory in a root that was real: what is above the root is not looked at again."""
    cut = len(root) - 1
    while (cut := path.find("/", cut + 1)) > 0:
        if os.path.islink(path[:cut]):
            return os.path.realpath(path)
    return os.path.realpath(path) if os.path.islink(path) else path


def _without_met(names: Collection[str], head: str, unmet: dict[str, None]) -> list[str]:
    """Those of the names that are not among the unmet entries of the directory; the others are met now."""
    inside = [name for name in names if name.startswith(head)]
    outside = [name for name in names if not name.startswith(head)] if len(inside) < len(names) else []
    lasts = map(itemgetter(slice(len(head), None)), inside)
    return outside + list(compress(inside, map(unmet.pop, lasts, repeat(True))))


def unfound_in(path: str, lasts: Collection[str]) -> Iterator[str]:
    """Those names in the directory at this path at which the kernel does not find a file; it does not say why."""
    try:
        folder = os.open(path, PATH_ONLY)
    except OSError:
        yield from lasts
        return
    try:
        if not any(_is_found(last, folder) for last in islice(lasts, TASTED)):
            yield from lasts  # most of them are gone: to ask for each a second time would be the dearer way
            return
        for last in lasts:
            if last in ODD_PARTS or not _is_found(last, folder):
                yield last
    finally:
        os.close(folder)


def _is_found(last: str, folder: int) -> bool:
    try:
        return os.access(last, os.F_OK, dir_fd=folder)
    except ValueError:
        return False


def is_any_there(names: Iterable[str], looks: Mapping[str, Look]) -> bool:
    """Whether a file is at any of the names, by the looks of a `Disk.judge` of them."""
    return any(name not in looks or looks[name].verdict is Verdict.PRESENT for name in names)


def _is_fault_of_name(root: str, head: str, error: OSError) -> bool:
    """Whether no disk could list such a directory: a part of its name is too long, or is a symlink in a circle."""
    parts = head.rstrip("/").split("/")
    if error.errno == errno.ENAMETOOLONG:
        return any(len(os.fsencode(part)) > len(LONGEST_NAME) for part in parts)
    return error.errno == errno.ELOOP and any(
        os.path.islink(f"{root}/{'/'.join(parts[: at + 1])}") for at in range(len(parts))
    )


def look_now(root: str, name: str, unmounted: Sequence[str] = ()) -> Look:
    """Looks at one name, now and from the start: what a single record's fate depends on."""
    return looks_now(root, [name], unmounted)[name]


def looks_now(root: str, names: Iterable[str], unmounted: Sequence[str] = ()) -> dict[str, Look]:
    """{name: Look}, now and from the start: each name by an lstat of its own, the way to a folder once a call."""
    looks: dict[str, Look] = {}
    folders: dict[str, Folder] = {}
    for name in names:
        head = name[: name.rfind("/") + 1]
        folder = folders.get(head) or folders.setdefault(head, _folder_now(root, head, unmounted))
        if folder.is_odd or name[len(head) :] in ODD_PARTS:
            looks[name] = look_oddly(root, name, unmounted)
        else:
            looks[name] = folder.look or look_at(f"{root}/{name}")
    return looks


def _folder_now(root: str, head: str, unmounted: Sequence[str]) -> Folder:
    if not is_plain(head):
        return Folder(is_odd=True)
    try:
        real = os.path.realpath(f"{root}/{head}".rstrip("/"))
    except (OSError, ValueError):
        return Folder(look=NOT_A_NAME)
    return Folder(look=hidden_in(real, root, unmounted))


def look_oddly(root: str, name: str, unmounted: Sequence[str] = ()) -> Look:
    """Looks at a name that is not spelled plainly, as the storage would open it; never outside the root."""
    path = os.path.normpath(name)
    if name.startswith("/") or path == ".." or path.startswith("../"):
        return LEAVES_ROOT
    try:
        real = os.path.realpath(os.path.dirname(f"{root}/{path}"))
    except (OSError, ValueError):
        return NOT_A_NAME
    look = hidden_in(real, root, unmounted) or look_at(f"{root}/{path}")
    return ODDLY_PRESENT if look is PRESENT else look


def hidden_in(real: str, root: str, unmounted: Sequence[str]) -> Look | None:
    """Why nothing can be told of what is in the directory at this real path, or None."""
    if not is_inside(real, root):
        return LEADS_OUT
    gone = next((mount for mount in unmounted if is_inside(real, f"{root}/{mount}")), None)
    return not_mounted(gone) if gone else None


def is_as_spelled(root: str, head: str) -> bool:
    """Whether the directory part of a name leads where it says, without a symlink, as far as it leads."""
    path = f"{root}/{head}".rstrip("/")
    return is_plain(head) and os.path.realpath(path) == path


def is_plain(head: str) -> bool:
    """Whether the directory part of a name ("photos/2024/" or "") is spelled as the file system would.

    One that is nearly too long for the log is not plain either: the log cannot speak for all that is in it.
    """
    if not head:
        return True
    is_short = not is_too_long(head + LONGEST_NAME)
    return is_short and os.path.normpath(head) + "/" == head and not head.startswith(("/", "./", "../"))


def is_inside(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip("/") + "/")
