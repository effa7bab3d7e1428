"""Finds places in the log by time, without an index of times: batches are in the order in which they were recorded."""

from datetime import datetime

from auditor.models import Batch, Head


def first_recorded_since(moment: datetime, *, using: str) -> int:
    """The position of the first event that was recorded at a moment or later; the next free one if there is none.

    A clock that was set back in between makes it one of several such places.
    """
    head = Head.objects.using(using).first()
    batches = Batch.objects.using(using).order_by("number")
    low = batches.values_list("number", flat=True).first()
    if head is None or low is None:
        return 1
    high = head.batch + 1
    while low < high:
        middle = (low + high) // 2
        recorded_at = batches.filter(number=middle).values_list("recorded_at", flat=True).first()
        if recorded_at is not None and recorded_at < moment:
            low = middle + 1
        else:
            high = middle
    return batches.filter(number=low).values_list("first_position", flat=True).first() or head.position + 1
