"""Whether a root is the folder that the database knows, and how it comes to know it."""

import os
from enum import StrEnum
from uuid import UUID, uuid4

from auditor import mounts
from auditor.errors import AuditorError, ExitCode
from auditor.marker import MARKER, BrokenMarkerError, how_to_replace, read_marker, write_marker
from auditor.models import Root


class MarkerState(StrEnum):
    """What a root's marker says of it; UNREGISTERED is a root that no marker proves."""

    UNREGISTERED = "unregistered"
    KNOWN = "known"
    GONE = "gone"
    FOREIGN = "foreign"


class Registration(StrEnum):
    """What a registration did."""

    WRITTEN = "written"  # a new marker
    ADOPTED = "adopted"  # the marker that was there, for a root that had none
    UNCHANGED = "unchanged"
    RESTORED = "restored"  # the root's own marker, which was missing
    REPLACED = "replaced"  # the root is known by another marker than before
    UNMARKED = "unmarked"  # the folder cannot be written to: device and inode stand in


def holds_files(root: str) -> bool:
    """Whether there is a file below the root, its marker aside; a directory that cannot be listed counts as one."""
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif folder != root or entry.name != MARKER:
                        return True
        except OSError:
            return True
    return False


def check(root: Root) -> MarkerState:
    """Whether the folder at the root's path is the one that the database knows; raises as `read_marker` does."""
    if root.marker is None:
        return MarkerState.UNREGISTERED
    found = read_marker(root.path)
    if found is None:
        return MarkerState.GONE
    return MarkerState.KNOWN if found == root.marker else MarkerState.FOREIGN


def register_if_new(root: Root, *, using: str) -> Registration | None:
    """Registers a root that no marker proves, unless it is empty or read-only; None if this call has not done it.

    A marker that is there already is adopted: another database may know the folder by it.
    Raises as `read_marker` and `write_marker` do.
    """
    if root.marker is not None:
        return None
    done, marker = Registration.ADOPTED, read_marker(root.path)
    if marker is None and holds_files(root.path):
        done, marker = _write_new(root.path)
    if marker is None:
        return None
    is_ours = Root.objects.using(using).filter(pk=root.pk, marker=None).update(marker=marker) == 1
    root.refresh_from_db(using=using, fields=["marker"])
    return done if is_ours else None


def _write_new(root: str) -> tuple[Registration, UUID | None]:
    uid = uuid4()
    try:
        return Registration.WRITTEN, uid if write_marker(root, uid) else None
    except FileExistsError:  # another process was quicker
        return Registration.ADOPTED, read_marker(root)


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
        done = _adopt(root, found, using, replace) if found else _mark(root, using, replace, is_broken)
    except FileExistsError:  # another process was quicker: its marker counts
        return register(root, using=using, replace=replace)
    root.mounts = list(mounted)
    root.save(using=using, update_fields=["marker", "mounts"])
    return done


def _adopt(root: Root, found: UUID, using: str, replace: bool) -> Registration:
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
    if not replace and not holds_files(root.path):
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
