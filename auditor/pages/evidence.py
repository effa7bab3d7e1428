"""Why a run did what it did to each record: what the log had heard of its file by then."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import TypeAlias

from auditor.answers.life import runs_made
from auditor.answers.listing import Page
from auditor.answers.sentences import clock, of_file
from auditor.auditlog import store
from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryMoved,
    RecordDeleted,
    RecordRelinked,
    RecordRestored,
    RunCompleted,
    from_stored,
)
from auditor.auditlog.pruned import pruned_until
from auditor.models import Event
from auditor.orphans.trails import above
from auditor.pages import addresses
from auditor.pages.listing import NAME, SHORT, Cell
from auditor.pages.place import database
from auditor.wording import safe

COLUMNS = ("Position", "Time", "Record", "Name", "Verdict", "Why")
LOOKED_AT = 50  # events of a name
OF_FOLDERS = (DirectoryDeleted.type, DirectoryMoved.type)
UNHEARD = "A look at the disk found no such file; the log had not heard it vanish."
VERDICTS = {RecordDeleted.type: "missing", RecordRelinked.type: "missing, found elsewhere"}

Heard: TypeAlias = Callable[[int, str], list[Event]]  # (root, name) to its newest events


def rows_of(page: Page) -> list[Sequence[Cell]]:
    """What a run wrote, an event a row, with what the log had heard before of each file that was missing."""
    heard = cache(_events_of)  # the names of a page are mostly in the same folders
    until = pruned_until(database())
    unheard = f"{UNHEARD} Older events, up to position {until}, are archived." if until else UNHEARD
    return [_row(event, heard, unheard) for event in page.events]


def _row(event: Event, heard: Heard, unheard: str) -> Sequence[Cell]:
    data = event.data
    record = f"{data['model']}:{data['key']}" if "model" in data and "key" in data else event.type
    return (
        Cell(text=str(event.position), url=addresses.of_one("event", event.position), look=SHORT),
        Cell(text=clock(event.occurred_at), look=SHORT),
        Cell(text=safe(record), look=NAME),
        Cell(text=safe(event.path), look=NAME),
        Cell(text=VERDICTS.get(event.type, "")),
        _why(event, heard, unheard),
    )


def _why(event: Event, heard: Heard, unheard: str) -> Cell:
    if event.type == RunCompleted.type:
        return Cell(text="It reached its end.")
    if event.type == RecordRestored.type:
        return Cell(text=f"Brought back from run {event.data['deleted_by'][:8]}.")
    if event.type not in VERDICTS:
        return Cell(text=_sentence(event))
    gone = _last_gone(event, heard)
    text = f"{clock(gone.occurred_at)}: {_sentence(gone, event.path)}" if gone else unheard
    if event.type == RecordRelinked.type:
        text = f"Pointed at {safe(event.data['to'])}. {text}"
    return Cell(text=text, url=addresses.of_one("event", gone.position) if gone else "")


def _last_gone(event: Event, heard: Heard) -> Event | None:
    """The last thing before an event by which its name had gone from the disk, or a folder above it."""
    if event.root_id is None:
        return None
    itself = [one for one in heard(event.root_id, event.path) if one.type in store.DELETIONS]
    folders = [one for path in above(event.path) for one in heard(event.root_id, path) if one.type in OF_FOLDERS]
    earlier = (one for one in itself + folders if one.position < event.position)
    return max(earlier, key=attrgetter("position"), default=None)


def _events_of(root: int, path: str) -> list[Event]:
    """The newest events of a name, by the index of names alone: by their types, a database may take a longer way."""
    events = Event.objects.using(database()).filter(root=root, path=path)
    return list(events.order_by("-position")[:LOOKED_AT])


def _sentence(event: Event, name: str = "") -> str:
    known = from_stored(store.stored_of(event))
    runs = runs_made({event.run_id} if event.run_id else (), using=database())
    return of_file(known, name or event.path, runs) if known else f"{event.type} is an event of a newer program."
