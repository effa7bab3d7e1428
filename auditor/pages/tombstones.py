"""Tombstones: what is kept of rows that runs deleted or changed."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from auditor.answers.record import RECORD, tombstones_of
from auditor.answers.sentences import clock
from auditor.errors import AuditorError, ExitCode
from auditor.models import Tombstone
from auditor.pages import addresses
from auditor.pages.listing import NAME, ROWS, SHORT, Asked, Cell, Fact, Found, Given, Kind
from auditor.pages.meaning import number_of, run_of, text_of
from auditor.pages.place import database
from auditor.removal.tombstones import digest
from auditor.wording import safe

COLUMNS = ("Record", "What the run did", "Run", "Since then")
SEARCH_HELP = "gallery.Photo:42 finds what is kept of this record, and the whole id of a run what that run wrote down."
DONE = {
    Tombstone.Kind.ORPHAN: "deleted, as its file was gone",
    Tombstone.Kind.CASCADE: "deleted along with another",
    Tombstone.Kind.EMPTIED: "a key in it was set anew",
    Tombstone.Kind.RELINKED: "pointed at another name",
}


def asked(given: Given) -> Sequence[Asked]:
    """What can be asked for."""
    return (Asked(name="q", label="Record or run", value=given.get("q", ""), help=SEARCH_HELP),)


def find(given: Given) -> Found:
    """The tombstones that are asked for, the newest first."""
    text, before = text_of(given, "q"), number_of(given, "before")
    record, left_out = RECORD.fullmatch(text), list[str]()
    if record is not None:
        some = tombstones_of(record[1], record[2], left_out=left_out, using=database())
        return Found(rows=[_row(one) for one in islice(some, ROWS)], note=" ".join(left_out))
    stones = Tombstone.objects.using(database()).order_by("-id")
    if text:
        stones = stones.filter(run=_run_of(text)).order_by("-run", "-id")
    if before is not None:
        stones = stones.filter(id__lt=before)
    found = list(stones[: ROWS + 1])
    shown = found[:ROWS]
    return Found(
        rows=[_row(one) for one in shown],
        following={"before": str(shown[-1].pk)} if len(found) > ROWS else {},
    )


def _run_of(text: str) -> UUID:
    run = run_of(text)
    if run is None:
        raise AuditorError(f"{text!r} is neither a record nor a run.", hint=SEARCH_HELP, exit_code=ExitCode.USAGE)
    return run


def _row(one: Tombstone) -> Sequence[Cell]:
    return (
        Cell(text=safe(str(one)), url=addresses.of_one("tombstone", one.pk), look=NAME),
        Cell(text=done(one)),
        Cell(text=str(one.run_id)[:8], url=addresses.of_one("run", one.run_id), look=SHORT),
        Cell(text=since(one)),
    )


def done(one: Tombstone) -> str:
    """What the run did to the row."""
    return DONE[Tombstone.Kind(one.kind)]


def since(one: Tombstone) -> str:
    """What has become of the row since."""
    back = f"brought back at {clock(one.restored_at)}" if one.restored_at else "waits to be brought back"
    return f"erased at {clock(one.erased_at)}" if one.erased_at else back


def kept_of(one: Tombstone) -> str:
    """The row as it was, as JSON; of a changed one, what was changed."""
    if one.erased_at:
        return "Nothing: what was kept of it was erased."
    try:
        return json.dumps(json.loads(one.payload), indent=2)
    except ValueError:
        return safe(one.payload)


def proof_of(one: Tombstone) -> str:
    """Whether what is kept is what was written down."""
    if one.erased_at:
        return f"{one.sha256} (of what was erased)"
    fits = digest(one.payload) == one.sha256
    return f"{one.sha256} ({'fits' if fits else 'does not fit: what is kept was changed'})"


def one(stone: Tombstone, _: Given) -> dict[str, Any]:
    """What the page of a tombstone says."""
    return {
        "facts": [
            Fact(name="Record", text=safe(str(stone))),
            Fact(name="What the run did", text=done(stone)),
            Fact(name="Run", text=str(stone.run_id), url=addresses.of_one("run", stone.run_id)),
            Fact(name="Since then", text=since(stone)),
            Fact(name="SHA-256", text=proof_of(stone)),
            Fact(name="What is kept of it", text=kept_of(stone), is_verbatim=True),
        ]
    }


KIND = Kind(columns=COLUMNS, empty="No tombstone is like that.", find=find, one=one, asked=asked)
