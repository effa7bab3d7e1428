"""Lists events, the newest first, however long the log is: by an index, or by a walk that ends and says where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, ExpressionWrapper, F, QuerySet

from auditor.answers.positions import first_recorded_since
from auditor.auditlog import store
from auditor.models import Event

FEW = 10_000  # events in a root or below a prefix: so many are sorted
WINDOW = 200_000  # positions to a query of a walk
WALKED = 2_000_000  # positions: a walk ends after so many
LAST_CHARACTER = chr(0x10FFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which events are asked for; what is empty or None is not asked.

    `roots` are those in which a name or a prefix is looked for. Times are those of recording.
    """

    limit: int
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    kind: str = ""
    name: str = ""
    prefix: str = ""
    run: UUID | None = None
    roots: Sequence[int] = ()


@dataclass(slots=True, kw_only=True)
class Page:
    """Events, the newest first; `stopped_at` is the position at which a walk ended without having seen all."""

    events: list[Event] = field(default_factory=list)
    is_full: bool = False
    stopped_at: int | None = None

    @property
    def next_before(self) -> int | None:
        """Where the next page begins; None if there is none."""
        return self.events[-1].position if self.is_full and self.events else self.stopped_at


def list_events(wish: Wish, *, using: str) -> Page:
    """The newest events that fit the wish."""
    first, end = _bounds(wish, using)
    events = Event.objects.using(using).filter(position__gte=first, position__lt=end)
    if wish.kind:
        events = events.filter(type=wish.kind)
    if wish.run or wish.name:
        found = _by_index(events, wish)
    elif wish.roots:
        few = _few_below(wish, first, end, using)
        if few is None:
            return _walk(events, wish, first, end)
        found = [row for part in store.chunks(few, store.CHUNK) for row in events.filter(position__in=part)]
    else:
        found = list(events.order_by("-position")[: wish.limit + 1])
    found.sort(key=lambda row: -row.position)
    return Page(events=found[: wish.limit], is_full=len(found) > wish.limit)


def _bounds(wish: Wish, using: str) -> tuple[int, int]:
    """The first position that may be listed, and the one behind the last."""
    first = first_recorded_since(wish.since, using=using) if wish.since else 1
    end = first_recorded_since(wish.until, using=using) if wish.until else store.head_position(using) + 1
    return first, end if wish.before is None else min(end, wish.before)


def _by_index(events: "QuerySet[Event]", wish: Wish) -> list[Event]:
    """The events of a run, or of a name in each root: few, or read in the order of an index."""
    newest = events.order_by("-position")
    if wish.run:
        of_run = newest.filter(run_id=wish.run)
        return list((of_run.filter(path=wish.name) if wish.name else of_run)[: wish.limit + 1])
    return [row for root in wish.roots for row in newest.filter(root=root, path=wish.name)[: wish.limit + 1]]


def _few_below(wish: Wish, first: int, end: int, using: str) -> list[int] | None:
    """The positions of all events in the roots and below the prefix, in order; None if they are too many to sort."""
    found: list[int] = []
    for root in wish.roots:
        below = Event.objects.using(using).filter(root=root, **_beginning(wish.prefix))
        found += below.order_by("root", "path", "position").values_list("position", flat=True)[: FEW + 1]
        if len(found) > FEW:
            return None
    return sorted(at for at in found if first <= at < end)


def _walk(events: "QuerySet[Event]", wish: Wish, first: int, end: int) -> Page:
    """Goes back from the end, `WINDOW` positions at a time, until enough is found or `WALKED` were passed."""
    # By its plain column, a database may go through all events that the root ever had.
    of_root = ExpressionWrapper(F("root_id") + 0, output_field=BigIntegerField())
    rows = events.alias(of_root=of_root).filter(of_root__in=wish.roots)
    rows = rows.filter(**_beginning(wish.prefix))
    found: list[Event] = []
    for until in range(end, max(first, end - WALKED), -WINDOW):
        window = rows.filter(position__gte=until - WINDOW, position__lt=until).order_by("-position")
        found += window[: wish.limit + 1 - len(found)]
        if len(found) > wish.limit:
            return Page(events=found[: wish.limit], is_full=True)
    return Page(events=found, stopped_at=end - WALKED if end - WALKED > first else None)


def _beginning(prefix: str) -> dict[str, Any]:
    """The condition that a path begins so, as a range of the index: paths are compared byte by byte."""
    return {"path__gte": prefix, "path__lt": f"{prefix}{LAST_CHARACTER}"} if prefix else {}


def follow(after: int, *, using: str, limit: int = 1_000) -> Iterator[Event]:
    """The events after a position that are there now, in order: positions have no holes, so none is passed over."""
    rows = Event.objects.using(using).order_by("position")
    while found := list(rows.filter(position__gt=after)[:limit]):
        yield from found
        after = found[-1].position
