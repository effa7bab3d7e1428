"""Lengths of time as people write and read them: '7d', '6 d 23 h'."""

import re

from auditor.errors import AuditorError, ExitCode

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
LENGTH = re.compile(r"([0-9]{1,9})([smhdw])")
SHOWN_UNITS = 2
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def seconds_of(text: str, *, of: str) -> int:
    """The seconds of a length such as '90s', '30m', '12h', '7d' or '2w'; a plain '0' is none at all.

    Raises AuditorError (usage) for anything else; `of` is the option or setting that it was given for.
    """
    if text == "0":
        return 0
    found = LENGTH.fullmatch(text)
    if found is None:
        raise AuditorError(
            f"{of} must be a length of time such as 90s, 30m, 12h, 7d or 2w, not {text!r}.",
            hint="Write a whole number and one unit: s, m (minutes), h, d or w.",
            exit_code=ExitCode.USAGE,
        )
    return int(found[1]) * SECONDS[found[2]]


def in_words(seconds: float) -> str:
    """A length of time for a person, in its two largest units and never rounded up: '6 d 23 h'."""
    left, parts = int(seconds), []
    for unit, size in UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:SHOWN_UNITS]) or "0 s"
