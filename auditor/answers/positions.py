"""Finds places in the log by time, without an index of times: batches are in the order in which they were recorded."""

from collections.abc import Sequence
from datetime import datetime

from auditor.models import Batch, Head


def first_recorded_since(moment: datetime, *, using: str) -> int:
    """The position of the first event that was recorded at a moment or later; the next free one if there is none.

    A clock that was set back in between makes it one of several such places.
    """
    return first_recorded_each([moment], using=using)[0]


def first_recorded_each(moments: Sequence[datetime], *, using: str) -> list[int]:
    """The same for each of several moments, all looked for together: a query for each halving, not for each moment."""
    head = Head.objects.using(using).first()
    batches = Batch.objects.using(using)
    oldest = batches.order_by("number").values_list("number", flat=True).first()
    if head is None or oldest is None:
        return [1 for _ in moments]
    lows, highs = [oldest for _ in moments], [head.batch + 1 for _ in moments]
    while middles := {at: (low + highs[at]) // 2 for at, low in enumerate(lows) if low < highs[at]}:
        asked = set(middles.values())
        recorded = dict(batches.filter(number__in=asked).values_list("number", "recorded_at"))
        for at, middle in middles.items():
            if middle in recorded and recorded[middle] < moments[at]:
                lows[at] = middle + 1
            else:
                highs[at] = middle
    first = dict(batches.filter(number__in=set(lows)).values_list("number", "first_position"))
    return [first.get(low, head.position + 1) for low in lows]
