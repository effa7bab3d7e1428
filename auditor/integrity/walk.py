"""Walks a media folder once: every file's size, and what is wrong with its entries."""

import errno
import os
from collections.abc import Collection
from stat import S_IRUSR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK

from auditor.integrity.findings import Kind
from auditor.integrity.tree import LINK, SHIFT, TROUBLED, Tree, inside
from auditor.marker import MARKER
from auditor.orphans.disk import in_words, judge_error
from auditor.trash import TRASH

NOBODYS = (TRASH, "lost+found")  # directories in which there are no media files
READABLE = 0o444
LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def walk(root: str, *, unmounted: tuple[str, ...] = (), inner: Collection[str] = ()) -> Tree:
    """The tree of the folder at this real path; no symlink to a directory is followed. Only reads.

    `inner` are the other media folders that lie in it, by real path: their markers are no files of anybody.
    """
    walker = Walker(Tree(root, unmounted=unmounted, is_walked=True), [root, *inner])
    walker.run()
    return walker.tree


class Walker:
    """One walk."""

    def __init__(self, tree: Tree, roots: Collection[str]) -> None:
        self.tree = tree
        self.heads = {f"{inside(tree.root, root)}/".lstrip("/") for root in roots}
        self.user = os.geteuid()

    def run(self) -> None:
        """Walks the folder to its end."""
        ahead = [""]
        while ahead:
            ahead += self.visit(ahead.pop())

    def visit(self, head: str) -> list[str]:
        """Takes down what is in one directory; gives back the directories in it."""
        try:
            with os.scandir(f"{self.tree.root}/{head}") as entries:
                listed = list(entries)
        except OSError as error:
            if judge_error(error).reason:  # else it has gone since it was listed
                self.tree.unlisted[head] = in_words(error)
            return []
        names: dict[str, int] = {}
        deeper = []
        for entry in listed:
            try:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)  # a million times
                    number = status.st_size << SHIFT
                    if number and (status.st_mode & READABLE == READABLE or self.is_own(status)):
                        names[entry.name] = number
                    else:
                        self.note(entry, head, names)
                elif entry.is_dir(follow_symlinks=False):
                    deeper += [f"{head}{entry.name}/"] if entry.name not in NOBODYS else []
                else:
                    self.note(entry, head, names)
            except OSError as error:
                names |= self.unreadable(entry.name, head, error)
        if head in self.heads:
            names.pop(MARKER, None)
        if names:
            self.tree.folders[head] = names
        return [one for one in deeper if one.rstrip("/") not in self.tree.unmounted]

    def note(self, entry: os.DirEntry[str], head: str, names: dict[str, int]) -> None:
        """Takes down one entry that is no directory."""
        path, link = head + entry.name, LINK if entry.is_symlink() else 0
        if link:
            try:
                status = entry.stat()
            except OSError as error:
                is_dangling = error.errno in LEADS_NOWHERE
                detail = f"to {os.readlink(entry.path)}" if is_dangling else in_words(error)
                kind = Kind.DANGLING if is_dangling else Kind.UNREADABLE
                names[entry.name] = link | self.trouble(path, kind, detail)
                return
            if S_ISDIR(status.st_mode):
                return
        else:
            status = entry.stat(follow_symlinks=False)
        number = status.st_size << SHIFT | link
        if not S_ISREG(status.st_mode):
            number = link | self.trouble(path, Kind.NOT_A_FILE, what_it_is(status))
        elif not status.st_size:
            number |= self.trouble(path, Kind.EMPTY, "")
        elif status.st_mode & READABLE != READABLE and (why := why_unreadable(entry.path)):
            number |= self.trouble(path, Kind.UNREADABLE, why)
        names[entry.name] = number

    def unreadable(self, name: str, head: str, error: OSError) -> dict[str, int]:
        """{name: its number}, unless the entry has only gone since it was listed."""
        is_gone = not judge_error(error).reason
        return {} if is_gone else {name: self.trouble(head + name, Kind.UNREADABLE, in_words(error))}

    def is_own(self, status: os.stat_result) -> bool:
        """Whether the file is this user's own, and may be read; that root may read all others is not so everywhere."""
        return status.st_uid == self.user and bool(status.st_mode & S_IRUSR)

    def trouble(self, path: str, kind: Kind, detail: str) -> int:
        """Takes down that something is wrong with a path."""
        self.tree.troubles[path] = (kind, detail)
        return TROUBLED


def why_unreadable(path: str) -> str:
    """Why a file cannot be opened for reading, or nothing."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return judge_error(error).reason
    return ""


def what_it_is(status: os.stat_result) -> str:
    """What is at a path, if it is no regular file."""
    if S_ISDIR(status.st_mode):
        return "a directory"
    if S_ISFIFO(status.st_mode):
        return "a named pipe"
    return "a socket" if S_ISSOCK(status.st_mode) else "a device"
