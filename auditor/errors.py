"""What can go wrong, in words a person can act on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells its shell; a code not listed here is to be read as failure."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    ORPHANS_FOUND = 3
    UNKNOWN_NAMES = 4
    REFUSED_ROOT = 5
    REFUSED_LIMIT = 6
    REFUSED_LOCKED = 7
    VERIFICATION_FAILED = 8
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def first_line(error: BaseException) -> str:
    """The first line of an error's text; drivers put a guess on the next."""
    return str(error).strip().partition("\n")[0]


class AuditorError(Exception):
    """An end that was foreseen: what happened, one thing to do about it, and the exit code that says so."""

    def __init__(self, message: str, *, hint: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"
