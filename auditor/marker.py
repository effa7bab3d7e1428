"""The marker file: a UUID in a root's own folder, which tells that folder from any other."""

import errno
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from stat import S_ISREG
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from auditor.errors import AuditorError, ExitCode

MARKER = ".media-root"
NOTE = "# Identifies this media folder to django-media-auditor; see its command register_media_root."
LONGEST_MARKER = 1_024  # bytes
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a named pipe must not hold us up
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
NAMELESS = os.O_WRONLY | getattr(os, "O_TMPFILE", 0) | os.O_CLOEXEC
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class BrokenMarkerError(AuditorError):
    """There is something at the marker's name that is no marker."""

    def __init__(self, root: str, what: str) -> None:
        super().__init__(
            f"{root.rstrip('/')}/{MARKER} is no marker: {what}.",
            hint=how_to_replace(root),
            exit_code=ExitCode.REFUSED_ROOT,
        )


def how_to_register(root: str, using: str = DEFAULT_DB_ALIAS, *, flag: str = "") -> str:
    """What a person runs who means this folder, or place of a storage adapter, which has lost its marker."""
    place = "folder" if root.startswith("/") else "place"
    database = "" if using == DEFAULT_DB_ALIAS else f"--database {using} "
    return f"If this {place} is meant, run: python manage.py register_media_root {database}{flag}{shlex.quote(root)}"


def how_to_replace(root: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """What a person runs who means this folder, whatever its marker says."""
    return how_to_register(root, using, flag="--replace ")


def read_marker(root: str) -> UUID | None:
    """The UUID in the root's marker, or None if the root has no marker.

    Raises AuditorError (refused: root) if the root or its marker cannot be read, BrokenMarkerError if what is
    there is no marker.
    """
    with _opened(root) as folder:
        try:
            marker = os.open(MARKER, READING, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise BrokenMarkerError(root, "it is a symlink") from error
            raise _failed(root, "read", error) from error
    try:
        if not S_ISREG(os.fstat(marker).st_mode):
            raise BrokenMarkerError(root, "it is not a file")
        content = os.read(marker, LONGEST_MARKER + 1)
    except OSError as error:
        raise _failed(root, "read", error) from error
    finally:
        os.close(marker)
    return uuid_in(root, content)


def content_of(uid: UUID) -> bytes:
    """What a marker file holds."""
    return f"{uid}\n{NOTE}\n".encode()


def uuid_in(root: str, content: bytes) -> UUID:
    """The UUID that a marker file holds; raises BrokenMarkerError if it is no marker."""
    line, newline, _ = content.partition(b"\n")
    if newline and len(content) <= LONGEST_MARKER:  # without one, it was cut short
        with suppress(ValueError):
            return UUID(line.decode("ascii"))
    raise BrokenMarkerError(root, "it does not begin with a line that is a UUID")


def write_marker(root: str, uid: UUID, *, replace: bool = False) -> bool:
    """Writes the root's marker durably, readable for all; False if the root cannot be written to.

    Raises FileExistsError if something has the marker's name, unless that is to be replaced, and AuditorError if
    the marker cannot be written for another reason.
    """
    with _opened(root) as folder:
        try:
            if replace:
                with suppress(FileNotFoundError):
                    os.unlink(MARKER, dir_fd=folder)
            _create(folder, content_of(uid))
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno in READ_ONLY:
                return False
            raise _failed(root, "written", error) from error
    return True


def _create(folder: int, content: bytes) -> None:
    try:
        # A file without a name: nobody sees half a marker, and the watcher hears of no other name.
        nameless = os.open(".", NAMELESS, mode=0o644, dir_fd=folder)
    except OSError:  # not every file system can; if the root is read-only, the other way will say so
        file = os.open(MARKER, NEW, mode=0o644, dir_fd=folder)
        try:
            _fill(file, content)
        except OSError:
            os.unlink(MARKER, dir_fd=folder)
            raise
    else:
        _fill(nameless, content, folder)
    with suppress(OSError):  # some file systems cannot: a marker that a power cut takes back is missed loudly
        os.fsync(folder)


def _fill(file: int, content: bytes, folder: int | None = None) -> None:
    """Writes and closes a file, then names it the marker of the folder, if one is given."""
    try:
        with suppress(OSError):  # where all files have the same mode, or none
            os.fchmod(file, 0o644)  # whatever the umask: others have to read it too
        os.write(file, content)
        os.fsync(file)
        if folder is not None:
            os.link(f"/proc/self/fd/{file}", MARKER, dst_dir_fd=folder)
    finally:
        os.close(file)


@contextmanager
def _opened(root: str) -> Iterator[int]:
    try:
        folder = os.open(root, FOLDER)
    except OSError as error:
        raise unreadable(root, error) from error
    try:
        yield folder
    finally:
        os.close(folder)


def unreadable(root: str, error: OSError) -> AuditorError:
    """The error (refused: root) of a root that cannot be read."""
    return AuditorError(
        f"The media root {root} cannot be read: {error.strerror}.",
        hint="This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting.",
        exit_code=ExitCode.REFUSED_ROOT,
    )


def _failed(root: str, done: str, error: OSError) -> AuditorError:
    return AuditorError(
        f"{root}/{MARKER} cannot be {done}: {error.strerror}.",
        hint="Mend its permissions or the disk, and run the command again.",
        exit_code=ExitCode.REFUSED_ROOT,
    )
