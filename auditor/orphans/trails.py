"""Reads from the audit log where the files of many names went, a few hundred names to a query."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from auditor import models
from auditor.auditlog.departures import TYPES, Departure, Placed, last_departure, next_departure
from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    FileMoved,
    StoredEvent,
    from_stored,
)
from auditor.auditlog.store import CHUNK, chunks

MOST_HOPS = 100  # a file that moved on more often is given up
READ_AT_ONCE = 5_000  # moves
MOVES = (FileMoved.type, DirectoryMoved.type)
COLUMNS = ("type", "version", "path", "occurred_at", "run_id", "data")


@dataclass(frozen=True, slots=True)
class Stay:
    """A name that a file has had, since it left another one, and how it left this one, as far as is known."""

    name: str
    came: Departure
    left: Departure | None = None


@dataclass(slots=True)
class Trails:
    """What the log has to say of the names in one root, whose key is `root`."""

    root: int
    using: str
    _loaded: set[str] = field(default_factory=set)
    _events: dict[str, list[Placed]] = field(default_factory=dict)
    _arrivals: dict[str, list[Placed]] = field(default_factory=dict)

    def follow(self, names: Collection[str]) -> dict[str, list[Stay]]:
        """{name: the names that its file has had since, in order}, for those whose file was seen moving.

        The last one was left only where the file was seen vanishing from there.
        """
        moved = self._moved(names)
        stays = {name: [Stay(left.to, left)] for name, left in self._departures(moved) if left.to}
        moving = list(stays.values())
        for _ in range(MOST_HOPS if moving else 0):
            self._load(some[-1].name for some in moving)
            moving = [some for some in moving if self._moves_on(some)]
        for some in moving:
            some[-1] = replace(some[-1], left=replace(some[-1].came, to=""))
        if stays:
            self._end_replaced(list(stays.values()))
        return stays

    def _moved(self, names: Collection[str]) -> list[str]:
        """Those of the names from which a file was seen moving, or from which a directory above did: mostly none."""
        moves = models.Event.objects.using(self.using).filter(root_id=self.root, type__in=MOVES)
        paths = set(moves.values_list("path", flat=True))
        return [name for name in names if not paths.isdisjoint((name, *above(name)))] if paths else []

    def _departures(self, names: Collection[str]) -> Iterator[tuple[str, Departure]]:
        self._load(names)
        self._find_arrivals({name for name in names if self._may_have_returned(name)}, after=0)
        for name in names:
            left = last_departure(name, self._of(name))
            if left is not None:
                yield name, left

    def _may_have_returned(self, name: str) -> bool:
        """Whether it matters if a file was moved to the name after it was left: a directory took it along later."""
        own = self._events.get(name)
        return own is not None and any(at > own[0][0] for path in above(name) for at, _ in self._events.get(path, ()))

    def _moves_on(self, stays: list[Stay]) -> bool:
        last = stays[-1]
        left = next_departure(last.name, last.came, self._of(last.name))
        if left is not None:
            stays[-1] = replace(last, left=left)
            if left.to:
                stays.append(Stay(left.to, left))
                return True
        return False

    def _end_replaced(self, trails: list[list[Stay]]) -> None:
        """Ends a trail where another file was moved to the name that the file had."""
        names = {stay.name for stays in trails for stay in stays}
        self._find_arrivals(names, after=min(stays[0].came.position for stays in trails))
        for stays in trails:
            for at, stay in enumerate(stays):
                left = next_departure(stay.name, stay.came, self._of(stay.name))
                if left is not None and (stay.left is None or left.position < stay.left.position):
                    stays[at:] = [replace(stay, left=left)]
                    break

    def _of(self, name: str) -> list[Placed]:
        """The events of a name, in order."""
        events = [*self._events.get(name, ()), *self._arrivals.get(name, ())]
        for path in above(name):
            events += (placed for placed in self._events.get(path, ()) if is_of_directory(placed))
        events.sort(key=itemgetter(0))
        return events

    def _load(self, names: Iterable[str]) -> None:
        paths = {path for name in names for path in (name, *above(name))} - self._loaded
        types = [one.type for one in TYPES]
        rows = models.Event.objects.using(self.using).filter(root_id=self.root, type__in=types)
        for some in chunks(paths, CHUNK):
            columns = rows.filter(path__in=some).order_by("position").values_list("position", *COLUMNS)
            for position, *values in columns:
                event = from_stored(StoredEvent(root=self.root, **dict(zip(COLUMNS, values, strict=True))))
                if event is not None and event.path_bytes is None:  # else its path is not the whole name
                    self._events.setdefault(event.path, []).append((position, event))
        self._loaded |= paths

    def _find_arrivals(self, names: Collection[str], *, after: int) -> None:
        """Reads the moves that ended at one of the names: a pass over all later moves, as no index has their ends."""
        wanted = set(names) - self._arrivals.keys()
        if not wanted:
            return
        self._arrivals |= {name: [] for name in wanted}
        while rows := self._moves(after):
            for position, path, occurred_at, data in rows:
                if (to := data["to"]) in wanted:
                    event = FileMoved(root=self.root, path=path, occurred_at=occurred_at, to=to)
                    self._arrivals[to].append((position, event))
            after = rows[-1][0]

    def _moves(self, after: int) -> list[tuple[Any, ...]]:
        moves = models.Event.objects.using(self.using).filter(root_id=self.root, type=FileMoved.type)
        rows = moves.filter(position__gt=after).order_by("position")
        return list(rows.values_list("position", "path", "occurred_at", "data")[:READ_AT_ONCE])


def above(name: str) -> Iterator[str]:
    """The directories above a name, the nearest first."""
    cut = name.rfind("/")
    while cut > 0:
        yield name[:cut]
        cut = name.rfind("/", 0, cut)


def is_of_directory(placed: Placed) -> bool:
    """Whether an event goes for all that is below its path."""
    return isinstance(placed[1], DirectoryDeleted | DirectoryMoved | DirectoryFound)
