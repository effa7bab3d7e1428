"""Spans: when the watcher looked after a media folder, and when nobody did."""

from collections.abc import Sequence
from typing import Any

from auditor.answers.blind import Interval, intervals_of
from auditor.answers.sentences import clock
from auditor.durations import in_words
from auditor.models import Checkpoint, Root, Span
from auditor.orphans.route import why_closed
from auditor.pages import addresses
from auditor.pages.listing import ROWS, SHORT, Asked, Cell, Fact, Found, Given, Kind
from auditor.pages.meaning import number_of
from auditor.pages.place import database
from auditor.wording import safe

COLUMNS = ("State", "From", "To", "For", "Why nobody looked")


def asked(given: Given) -> Sequence[Asked]:
    """What can be asked for: one media folder at a time."""
    options = [(str(root.pk), safe(root.path)) for root in Root.objects.using(database()).order_by("path")]
    chosen = given.get("root") or str(_newest_root() or "")
    return (Asked(name="root", label="Media folder", value=chosen, options=options),)


def _newest_root() -> int | None:
    """The media folder that the watcher has last begun to look after."""
    spans = Span.objects.using(database()).order_by("-opened_position")
    return spans.values_list("root", flat=True).first()


def find(given: Given) -> Found:
    """The covered and the blind intervals of the media folder, the newest first."""
    root = number_of(given, "root") or _newest_root()
    if root is None:
        return Found()
    some = intervals_of(root, using=database(), limit=ROWS, before=number_of(given, "before"))
    covered = [one for one in some if one.is_covered]
    is_full = len(covered) == ROWS
    return Found(
        rows=[_row(one) for one in some],
        following={"root": str(root), "before": str(covered[-1].span.opened_position)} if is_full else {},
    )


def _row(one: Interval) -> Sequence[Cell]:
    detail = f"{one.why}: {safe(one.detail)}" if one.detail else one.why
    length = in_words((one.until - one.since).total_seconds())
    return (
        Cell(text="covered" if one.is_covered else "blind", url=addresses.of_one("span", one.span.pk)),
        Cell(text=clock(one.since), look=SHORT),
        Cell(text="now" if one.is_now and not one.is_covered else clock(one.until), look=SHORT),
        Cell(text=f"{length} so far" if one.is_now else length),
        Cell(text="" if one.is_covered else detail),
    )


def end_of(span: Span) -> str:
    """How a span ended."""
    if span.closed_at is None:
        return "It is open."
    detail = f": {safe(span.closed_detail)}" if span.closed_detail else ""
    return f"Closed at {clock(span.closed_at)} ({why_closed(span.closed_reason)}{detail})"


def checkpoints_of(span: Span) -> str:
    """The newest checkpoints inside a span."""
    made = Checkpoint.objects.using(database()).filter(span=span).order_by("-position")[:ROWS]
    return "\n".join(f"{clock(one.made_at)}, at position {one.position}" for one in made) or "None yet."


def one(span: Span, _: Given) -> dict[str, Any]:
    """What the page of a span says."""
    opened = span.opened_position
    return {
        "facts": [
            Fact(name="Id", text=str(span.uid)),
            Fact(name="Media folder", text=safe(span.root.path)),
            Fact(name="Device and inode", text=span.identity),
            Fact(
                name="Opened",
                text=f"{clock(span.opened_at)}, at position {opened}",
                url=addresses.of_one("event", opened),
            ),
            Fact(name="Covered until", text=clock(span.covered_until)),
            Fact(name="End", text=end_of(span)),
            Fact(name="Checkpoints", text=checkpoints_of(span), is_verbatim=True),
        ]
    }


KIND = Kind(columns=COLUMNS, empty="No watcher has ever looked after this folder.", find=find, one=one, asked=asked)
