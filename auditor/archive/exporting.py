"""The log as lines: every batch and its events, as they are stored, so that all seals can be computed again."""

from collections.abc import Iterator

from auditor.archive import form
from auditor.auditlog import pruned
from auditor.auditlog.digests import rows_between
from auditor.auditlog.store import chunks
from auditor.auditlog.verifying import Place, batches_between
from auditor.models import Batch, Head, Root

WRITTEN_AT_ONCE = 2_000  # lines


def exported(after: int, *, using: str) -> Iterator[str]:
    """The lines: the log itself, then each batch with events behind a position and these events, then the end.

    The log is taken as it is now; without its last line, an export is not whole. Of what was archived it has nothing:
    it then begins behind that, and its first line names the segments that go before.
    Raises AuditorError if the log was pruned meanwhile.
    """
    head, last_prune = Head.objects.using(using).first(), pruned.place_of_last_prune(using)
    earlier = pruned.prunes(using)
    begins = max([after, *(one.until for one in earlier)])
    more = {"begins_after": begins, "segments": [one.segment for one in earlier]} if earlier else {}
    yield form.log_line(head.log_id if head else None, _roots(using), **more)
    if head is None:
        yield form.end_line(0)
        return
    yield from _lines_between(begins, head.position, head.batch, using)
    pruned.ensure_not_since(last_prune, using)
    yield form.end_line(head.position, head.batch, head.seal)


def segment_lines(head: Head, after: int, end: Place, using: str) -> Iterator[str]:
    """The lines of a segment: what lies behind a position, up to a place."""
    yield form.log_line(head.log_id, _roots(using))
    yield from _lines_between(after, end.position, end.batch, using)
    yield form.end_line(end.position, end.batch, end.seal)


def _lines_between(after: int, position: int, number: int, using: str) -> Iterator[str]:
    """Each batch with events behind one position and up to another, with these events."""
    rows = rows_between(after, position, using=using)
    for batch in _batches(after, number, using):
        yield form.batch_line(batch)
        for _ in range(max(after + 1, batch.first_position), batch.last_position + 1):
            row = next(rows, None)
            if row is not None:
                yield form.event_line(row)


def _roots(using: str) -> dict[int, str]:
    return dict(Root.objects.using(using).values_list("pk", "path"))


def _batches(after: int, until: int, using: str) -> Iterator[Batch]:
    batches = Batch.objects.using(using).filter(first_position__lte=after + 1)
    first = batches.order_by("-first_position").first()
    found = batches_between(first.number - 1 if first else 0, until, using)
    return (batch for batch in found if batch.last_position > after)


def in_parts(lines: Iterator[str], size: int = WRITTEN_AT_ONCE) -> Iterator[str]:
    """The lines, many at once: each write of a command takes longer than making the line."""
    for part in chunks(lines, size):
        yield "\n".join(part)
