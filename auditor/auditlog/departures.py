"""Follows a file by its events: how it left a name, and where it was taken to.

The events of a name are those with its own path, those of the directories above it, and the moves that end at it,
each with its position, in order.
An upload is no event, unless its name was known to be missing; so a name is taken to be there at first, and again
where nothing would have been written of its return.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
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
)

Placed: TypeAlias = tuple[int, Event]
TYPES = (FileCreated, FileDeleted, FileFound, FileMoved, DirectoryDeleted, DirectoryFound, DirectoryMoved)


@dataclass(frozen=True, slots=True)
class Departure:
    """A file left its name, by the event at a position; `to` is its new name, empty if it has none that is known."""

    position: int
    at: datetime
    to: str = ""


class State(Enum):
    """What the log knows of a name."""

    PRESENT = auto()
    MISSING = auto()  # a return would be in the log
    UNSURE = auto()  # a directory took it along: a return would not be in the log


def last_departure(name: str, events: Iterable[Placed]) -> Departure | None:
    """How the file that had the name last has left it; None if it has not, as far as is known."""
    trail = Trail(name)
    for position, event in events:
        trail.add(position, event)
    return None if trail.state is State.PRESENT else trail.last


def next_departure(name: str, came: Departure, events: Iterable[Placed]) -> Departure | None:
    """How a file that came to the name left it again; None if it is still there, as far as is known."""
    for position, event in events:
        # What a census has not found may have come while it was still to write that down.
        if position <= came.position or (is_of_census(event) and event.occurred_at < came.at):
            continue
        match event:
            case FileMoved() if event.path == name:
                return Departure(position, event.occurred_at, event.to)
            case DirectoryMoved():
                return Departure(position, event.occurred_at, event.to + name[len(event.path) :])
            case FileMoved() | FileDeleted() | DirectoryDeleted():  # replaced by another one, or gone
                return Departure(position, event.occurred_at)
    return None


def is_of_census(event: Event) -> bool:
    """Whether nobody heard it: a look has not found a file, and nobody knows when it went."""
    return isinstance(event, FileDeleted) and event.cause == "census"


@dataclass(slots=True)
class Trail:
    """What is known of a name after the events that were added.

    `taken_with` is the directory that took it along last, `missed_at` when a census was the first to miss it.
    """

    name: str
    state: State = State.PRESENT
    last: Departure | None = None
    taken_with: str = ""
    missed_at: datetime | None = None

    def add(self, position: int, event: Event) -> None:
        """Takes the next event into account."""
        match event:
            case DirectoryMoved():
                self._go_along(position, event, event.to + self.name[len(event.path) :])
            case DirectoryDeleted():
                self._go_along(position, event, "")
            case FileMoved() if event.to != self.name:
                self._leave(Departure(position, event.occurred_at, event.to))
            case FileDeleted() if not is_of_census(event):
                self._leave(Departure(position, event.occurred_at))
            case FileDeleted():
                self._miss(position, event)
            case _ if self._is_return(event):
                self.state = State.PRESENT

    def _is_return(self, event: Event) -> bool:
        match event:
            case FileFound():
                return self.last is None or self.last.position <= event.as_of
            case DirectoryFound():
                # A census names what is missing in a directory before it says that the directory is there.
                return self.state is State.UNSURE and event.path == self.taken_with
        return isinstance(event, FileCreated | FileMoved)

    def _leave(self, departure: Departure) -> None:
        self.state, self.last, self.missed_at = State.MISSING, departure, None

    def _miss(self, position: int, event: FileDeleted) -> None:
        """News only of a name that was there, else an echo of how it left."""
        if self.state is State.PRESENT:
            self.last, self.missed_at = Departure(position, event.occurred_at), event.occurred_at
        self.state = State.MISSING

    def _go_along(self, position: int, event: DirectoryMoved | DirectoryDeleted, to: str) -> None:
        # What a census has missed may have gone with a directory of which the word came only later.
        was_there = self.state is State.PRESENT or (self.missed_at is not None and event.occurred_at <= self.missed_at)
        # Only an empty directory can be removed: what had been in it left before, and by another event.
        is_empty = isinstance(event, DirectoryDeleted) and event.cause == "removed"
        if was_there or (self.state is State.UNSURE and not is_empty):
            self.last, self.missed_at = Departure(position, event.occurred_at, to if was_there else ""), None
        self.state, self.taken_with = State.UNSURE, event.path
