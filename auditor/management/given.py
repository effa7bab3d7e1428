"""Which options a command was given, as a shell would take them again."""

import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

NOT_ASKED = ("help", "version")
OF_THE_SHELL = ("settings", "pythonpath", "verbosity", "traceback", "no_color", "force_color", "skip_checks")
OF_THE_OUTPUT = ("json", "json_into", "log_format")


def given_to(parser: ArgumentParser, options: dict[str, Any]) -> str:
    """The options that are not the parser's defaults, but for those of Django and of the output."""
    return " ".join(_words(parser, options))


def _words(parser: ArgumentParser, options: dict[str, Any]) -> Iterator[str]:
    for action in parser._actions:
        value = options.get(action.dest, action.default)
        if action.dest in (*NOT_ASKED, *OF_THE_SHELL, *OF_THE_OUTPUT) or value == action.default:
            continue
        flag, values = action.option_strings[:1], value if isinstance(value, list) else [value]
        words = [] if action.nargs == 0 else [shlex.quote(str(one)) for one in values]
        if action.nargs is None:  # one value to a flag
            yield from (part for word in words for part in (*flag, word))
        else:
            yield from (*flag, *words)
