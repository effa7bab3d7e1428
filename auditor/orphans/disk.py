"""Judges whether a file is there: present, missing or unknown, by lstat and errno.

Only "no such file" and "not a directory" on the way mean missing.
`os.path.exists` and `FileSystemStorage.exists` answer False for every error and are not asked.
"""

import errno
import os
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from stat import S_ISDIR

from auditor.auditlog.events import is_too_long
from auditor.errors import AuditorError, ExitCode

LISTED_NAMES = 200_000  # names of listings kept in memory, about 20 MB
LISTING_PAYS = 4  # an entry listed costs about a fifth of a name looked at by lstat
ENTRY_BYTES = 40  # of a directory's size, for one entry with a name of usual length
BLOCK_BYTES = 4_096  # what the smallest directory takes
ODD_PARTS = ("", ".", "..")
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


def judge_error(error: OSError) -> Look:
    """The one place where an errno becomes a verdict."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MISSING
    name = errno.errorcode.get(error.errno or 0, "error")
    return Look(Verdict.UNKNOWN, f"{name}: {error.strerror}", True)


def look_at(path: str) -> Look:
    """Looks at one path, now; the last part of it is not followed if it is a symlink."""
    try:
        os.lstat(path)
    except OSError as error:
        return judge_error(error)
    except ValueError:  # a NUL, or a surrogate that no file system can hold
        return NOT_A_NAME
    return PRESENT


def identity(root: str) -> str:
    """Which folder the root is, as 'device:inode'.

    Raises AuditorError (refused: root) if it is absent, not a directory or cannot be read.
    """
    try:
        status = os.stat(root)
        if not S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with os.scandir(root):
            pass
    except OSError as error:
        raise AuditorError(
            f"The media root {root} cannot be read: {error.strerror}.",
            hint="This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting.",
            exit_code=ExitCode.REFUSED_ROOT,
        ) from error
    return f"{status.st_dev}:{status.st_ino}"


def is_directory(root: str, path: str) -> bool:
    """Whether a path below the root is a directory now, reached without a symlink; False where that is unknown."""
    full = f"{root}/{path}"
    return os.path.isdir(full) and os.path.realpath(full) == full


def holds_files(root: str) -> bool:
    """Whether there is a single file anywhere below the root; directories that cannot be listed count as files."""
    pending = [root]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        return True
                    pending.append(entry.path)
        except OSError:
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What is known of one directory: its listing, or one look that goes for every name in it, or neither.

    `is_odd`: it is reached through a symlink, or not spelled plainly.
    """

    names: frozenset[str] = frozenset()
    look: Look | None = None
    is_odd: bool = False
    is_listed: bool = False


class Disk:
    """Judges many names below one root, listing a directory once where that is cheaper than a look at each name.

    `exact` lists every directory: only a listing tells that a name is spelled otherwise on disk.
    `unlisted` keeps the directories that could not be listed: {directory: reason}.
    """

    def __init__(self, root: str, *, exact: bool = False) -> None:
        self.root = root
        self.exact = exact
        self.unlisted: dict[str, str] = {}
        self._folders: OrderedDict[str, Folder] = OrderedDict()
        self._held = 0

    def judge(self, names: Iterable[str]) -> dict[str, Look]:
        """{name: Look} of those names that are not plainly present."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        known_head = None
        for name in names:
            cut = name.rfind("/") + 1
            if name[:cut] != known_head:  # neighbours in the table are mostly neighbours on disk
                known_head = name[:cut]
                group = groups[known_head]
            group.append(name[cut:])
        looks = {}
        for head, lasts in groups.items():
            folder = self._folder(head, len(lasts))
            for last in set(lasts).difference(folder.names):
                look = self._judge_one(folder, head, last)
                if look is not PRESENT:
                    looks[head + last] = look
        return looks

    def _judge_one(self, folder: Folder, head: str, last: str) -> Look:
        if folder.is_odd or last in ODD_PARTS:
            return look_oddly(self.root, head + last)
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
        self._folders[head] = folder
        self._held += len(folder.names) + 1
        while self._held > LISTED_NAMES and len(self._folders) > 1:
            _, oldest = self._folders.popitem(last=False)
            self._held -= len(oldest.names) + 1
        return folder

    def _visit(self, head: str, asked: int) -> Folder:
        if not is_plain(head):
            return Folder(is_odd=True)
        path = f"{self.root}/{head}".rstrip("/")
        try:
            real = os.path.realpath(path)
            if not is_inside(real, self.root):
                return Folder(look=LEADS_OUT)
            if real != path:
                return Folder(is_odd=True)
            if not self.exact and os.stat(path).st_size > asked * LISTING_PAYS * ENTRY_BYTES + BLOCK_BYTES:
                return Folder()
            return Folder(names=frozenset(os.listdir(path)), is_listed=True)
        except OSError as error:
            look = judge_error(error)
            if look is MISSING:
                return Folder(is_listed=True)  # as an empty one: a name can still be one that no folder could hold
            self.unlisted[head.rstrip("/") or "."] = look.reason
            return Folder(look=look)
        except ValueError:
            return Folder(look=NOT_A_NAME)


def look_now(root: str, name: str) -> Look:
    """Looks at one name, now and from the start: what a single record's fate depends on."""
    head = name[: name.rfind("/") + 1]
    if not is_plain(head) or name[len(head) :] in ODD_PARTS:
        return look_oddly(root, name)
    try:
        real = os.path.realpath(f"{root}/{head}".rstrip("/"))
    except (OSError, ValueError):
        return NOT_A_NAME
    return look_at(f"{root}/{name}") if is_inside(real, root) else LEADS_OUT


def look_oddly(root: str, name: str) -> Look:
    """Looks at a name that is not spelled plainly, as the storage would open it; never outside the root."""
    path = os.path.normpath(name)
    if name.startswith("/") or path == ".." or path.startswith("../"):
        return LEAVES_ROOT
    try:
        real = os.path.realpath(os.path.dirname(f"{root}/{path}"))
    except (OSError, ValueError):
        return NOT_A_NAME
    if not is_inside(real, root):
        return LEADS_OUT
    look = look_at(f"{root}/{path}")
    return ODDLY_PRESENT if look is PRESENT else look


def is_plain(head: str) -> bool:
    """Whether the directory part of a name ("photos/2024/" or "") is spelled as the file system would.

    One that is nearly too long for the log is not plain either: the log cannot speak for all that is in it.
    """
    if not head:
        return True
    is_short = not is_too_long(head + LONGEST_NAME)
    return is_short and os.path.normpath(head) + "/" == head and head[0] != "/" and not head.startswith("../")


def is_inside(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip("/") + "/")
