"""Seals that were carried away with the JSON log, and whether the log still has them.

Only against these does a log show that lost its tail, or that was written anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from auditor.auditlog.store import CHUNK, chunks
from auditor.auditlog.verifying import Fault
from auditor.errors import AuditorError, ExitCode
from auditor.models import Batch, Head

LARGEST = 2**63  # a column cannot hold it
EVENT = "batch.appended"
CUT = "an anchor has this batch, and the log ends before it: its tail was cut, or it was written anew"
WRITTEN_ANEW = "its batch has another seal than its anchor: the log was written anew from here, or from before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a line of the JSON log says of a batch."""

    first_position: int
    seal: str


def read_anchors(path: str) -> dict[int, Anchor]:
    """{batch: Anchor} of the `batch.appended` lines in a file; any other lines are passed over.

    Raises AuditorError (usage) if the file cannot be read, or has no such line.
    """
    found = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if EVENT in line and (read := _read(line)):
                    found[read[0]] = read[1]
    except OSError as error:
        raise AuditorError(
            f"The anchors in {path} cannot be read: {error.strerror}.",
            hint="Give --anchors a file with JSON lines of the watcher's log.",
            exit_code=ExitCode.USAGE,
        ) from error
    if not found:
        raise AuditorError(
            f"There is no {EVENT} line in {path}, so there is nothing to compare with.",
            hint="Give --anchors a file with JSON lines of the watcher's log.",
            exit_code=ExitCode.USAGE,
        )
    return found


def _read(line: str) -> tuple[int, Anchor] | None:
    try:
        values = json.loads(line[line.index("{") :])  # a log shipper may have put a time before it
        if values["event"] == EVENT:
            batch, first = int(values["batch"]), int(values["first_position"])
            return (batch, Anchor(first_position=first, seal=str(values["seal"]))) if batch < LARGEST else None
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def compare(anchors: Mapping[int, Anchor], *, using: str) -> Fault | None:
    """The first batch that is not as its anchor says; None if all are."""
    head = Head.objects.using(using).first()
    for numbers in chunks(sorted(anchors), CHUNK):
        seals = dict(Batch.objects.using(using).filter(number__in=numbers).values_list("number", "seal"))
        for number in numbers:
            if seals.get(number) != anchors[number].seal:
                is_behind = head is None or number > head.batch
                what = CUT if is_behind else WRITTEN_ANEW
                return Fault(position=anchors[number].first_position, batch=number, what=what)
    return None
