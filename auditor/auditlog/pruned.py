"""Up to where the log was pruned: what `log.pruned` says of events that are not in the table any more.

All batches stay, with their seals; so do the events that answers still need, and these `kept_hash` seals.
"""

from collections.abc import Iterator

from auditor import models
from auditor.auditlog.events import LogPruned, from_stored
from auditor.auditlog.store import stored_of
from auditor.errors import AuditorError


def last_prune(using: str) -> LogPruned | None:
    """What the newest prune says of the log; None if it was never pruned."""
    return next(_prunes("-position", using), None)


def prunes(using: str) -> list[LogPruned]:
    """What every prune says, the oldest first: one segment each."""
    return list(_prunes("position", using))


def pruned_until(using: str) -> int:
    """The position up to which events were archived; 0 if none were."""
    last = last_prune(using)
    return last.until if last else 0


def place_of_last_prune(using: str) -> int:
    """The position of the newest `log.pruned`; 0 if there is none."""
    rows = models.Event.objects.using(using).filter(type=LogPruned.type).order_by("-position")
    return rows.values_list("position", flat=True).first() or 0


def ensure_not_since(place: int, using: str) -> None:
    """Raises AuditorError if the log was pruned since the newest `log.pruned` was at this position."""
    if place_of_last_prune(using) != place:
        raise AuditorError("The log was pruned while it was read.", hint="Run the command again.")


def _prunes(order: str, using: str) -> Iterator[LogPruned]:
    rows = models.Event.objects.using(using).filter(type=LogPruned.type).order_by(order)
    for row in rows.iterator(100):
        event = from_stored(stored_of(row))
        if isinstance(event, LogPruned):
            yield event
