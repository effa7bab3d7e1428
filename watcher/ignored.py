"""Decides which paths are not listened to, exactly as watchdog's pattern handlers decide it."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from watchdog.utils.backwards_compat import translate  # type: ignore[attr-defined]


def never(_path: bytes) -> bool:
    """Ignores nothing."""
    return False


def matcher(patterns: Sequence[str], root: str) -> Callable[[bytes], bool]:
    """A function that says of a path relative to the root whether one of the patterns matches it.

    As `watchdog.utils.patterns.match_any_paths` does, a pattern must match the whole absolute path, upper and lower
    case are different, and `**` stands for any number of folders. Bytes that are not UTF-8 match as Python shows them.
    """
    if not patterns:
        return never
    # watchdog compiles a pattern for each path that it looks at, or looks it up among those it has compiled.
    matches = re.compile("|".join(_expression(pattern) for pattern in patterns)).match
    above = os.path.join(str(PurePosixPath(root)), "")

    def is_ignored(path: bytes) -> bool:
        return matches(above + os.fsdecode(path)) is not None

    return is_ignored


def _expression(pattern: str) -> str:
    expression: str = translate(str(PurePosixPath(pattern)), recursive=True, include_hidden=True, seps="/")
    return expression
