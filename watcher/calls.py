"""The files by which a source proves that it hears: each is made and removed at once, in a folder that is watched.

They are not made in the root, which may be read-only: the kernel keeps the order between all that one descriptor
watches.
"""

import os

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.notices import GapError


def no_call(path: bytes, error: OSError) -> GapError:
    """What it means that no proof can be begun."""
    what = f"{limits.shown(path)} cannot be made: {error.strerror}."
    return GapError(GapReason.SPOOL_FAILED, f"{what} AUDITOR_STATE_DIR must name a folder that can be written.")


def prepare(folder: bytes) -> None:
    """Makes the folder, for this user alone, and removes what is left in it; raises GapError if that fails."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
    except OSError as error:
        raise no_call(folder, error) from error


def make_call(folder: bytes, token: str) -> None:
    """Makes the file of a token and removes it; raises OSError."""
    path = os.path.join(folder, os.fsencode(token))
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, mode=0o600))
    os.unlink(path)
