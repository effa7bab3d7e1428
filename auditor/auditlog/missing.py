"""Folds events into the set of missing names.

The set may hold a name that is there: a look at the disk drops it again.
It must never lack a referenced name that is gone.
So only what was seen on disk takes a name out, and a new directory takes out nothing of what was below the old one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileFound,
    FileMoved,
    is_too_long,
)

MissingName: TypeAlias = tuple[int, str, bool]  # root, path, is it a directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Since which position a name is gone, and where it went if that was seen."""

    position: int
    moved_to: str = ""


@dataclass(slots=True)
class Changes:
    """What a run of events does to a missing set, to be applied in the order of the attributes.

    `swept`: directories whose inside is dropped, as the directory itself now stands for it: [(root, path), …].
    `back`: names that are there again, with the position up to which that is known: {name: position}.
    `gone`: names that are missing: {name: Missing}.
    """

    swept: list[tuple[int, str]] = field(default_factory=list)
    back: dict[MissingName, int] = field(default_factory=dict)
    gone: dict[MissingName, Missing] = field(default_factory=dict)


def fold(events: Iterable[tuple[int, Event]]) -> Changes:
    """The changes that events make to a missing set; `events` are (position, event) in order."""
    changes = Changes()
    for position, event in events:
        # No record can hold a name that is not UTF-8; one that is too long for the set is looked at every time.
        if event.root is None or event.path_bytes is not None or is_too_long(event.path):
            continue
        _fold_one(changes, position, event, event.root)
    return changes


def known_there(events: Iterable[Event]) -> dict[int, set[str]]:
    """{root: names of files} that were there, at some time since the last events, for these to have happened."""
    found: dict[int, set[str]] = {}
    for event in events:
        if event.root is None or event.path_bytes is not None:
            continue
        match event:
            case FileDeleted(cause="census"):
                continue  # nobody saw it vanish: it may have been missing all along
            case FileMoved():
                found.setdefault(event.root, set()).update((event.path, event.to))
            case FileDeleted() | FileCreated() | FileFound():
                found.setdefault(event.root, set()).add(event.path)
    return found


def _fold_one(changes: Changes, position: int, event: Event, root: int) -> None:
    match event:
        case FileDeleted():
            changes.gone[root, event.path, False] = Missing(position=position)
        case FileMoved():
            changes.gone[root, event.path, False] = Missing(position=position, moved_to=event.to)
            _take_out(changes, (root, event.to, False), position)
        case FileCreated():
            _take_out(changes, (root, event.path, False), position)
        case FileFound():
            _take_out(changes, (root, event.path, False), event.as_of)
        case DirectoryFound():
            _take_out(changes, (root, event.path, True), event.as_of)
        case DirectoryDeleted():
            _sweep(changes, root, event.path)
            changes.gone[root, event.path, True] = Missing(position=position)
        case DirectoryMoved():
            _sweep(changes, root, event.path)
            changes.gone[root, event.path, True] = Missing(position=position, moved_to=event.to)


def _take_out(changes: Changes, name: MissingName, known_until: int) -> None:
    missing = changes.gone.get(name)
    if missing is not None and missing.position > known_until:
        return  # it vanished again after it was seen
    changes.gone.pop(name, None)
    changes.back[name] = max(known_until, changes.back.get(name, 0))


def _sweep(changes: Changes, root: int, directory: str) -> None:
    below = f"{directory}/"
    inside = [name for name in changes.gone if name[0] == root and name[1].startswith(below)]
    for name in inside:
        del changes.gone[name]
    changes.swept.append((root, directory))
