"""Lines of the JSON log, of every kind and with anything in them."""

import json
from io import StringIO
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from auditor import catalogue, jsonlog
from auditor.catalogue import LogLine

KINDS = [kind for event, kind in sorted(catalogue.LINES.items()) if event]
RUN_ID = UUID("00000000-0000-4000-8000-000000000001")

# All of Unicode, halves of characters too: os.fsdecode() makes them of bytes that are not UTF-8.
texts = st.text(st.characters(exclude_categories=()), max_size=60)
numbers = st.integers(0, 2**53 - 1)


def names(hint: Any) -> Any:
    """A strategy for the values of one field."""
    if isinstance(hint, UnionType):
        return st.one_of(*(names(part) for part in get_args(hint)))
    if get_origin(hint) is list:
        return st.lists(texts, max_size=5)
    if get_origin(hint) is dict:
        return st.dictionaries(texts, numbers, max_size=5)
    return {str: texts, int: numbers, bool: st.booleans(), type(None): st.none()}[hint]


def lines(kind: type[LogLine]) -> st.SearchStrategy[LogLine]:
    """Any line of a kind."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: names(hints[name]) for name in kind.defaults})


def largest(kind: type[LogLine], text: str) -> LogLine:
    """A line of a kind in which every text is this one, and everything that may be long is very long."""
    hints = get_type_hints(kind)
    return kind(**{name: _largest(hints[name], text) for name in kind.defaults})


def _largest(hint: Any, text: str) -> Any:
    if isinstance(hint, UnionType):
        return _largest(get_args(hint)[0], text)
    if get_origin(hint) is list:
        return [f"{number}{text}" for number in range(25)]
    if get_origin(hint) is dict:
        return {f"{number}{text}": 2**53 - 1 for number in range(25)}
    return {str: text, int: 2**53 - 1, bool: True}[hint]


def written(line: LogLine) -> str:
    """The line as it stands in a JSON stream, with its newline."""
    stream = StringIO()
    log = jsonlog.JsonLog(RUN_ID)
    log.add_json(stream)
    log.emit(line)
    return stream.getvalue()


def read(line: LogLine) -> dict[str, Any]:
    """The line as a reader of the JSON gets it, without what is the same in all."""
    values = json.loads(written(line))
    return {name: values[name] for name in values if name not in jsonlog.ENVELOPE_ORDER}
