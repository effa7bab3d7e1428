"""What the pages are made of, as plain values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlencode

from auditor.errors import AuditorError

ROWS = 50  # to a page
NAME = "name"  # the look of what may be long, and have no space at which a line could end
SHORT = "short"  # of what stays on one line

Given: TypeAlias = Mapping[str, str]  # what the address of the page asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A text in a table, and where it leads to; its `look` is that of a sentence unless it is a name or short."""

    text: str
    url: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that a person may ask for; with options, as (value, label), it is chosen among these."""

    name: str
    label: str
    value: str = ""
    help: str = ""
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rows of one page; `following` is what to ask for beside the rest to see the next one."""

    rows: Sequence[Sequence[Cell]] = ()
    following: Given = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is said of one row; a text that is verbatim keeps its lines and spaces."""

    name: str
    text: str
    url: str = ""
    is_verbatim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The pages of a kind of rows: the list of all, and the page of one.

    `asked` gives what can be asked for, with what is asked for now, and `find` the rows; it raises AuditorError
    (usage) for what can mean nothing. `empty` stands where there is no row.
    `one` gives what the template of the page of one row shows.
    """

    columns: Sequence[str]
    empty: str
    find: Callable[[Given], Found]
    one: Callable[[Any, Given], dict[str, Any]]
    asked: Callable[[Given], Sequence[Asked]] = lambda _: ()
    template: str = "auditor/one.html"


def listed(
    find: Callable[[Given], Found], given: Given, *, columns: Sequence[str], empty: str, asked: Sequence[Asked] = ()
) -> dict[str, Any]:
    """What the template of a list shows; a fault in what is asked for stands in the place of the rows."""
    try:
        found, fault = find(given), None
    except AuditorError as error:
        found, fault = Found(), error
    chosen = {one.name: one.value for one in asked if one.value}
    return {
        "asked": asked,
        "columns": columns,
        "empty": empty,
        "found": found,
        "fault": fault,
        "newest": f"?{urlencode(chosen)}" if "before" in given else "",
        "older": f"?{urlencode(chosen | dict(found.following))}" if found.following else "",
    }
