"""The trash: where a clean-up of unused files moves them, in the root or the file system that they are in.

A file goes to `.media-trash/<run>/<its own path>`, by a rename; nothing in there is a media file.
"""

from uuid import UUID

TRASH = ".media-trash"


def run_of(path: bytes) -> UUID | None:
    """The run that has put a path into the trash, or None if the path is not in one."""
    if TRASH.encode() not in path:
        return None
    parts = path.split(b"/")
    for at, part in enumerate(parts[:-2]):
        if part == TRASH.encode():
            try:
                return UUID(parts[at + 1].decode())
            except ValueError:  # not ours, whoever has put it there
                return None
    return None


def is_in_trash(path: bytes) -> bool:
    """Whether a path is a trash, or lies in one."""
    return TRASH.encode() in path and TRASH.encode() in path.split(b"/")
