"""The page of one run: who ran it and how, what it did, why, and whether it was undone."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from auditor.answers.listing import Wish, list_events
from auditor.answers.runs import ends_of
from auditor.answers.sentences import clock
from auditor.models import Run, Tombstone
from auditor.pages import addresses, evidence
from auditor.pages.listing import Fact, Found, Given, listed
from auditor.pages.meaning import number_of
from auditor.pages.place import database
from auditor.wording import counted, safe

ROWS = 25  # to a page: each takes a look at the log
MOST_STONES = 10_000  # of a run: so many are looked at to say whether it was undone
NOTHING_WRITTEN = "The audit log has nothing of it: it wrote nothing, or that was archived."
WORDS = {
    "deleted": "Deleted, as the file was gone",
    "cascade": "Along with them",
    "emptied": "Keys set anew",
    "relinked": "Pointed at another name",
    "restored": "Brought back",
    "kept": "Kept, or stayed away",
    "files": "Files",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stones:
    """What is kept of the rows of a run: how many, and how many of them wait, are back, or are erased.

    `is_cut` if there are more than were looked at; `restored_at` are the times at which some came back.
    """

    total: int
    waiting: int
    back: int
    erased: int
    is_cut: bool
    restored_at: frozenset[datetime]

    def __str__(self) -> str:
        if not self.total:
            return "Nothing: it has deleted and changed no record."
        counts = {"wait to be brought back": self.waiting, "were brought back": self.back, "were erased": self.erased}
        parts = ", ".join(f"{count:,} {words}" for words, count in counts.items() if count)
        first = "the first " if self.is_cut else ""
        return f"Of {first}{counted(self.total, 'row')}, {parts}."


def stones_of(run: Run) -> Stones:
    """What is kept of the rows of a run."""
    stones = Tombstone.objects.using(database()).filter(run=run).order_by("run", "id")
    found = list(stones.values_list("restored_at", "erased_at")[: MOST_STONES + 1])
    looked_at = found[:MOST_STONES]
    back = [restored_at for restored_at, _ in looked_at if restored_at]
    waiting = sum(not restored_at and not erased_at for restored_at, erased_at in looked_at)
    return Stones(
        total=len(looked_at),
        waiting=waiting,
        back=len(back),
        erased=sum(bool(erased_at and not restored_at) for restored_at, erased_at in looked_at),
        is_cut=len(found) > MOST_STONES,
        restored_at=frozenset(back),
    )


def page_of(run: Run, given: Given) -> dict[str, Any]:
    """What the page of a run shows: facts, counts, and what it wrote, with what the log had heard before of each."""
    data, stones = ends_of({run.uid}, using=database()).get(run.uid, {}), stones_of(run)
    undone_by = Run.objects.using(database()).filter(finished_at__in=stones.restored_at).exclude(uid=run.uid)
    return {
        "facts": [
            Fact(name="Id", text=str(run.uid)),
            Fact(name="Command", text=f"{run.command} {data.get('options') or ''}".strip()),
            Fact(name="Run by", text=safe(run.user) or "It is not known."),
            Fact(name="Started", text=clock(run.started_at)),
            Fact(name="Ended", text=clock(run.finished_at) if data else "It has not written that it reached its end."),
            Fact(name="Kept of it", text=str(stones)),
            *(_undone(one) for one in undone_by),
        ],
        "counts": [(WORDS[name], sorted(data[name].items())) for name in WORDS if data.get(name)],
        "stones": stones,
        "tombstones_url": addresses.of_list("tombstone", q=run.uid),
        "restore_url": addresses.of_restore(run.uid) if stones.waiting else "",
        **listed(partial(_written, run), given, columns=evidence.COLUMNS, empty=NOTHING_WRITTEN),
    }


def _undone(by: Run) -> Fact:
    text = f"run {by.uid} at {clock(by.finished_at)}, by {safe(by.user)}"
    return Fact(name="Undone by", text=text, url=addresses.of_one("run", by.uid))


def _written(run: Run, given: Given) -> Found:
    page = list_events(Wish(limit=ROWS, run=run.uid, before=number_of(given, "before")), using=database())
    following = {"before": str(page.next_before)} if page.next_before is not None else {}
    return Found(rows=evidence.rows_of(page), following=following)
