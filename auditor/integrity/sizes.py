"""A number of bytes as people write it: '50MB'."""

import re

from auditor.errors import AuditorError, ExitCode

UNITS = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
FORM = re.compile(r"([0-9]{1,12})\s*([kKMG]?B?)")


def bytes_of(text: str, *, of: str) -> int:
    """The bytes of a size such as '500kB', '50MB' or '1GB'; raises AuditorError (usage) for anything else, and for 0.

    `of` is the option that it was given for.
    """
    found = FORM.fullmatch(text.strip())
    number = int(found[1]) * UNITS.get(f"{found[2].upper().removesuffix('B')}B", 0) if found else 0
    if number < 1:
        raise AuditorError(
            f"{of} must be a number of bytes such as 500kB, 50MB or 1GB, not {text!r}.",
            hint="Write a whole number and one unit: kB, MB or GB.",
            exit_code=ExitCode.USAGE,
        )
    return number
