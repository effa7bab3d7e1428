"""The files by which a source proves that it hears: each is made and removed at once, in a folder that is watched.

They are not made in the root, which may be read-only: the kernel keeps the order between all that one descriptor
watches.
"""

import os

from auditor.auditlog.coverage import GapReason
from watcher.notices import GapError


def prepare(folder: bytes) -> None:
    """Makes the folder, for this user alone, and removes what is left in it; raises GapError if that fails."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
    except OSError as error:
        raise GapError(GapReason.NOT_WATCHED, f"No folder for calls can be made: {error}.") from error


def make_call(folder: bytes, token: str) -> None:
    """Makes the file of a token and removes it; raises OSError."""
    path = os.path.join(folder, os.fsencode(token))
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, mode=0o600))
    os.unlink(path)
