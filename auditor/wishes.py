"""What a person can wish of a run, in the words of its flags."""

from enum import StrEnum


class RelinkWanted(StrEnum):
    """Which records are to be pointed at the new names of their files."""

    NOTHING = "nothing"
    SEEN = "seen"  # where the audit log saw the move
    PROPOSED = "proposed"  # also where a file was only found


class OnProtected(StrEnum):
    """What becomes of a run that meets a record which another one, or the database, forbids to delete."""

    SKIP = "skip"  # it stays, and the others go
    ABORT = "abort"  # nothing is deleted
