"""Which folder a root is: its device, its inode, and what is mounted in it."""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.auditlog.coverage import GapReason
from auditor.errors import AuditorError
from auditor.mounts import Mount, mounted_in
from watcher import limits
from watcher.notices import GapError

# On these, others can delete without a word from this kernel, while our own calls are still heard.
UNHEARD = re.compile(
    r"nfs4?|cifs|smb3?|smbfs|9p|virtiofs|afs|ceph|lustre|gpfs|beegfs|gfs2|ocfs2|orangefs|coda"
    r"|vboxsf|prl_fs|fakeowner|fuse(\..*)?|osxfs|grpcfuse"
)
SHOWN_MOUNTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A root at one moment: `number` is "device:inode", `holding` the file system that it lies on.

    `inside` are the file systems mounted strictly inside it, `nested` their places: relative paths in text.
    `unheard` says on which of all these others can delete without a word from the kernel; empty if on none.
    """

    number: str
    holding: Mount | None = None
    inside: tuple[Mount, ...] = ()
    nested: tuple[str, ...] = ()
    unheard: str = ""


def identify(root: str) -> Identity:
    """Which folder is at this path now; raises GapError if none is, or if it cannot be looked at."""
    path = os.fsencode(root)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GapError(GapReason.ROOT_GONE, f"{limits.shown(path)} is not there.") from error
    except OSError as error:
        raise GapError(GapReason.NOT_WATCHED, f"{limits.shown(path)}: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode):
        raise GapError(GapReason.ROOT_GONE, f"{limits.shown(path)} is not a folder.")
    try:
        holding, inside, nested = mounted_in(root)
    except AuditorError as error:
        raise GapError(GapReason.NOT_WATCHED, error.message) from error
    return Identity(
        number=f"{found.st_dev}:{found.st_ino}",
        holding=holding,
        inside=inside,
        nested=nested,
        unheard=_unheard((holding, *inside) if holding else inside),
    )


def confirm(root: str, opened: Identity) -> None:
    """Raises GapError unless the folder at this path is the one that was opened, with the same mounts in it."""
    now = identify(root)
    if now.number != opened.number:
        raise GapError(GapReason.ROOT_REPLACED, f"{root} is another folder than before{_why(opened, now)}.")
    if gone := missing_mounts(now, opened.nested):
        raise GapError(GapReason.UNMOUNTED, _each(gone, "was a mounted file system, and is not mounted now."))
    if came := missing_mounts(opened, now.nested):
        raise GapError(GapReason.MOUNTS_CHANGED, _each(came, "was mounted."))
    if now.inside != opened.inside:
        changed = [limits.shown(mount.point) for mount in now.inside if mount not in opened.inside]
        raise GapError(GapReason.MOUNTS_CHANGED, _each(changed, "is another mounted file system than before."))
    if now.holding != opened.holding:
        raise GapError(GapReason.MOUNTS_CHANGED, f"The file system that holds {root} was mounted anew.")


def missing_mounts(identity: Identity, known: Sequence[str]) -> list[str]:
    """Those of the known places inside the root at which nothing is mounted."""
    return [name for name in known if name not in identity.nested]


def _why(opened: Identity, now: Identity) -> str:
    if opened.holding is None or now.holding is None or now.holding == opened.holding:
        return ""
    if len(now.holding.point) < len(opened.holding.point):
        return f": what was mounted at {limits.shown(opened.holding.point)} is not mounted now"
    return f": another file system is mounted at {limits.shown(now.holding.point)}"


def _each(names: Sequence[str], claim: str) -> str:
    more = [f"So it is with {len(names) - SHOWN_MOUNTS} more."] if len(names) > SHOWN_MOUNTS else []
    return " ".join([*(f"{name} {claim}" for name in names[:SHOWN_MOUNTS]), *more])


def _unheard(mounts: Iterable[Mount]) -> str:
    for mount in mounts:
        if UNHEARD.fullmatch(mount.kind):
            where = limits.shown(mount.point)
            return f"{where} is {mount.kind}: the kernel does not tell of all that is deleted there."
    return ""
