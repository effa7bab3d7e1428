"""Runs: the list of all that changed something, the newest first."""

from collections.abc import Sequence

from auditor.answers.rows import did
from auditor.answers.runs import RunListed, find_run, list_runs, listed
from auditor.answers.sentences import clock
from auditor.models import Run
from auditor.pages import addresses
from auditor.pages.listing import ROWS, SHORT, Asked, Cell, Found, Given, Kind
from auditor.pages.meaning import run_of, text_of
from auditor.pages.place import database
from auditor.pages.run import page_of
from auditor.wording import safe

COLUMNS = ("Ended", "Command", "By", "What it did", "Id")
REFUSED = "Refused runs have changed nothing and are not listed here: they are the events of the type run.refused."


def asked(given: Given) -> Sequence[Asked]:
    """What can be asked for."""
    return (Asked(name="q", label="Run", value=given.get("q", ""), help="The id of a run, or how it begins."),)


def find(given: Given) -> Found:
    """The runs that are asked for."""
    text, before = text_of(given, "q"), run_of(given.get("before", ""))
    if text:
        runs = Run.objects.using(database()).filter(uid=find_run(text, database()))
        return Found(rows=[row(one) for one in listed(runs, using=database())])
    if before is not None and not Run.objects.using(database()).filter(uid=before).exists():
        before = None
    found = list_runs(limit=ROWS + 1, before=before, using=database())
    shown = found[:ROWS]
    return Found(
        rows=[row(one) for one in shown],
        following={"before": str(shown[-1].uid)} if len(found) > ROWS else {},
        note=REFUSED,
    )


def row(one: RunListed) -> Sequence[Cell]:
    """A run as a row."""
    return (
        Cell(text=clock(one.finished_at), url=addresses.of_one("run", one.uid), look=SHORT),
        Cell(text=one.command),
        Cell(text=safe(one.user)),
        Cell(text=did(one)),
        Cell(text=str(one.uid)[:8], url=addresses.of_one("run", one.uid), look=SHORT),
    )


KIND = Kind(
    columns=COLUMNS,
    empty="No run has changed anything.",
    find=find,
    one=page_of,
    template="auditor/run.html",
    asked=asked,
)
