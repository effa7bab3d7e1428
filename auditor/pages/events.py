"""Events: the list of all, the newest first, and what the page of one says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from auditor.answers import asking
from auditor.answers.listing import Wish, list_events
from auditor.answers.rows import about
from auditor.answers.sentences import clock
from auditor.auditlog import store
from auditor.auditlog.events import REGISTRY
from auditor.errors import AuditorError, ExitCode
from auditor.models import Batch, Event, Root, Run
from auditor.pages import addresses
from auditor.pages.listing import NAME, ROWS, SHORT, Asked, Cell, Fact, Found, Given, Kind
from auditor.pages.meaning import ANY, number_of, run_of, text_of
from auditor.pages.place import database
from auditor.wording import safe

COLUMNS = ("Position", "Time", "Type", "Name", "What it says")
SEARCH_HELP = (
    "photos/a.jpg finds this name, photos/* all names that begin so, and the whole id of a run what that run wrote."
)
TIME_HELP = "When it was recorded: 2026-03-01, 2026-03-01 10:00, or 2h for two hours ago."


def asked(given: Given) -> Sequence[Asked]:
    """What can be asked for."""
    roots = [(str(pk), safe(path)) for pk, path in _roots().items()]
    types = [(name, name) for name in sorted(filter(None, REGISTRY))]
    return (
        Asked(name="q", label="Name or run", value=given.get("q", ""), help=SEARCH_HELP),
        Asked(name="type", label="Type", value=given.get("type", ""), options=[("", "All types"), *types]),
        Asked(name="root", label="Media folder", value=given.get("root", ""), options=[("", "All folders"), *roots]),
        Asked(name="since", label="Since", value=given.get("since", ""), help=TIME_HELP),
        Asked(name="until", label="Until", value=given.get("until", "")),
    )


def find(given: Given) -> Found:
    """The events that are asked for."""
    roots = _roots()
    page = list_events(wish_of(given, roots), using=database())
    stopped = f"The search stopped at position {page.stopped_at}, as it took too long: the next page goes on."
    return Found(
        rows=[_row(event, roots) for event in page.events],
        following={"before": str(page.next_before)} if page.next_before is not None else {},
        note=stopped if page.stopped_at is not None and not page.is_full else "",
    )


def wish_of(given: Given, roots: dict[int, str]) -> Wish:
    """The wish for the events that are asked for."""
    text, now = text_of(given, "q"), store.database_time(database())
    chosen = number_of(given, "root")
    wish = Wish(
        limit=ROWS,
        kind=text_of(given, "type"),
        before=number_of(given, "before"),
        since=asking.moment_of(text_of(given, "since"), now, of="Since"),
        until=asking.moment_of(text_of(given, "until"), now, of="Until"),
        roots=[chosen] if chosen is not None else [],
    )
    run = run_of(text)
    if not text:
        return wish
    if run is not None:
        if chosen is not None:
            raise AuditorError(
                "What a run wrote is listed for all media folders together.",
                hint="Choose all folders.",
                exit_code=ExitCode.USAGE,
            )
        return replace(wish, run=run)
    among = wish.roots or list(roots) or [0]  # the number of none
    if text.endswith(ANY):
        return replace(wish, prefix=text.removesuffix(ANY), roots=among)
    return replace(wish, name=text, roots=among)


def _row(event: Event, roots: dict[int, str]) -> Sequence[Cell]:
    root = roots.get(event.root_id or 0)
    name = f"{root}/{event.path}" if root and len(roots) > 1 else event.path
    return (
        Cell(text=str(event.position), url=addresses.of_one("event", event.position), look=SHORT),
        Cell(text=clock(event.occurred_at), look=SHORT),
        Cell(text=event.type, look=SHORT),
        Cell(text=safe(name), look=NAME),
        Cell(text=about(event.data), look=NAME),
    )


def _roots() -> dict[int, str]:
    return dict(Root.objects.using(database()).order_by("path").values_list("pk", "path"))


def data_of(event: Event) -> str:
    """The rest of an event, as JSON with its names written out."""
    return json.dumps(event.data, indent=2, sort_keys=True)


def batch_of(event: Event) -> str:
    """The batch with which an event was sealed."""
    batches = Batch.objects.using(database()).filter(first_position__lte=event.position)
    batch = batches.order_by("-first_position").first()
    if batch is None or batch.last_position < event.position:
        return "None: its batch is gone."
    return f"Batch {batch.number}, recorded at {clock(batch.recorded_at)}, seal {batch.seal}"


def _address_of_run(run: UUID) -> str:
    """Its page, or what it wrote, where it was not allowed to change anything and so has none."""
    has_page = Run.objects.using(database()).filter(uid=run).exists()
    return addresses.of_one("run", run) if has_page else addresses.of_list("event", q=run)


def one(event: Event, _: Given) -> dict[str, Any]:
    """What the page of an event says."""
    run = event.run_id
    return {
        "facts": [
            Fact(name="Position", text=str(event.position)),
            Fact(name="Type", text=event.type),
            Fact(name="Name", text=safe(event.path) or "-"),
            Fact(name="Media folder", text=safe(event.root.path) if event.root else "-"),
            Fact(name="Time", text=clock(event.occurred_at)),
            Fact(name="Run", text=str(run or "-"), url=_address_of_run(run) if run else ""),
            Fact(name="Sealed in", text=batch_of(event)),
            Fact(name="What it says", text=data_of(event), is_verbatim=True),
        ]
    }


KIND = Kind(columns=COLUMNS, empty="No event in the audit log is like that.", find=find, one=one, asked=asked)
