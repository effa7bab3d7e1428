"""Whether a root is the folder that the database knows, and how it comes to know it."""

import errno
import os
from collections.abc import Sequence
from enum import StrEnum
from stat import S_ISDIR
from uuid import UUID, uuid4

from auditor import mounts
from auditor.errors import AuditorError, ExitCode
from auditor.marker import (
    MARKER,
    BrokenMarkerError,
    how_to_register,
    how_to_replace,
    read_marker,
    unreadable,
    write_marker,
)
from auditor.models import Root


class MarkerState(StrEnum):
    """What proves a root: its marker, or its device and inode where it has none; UNREGISTERED is one without proof."""

    UNREGISTERED = "unregistered"
    KNOWN = "known"
    GONE = "gone"
    FOREIGN = "foreign"
    EXCHANGED = "exchanged"  # no marker was ever there, and device or inode are others


class Registration(StrEnum):
    """What a registration did."""

    WRITTEN = "written"  # a new marker
    ADOPTED = "adopted"  # the marker that was there, for a root that had none
    UNCHANGED = "unchanged"
    RESTORED = "restored"  # the root's own marker, which was missing
    REPLACED = "replaced"  # the root is known by another marker than before
    UNMARKED = "unmarked"  # the folder cannot be written to: device and inode stand in


def holds_files(root: str, *, besides: str = "") -> bool:
    """Whether there is a file below the root; a directory that cannot be listed counts as one.

    A file of the name `besides`, directly in the root, does not count.
    """
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif folder != root or entry.name != besides:
                        return True
        except OSError:
            return True
    return False


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
        raise unreadable(root, error) from error
    return f"{status.st_dev}:{status.st_ino}"


def check(root: Root) -> MarkerState:
    """Whether the folder at the root's path is the one that the database knows.

    Raises as `read_marker` and `identity` do.
    """
    if root.marker is None:
        if not root.identity:
            return MarkerState.UNREGISTERED
        return MarkerState.KNOWN if identity(root.path) == root.identity else MarkerState.EXCHANGED
    found = read_marker(root.path)
    if found is None:
        return MarkerState.GONE
    return MarkerState.KNOWN if found == root.marker else MarkerState.FOREIGN


STRANGERS = {
    MarkerState.GONE: ("has lost its marker", "an unmounted volume"),
    MarkerState.FOREIGN: ("has the marker of another folder", "a wrong mount"),
    MarkerState.EXCHANGED: ("has another device or inode than the one that is known", "another volume"),
}


def refuse_stranger(root: Root, *, using: str) -> MarkerState:
    """What proves the root; raises AuditorError (refused: root) if it is not the folder that the database knows."""
    state = check(root)
    if state in STRANGERS:
        fault, looks_like = STRANGERS[state]
        is_plain = state is not MarkerState.FOREIGN and holds_files(root.path, besides=MARKER)
        how = (how_to_register if is_plain else how_to_replace)(root.path, using)
        raise AuditorError(
            f"The media root {root.path} {fault}: this is what {looks_like} looks like.",
            hint=f"Mount what belongs there. {how}",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    return state


def register_if_new(root: Root, *, using: str) -> Registration | None:
    """Registers a root that no marker proves, unless it is empty; None if this call has not done it.

    A marker that is there already is adopted: another database may know the folder by it.
    Where none can be written, device and inode stand in; a folder that has others by now is not registered.
    Raises as `read_marker`, `write_marker` and `identity` do.
    """
    if root.marker is not None or check(root) is MarkerState.EXCHANGED:
        return None
    done, marker = Registration.ADOPTED, read_marker(root.path)
    if marker is None and holds_files(root.path, besides=MARKER):
        done, marker = _write_new(root.path)
    if marker is not None:
        return _keep(root, {"marker": marker}, done, using)
    if done is Registration.UNMARKED and not root.identity:
        return _keep(root, {"identity": identity(root.path)}, done, using)
    return None


def note_mounts(root: Root, names: Sequence[str], *, using: str) -> None:
    """Writes down at which relative paths file systems are mounted in the root: one that goes hides its files."""
    known = sorted({*root.mounts, *names})
    if known != root.mounts:
        root.mounts = known
        root.save(using=using, update_fields=["mounts"])


def _keep(root: Root, proof: dict[str, UUID | str], done: Registration, using: str) -> Registration | None:
    known = sorted({*root.mounts, *mounts.mounted_in(root.path).names})
    unproven = Root.objects.using(using).filter(pk=root.pk, marker=None, identity=root.identity)
    is_ours = unproven.update(**proof, mounts=known) == 1
    root.refresh_from_db(using=using, fields=["marker", "identity", "mounts"])
    return done if is_ours else None


def _write_new(root: str) -> tuple[Registration, UUID | None]:
    uid = uuid4()
    try:
        if write_marker(root, uid):
            return Registration.WRITTEN, uid
    except FileExistsError:  # another process was quicker
        return Registration.ADOPTED, read_marker(root)
    return Registration.UNMARKED, None


def register(root: Root, *, using: str, replace: bool = False) -> Registration:
    """Makes the folder at the root's path, as it is now, the one that the database knows: a person has said so.

    File systems that are not mounted inside it any more are forgotten.
    Raises AuditorError (refused: root) if the folder looks like another one, or like an unmounted volume, unless
    it is to replace what is known; and as `read_marker` and `write_marker` do.
    """
    mounted = mounts.mounted_in(root.path).names
    found, is_broken = None, False
    try:
        found = read_marker(root.path)
    except BrokenMarkerError:
        if not replace:
            raise
        is_broken = True
    try:
        done = adopt(root, found, using, replace) if found else _mark(root, using, replace, is_broken)
    except FileExistsError:  # another process was quicker: its marker counts
        return register(root, using=using, replace=replace)
    root.mounts = list(mounted)
    root.identity = identity(root.path) if done is Registration.UNMARKED else ""
    root.save(using=using, update_fields=["marker", "identity", "mounts"])
    return done


def adopt(root: Root, found: UUID, using: str, replace: bool) -> Registration:
    """Makes the marker that was found the root's own, in memory; raises AuditorError if it is a foreign one."""
    known, is_known = root.marker, root.marker is not None
    if found == known:
        return Registration.UNCHANGED
    if is_known and not replace:
        raise AuditorError(
            f"The marker in {root.path} is not the one this database knows: it is {found}, and was {known}.",
            hint=how_to_replace(root.path, using),
            exit_code=ExitCode.REFUSED_ROOT,
        )
    root.marker = found
    return Registration.REPLACED if is_known else Registration.ADOPTED


def _mark(root: Root, using: str, replace: bool, is_broken: bool) -> Registration:
    if not replace and not holds_files(root.path, besides=MARKER):
        raise AuditorError(
            f"There is not a single file in {root.path}: this is what an unmounted volume looks like.",
            hint=how_to_replace(root.path, using),
            exit_code=ExitCode.REFUSED_ROOT,
        )
    known, uid = root.marker, root.marker or uuid4()
    if write_marker(root.path, uid, replace=is_broken):
        root.marker = uid
        return Registration.WRITTEN if known is None else Registration.RESTORED
    if known is not None and not replace:
        raise AuditorError(
            f"The marker in {root.path} is missing, and the folder cannot be written to.",
            hint=f"Run this as the owner of the folder.\n{how_to_replace(root.path, using)}",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    root.marker = None
    return Registration.UNMARKED
