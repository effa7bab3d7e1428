"""Which folder a root is: its device, its inode, and what is mounted in it."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.notices import GapError

MOUNTS = "/proc/self/mountinfo"
# On these, others can delete without a word from this kernel, while our own calls are still heard.
UNHEARD = re.compile(
    rb"nfs4?|cifs|smb3?|smbfs|9p|virtiofs|afs|ceph|lustre|gpfs|vboxsf|prl_fs|fakeowner|fuse(\..*)?|osxfs|grpcfuse"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A root at one moment: `number` is "device:inode", `mounts` are the kernel's lines on mounts in it."""

    number: str
    mounts: tuple[bytes, ...]


def identify(root: str) -> Identity:
    """Which folder is at this path now; raises GapError if none is, or if it cannot be vouched for."""
    path = os.fsencode(root)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GapError(GapReason.ROOT_GONE, f"{limits.shown(path)} is not there.") from error
    except OSError as error:
        raise GapError(GapReason.NOT_WATCHED, f"{limits.shown(path)}: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode):
        raise GapError(GapReason.ROOT_GONE, f"{limits.shown(path)} is not a folder.")
    with open(MOUNTS, "rb") as stream:
        lines = stream.read().splitlines()
    return Identity(number=f"{found.st_dev}:{found.st_ino}", mounts=_mounts_of(path, lines))


def confirm(root: str, opened: Identity) -> None:
    """Raises GapError unless the folder at this path is the one that was opened."""
    now = identify(root)
    if now.number != opened.number:
        raise GapError(GapReason.ROOT_REPLACED, f"{root} is another folder than before.")
    if now.mounts != opened.mounts:
        raise GapError(GapReason.MOUNTS_CHANGED, f"Something was mounted or unmounted in {root}.")


def _mounts_of(root: bytes, lines: list[bytes]) -> tuple[bytes, ...]:
    holding = sorted((line for line in lines if _lies_in(root, _mount_point(line))), key=_depth)
    within = tuple(line for line in lines if _lies_in(_mount_point(line), root))
    _refuse_unheard((*holding[-1:], *within))  # of several mounts on one place, the last is the one that is seen
    return within


def _depth(line: bytes) -> int:
    return len(_mount_point(line))


def _refuse_unheard(lines: Iterable[bytes]) -> None:
    for line in lines:
        kind = line.partition(b" - ")[2].split(b" ")[0]
        if UNHEARD.fullmatch(kind):
            where = limits.shown(_mount_point(line))
            raise GapError(
                GapReason.NOT_WATCHED,
                f"{where} is {kind.decode()}: the kernel does not tell of all that is deleted there.",
            )


def _mount_point(line: bytes) -> bytes:
    escaped = line.split(b" ")[4]
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), escaped)


def _lies_in(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
