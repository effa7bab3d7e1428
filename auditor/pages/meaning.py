"""What a person means with what is asked for in an address."""

from uuid import UUID

from auditor.errors import AuditorError, ExitCode
from auditor.pages.listing import Given

ANY = "*"  # at the end of a text: names that begin with the rest of it


def text_of(given: Given, name: str) -> str:
    """The text that is asked for, without the spaces around it; raises AuditorError (usage) if no name can have it."""
    text = given.get(name, "").strip()
    if "\0" in text:  # PostgreSQL takes none
        raise AuditorError("No name has a NUL in it.", hint="Leave it out.", exit_code=ExitCode.USAGE)
    return text


def number_of(given: Given, name: str) -> int | None:
    """The whole number that is asked for, or None for none; raises AuditorError (usage) for what is none."""
    text = given.get(name, "")
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= len(str(2**63)) - 1:
        return int(text)
    raise AuditorError(
        f"{text!r} is no position.", hint="Leave it out to see the newest page.", exit_code=ExitCode.USAGE
    )


def run_of(text: str) -> UUID | None:
    """The run that a text names by its whole id; None if it is no such id."""
    try:
        return UUID(text) if len(text) == len(str(UUID(int=0))) else None
    except ValueError:
        return None
