"""The overview: how each media folder is, what wants a person, the last runs, and how much happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from auditor.answers.figures import hours
from auditor.answers.listing import Wish, list_events
from auditor.answers.runs import list_runs
from auditor.answers.sentences import clock
from auditor.auditlog import store
from auditor.auditlog.events import NamesDoubted, RunRefused
from auditor.integrity.findings import Kind
from auditor.models import Event, IntegrityCheck
from auditor.pages import addresses, runs
from auditor.pages.covering import roots_now
from auditor.pages.place import database
from auditor.wording import counted, safe

SHOWN_HOURS = 48
SHOWN_RUNS = 6
SHOWN_WARNINGS = 5
WARNED_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that wants a person; `lines` say more of it."""

    at: str
    title: str
    lines: Sequence[str]
    url: str


def overview() -> dict[str, Any]:
    """What the page shows."""
    using = database()
    now = store.database_time(using)
    recorded = hours(now, SHOWN_HOURS, using=using)
    listed = list_runs(limit=SHOWN_RUNS, before=None, using=using)
    return {
        "now": clock(now),
        "roots": list(roots_now(using)),
        "warnings": list(_warnings(now, using)),
        "warned_days": WARNED_DAYS,
        "check": _last_check(using),
        "run_columns": runs.COLUMNS,
        "runs": [runs.row(one) for one in listed],
        "runs_url": addresses.of_list("run"),
        "events_url": addresses.of_list("event"),
        "spans_url": addresses.of_list("span"),
        "hours": [(clock(at), f"{count:,}") for at, count in reversed(recorded)],
        "shown_hours": SHOWN_HOURS,
        "events_total": f"{sum(count for _, count in recorded):,}",
        "chart": [[int(at.timestamp()) for at, _ in recorded], [count for _, count in recorded]],
    }


def _warnings(now: datetime, using: str) -> Iterator[Warned]:
    """Refused runs and doubted names of late, the newest first."""
    since = now - timedelta(days=WARNED_DAYS)
    events: list[Event] = []
    for kind in (RunRefused.type, NamesDoubted.type):
        events += list_events(Wish(limit=SHOWN_WARNINGS, kind=kind, since=since), using=using).events
    for event in sorted(events, key=lambda one: -one.position)[:SHOWN_WARNINGS]:
        refused = event.type == RunRefused.type
        title, lines = (_refusal if refused else _doubt)(event.data)
        url = addresses.of_one("event", event.position)
        yield Warned(at=clock(event.occurred_at), title=title, lines=lines, url=url)


def _refusal(data: dict[str, Any]) -> tuple[str, Sequence[str]]:
    return f"Refused: {data['command']} {data['options']}".strip(), [data["message"], *data["hint"].splitlines()]


def _doubt(data: dict[str, Any]) -> tuple[str, Sequence[str]]:
    total = counted(sum(data["records"].values()), "unknown name")
    return f"{total} in {data['command']}: these records were kept", data["sample"]


def _last_check(using: str) -> str:
    """What the last check of the media has found, in a sentence."""
    check = IntegrityCheck.objects.using(using).order_by("-finished_at").first()
    if check is None:
        return ""
    counts = {kind: check.counts.get(kind.word, 0) for kind in Kind}
    found = [counted(count, kind.one, kind.many) for kind, count in counts.items() if count]
    return f"{clock(check.finished_at)}: {safe(', '.join(found)) or 'nothing was found'}."
