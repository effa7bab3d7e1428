"""Moves files between their own places and the trash, by rename, and never over another file."""

import os
from contextlib import suppress
from errno import ELOOP, EXDEV
from stat import S_IMODE
from uuid import UUID

from auditor.errors import AuditorError, ExitCode
from auditor.orphans.disk import judge_error
from auditor.trash import TRASH
from auditor.usage.bins import Binned, is_file
from auditor.usage.identity import content_of, identity

CHANGED = "it has changed since it was listed"
GONE = "it is gone"
IN_THE_WAY = "another file has its place"
THROUGH_LINK = "a symlink leads to its folder now"


def make_trash(top: bytes, run: UUID) -> None:
    """Makes the folder of a run in a trash; raises AuditorError (refused: root) where that is not possible."""
    trash = os.path.join(top, TRASH.encode())
    try:
        if os.path.islink(trash):
            raise OSError(ELOOP, "it is a symlink")
        _make_folder(os.path.join(trash, str(run).encode()), top, top)
        if os.stat(trash).st_dev != os.stat(top).st_dev:
            raise OSError(EXDEV, "it is on another file system than the files")
    except OSError as error:
        raise AuditorError(
            f"The trash {os.fsdecode(trash)} cannot be used: {error.strerror}. Nothing was moved.",
            hint="It must be a folder of the media folder's own that this user may write to, or not be there.",
            exit_code=ExitCode.REFUSED_ROOT,
        ) from error


def make_place(one: Binned) -> None:
    """Makes the folder in the trash for a file, if that is possible: else its move says why not."""
    with suppress(OSError):
        if _is_direct(one.path) and _is_direct(one.place):
            _make_folder(os.path.dirname(one.place), os.path.dirname(one.path), one.top)


def into_trash(one: Binned, seen: bytes) -> str:
    """Moves a file into the trash if it is still the one that was seen; gives back why not, or nothing."""
    try:
        if identity(os.lstat(one.path)) != seen:
            return CHANGED
        if not _is_direct(one.path) or not _is_direct(one.place):
            return THROUGH_LINK
        _make_folder(os.path.dirname(one.place), os.path.dirname(one.path), one.top)
        if os.path.lexists(one.place):
            return IN_THE_WAY
        os.rename(one.path, one.place)
        # An upload may have taken the name between the look and the rename, which alone changes the inode's time.
        if content_of(identity(os.lstat(one.place))) != content_of(seen) and not out_of_trash(one):
            return CHANGED
    except OSError as error:
        return judge_error(error).reason or GONE
    return ""


def out_of_trash(one: Binned) -> str:
    """Moves a file back to its own place, if nothing is there; gives back why not, or nothing."""
    try:
        if not is_file(one.place):
            return GONE
        if not _is_direct(one.place) or not _is_direct(one.path):
            return THROUGH_LINK
        _make_folder(os.path.dirname(one.path), os.path.dirname(one.place), one.top)
        if os.path.lexists(one.path):
            if not os.path.samefile(one.path, one.place):
                return IN_THE_WAY
            os.unlink(one.place)  # a killed run has come so far
            return ""
        return _renamed(one)
    except FileExistsError:  # a file is where its folder was
        return IN_THE_WAY
    except OSError as error:
        return judge_error(error).reason or GONE


def _renamed(one: Binned) -> str:
    try:
        os.link(one.place, one.path, follow_symlinks=False)  # unlike a rename, it fails if something is there
    except FileExistsError:
        return IN_THE_WAY
    except OSError:  # not every file system has links, and not everybody may make one
        _rename_to_free_name(one.place, one.path)
    else:
        os.unlink(one.place)
    return ""


def _rename_to_free_name(source: bytes, target: bytes) -> None:
    """Takes the name as an upload would take it; raises FileExistsError if one has been quicker."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        os.rename(source, target)
    except OSError:
        os.unlink(target)
        raise


def _make_folder(folder: bytes, like: bytes, top: bytes) -> None:
    """Makes the folders that are missing, each open to those to whom its counterpart is, and to nobody else."""
    absent = []
    while not os.path.isdir(folder):
        absent.append((folder, os.stat(like)))
        folder, like = os.path.dirname(folder), like if like == top else os.path.dirname(like)
    for path, status in reversed(absent):
        os.mkdir(path, 0o700)
        with suppress(OSError):  # only root may
            os.chown(path, status.st_uid, status.st_gid)
        with suppress(OSError):  # not every file system has modes
            os.chmod(path, S_IMODE(status.st_mode))


def remove(one: Binned) -> str:
    """Removes a file from the trash for good; gives back why not, or nothing."""
    try:
        if not _is_direct(one.place):
            return THROUGH_LINK
        os.unlink(one.place)
    except OSError as error:
        return judge_error(error).reason or GONE
    return ""


def _is_direct(path: bytes) -> bool:
    """Whether the way to a path's folder leads through no symlink."""
    folder = os.path.dirname(path)
    return os.path.realpath(folder) == folder
