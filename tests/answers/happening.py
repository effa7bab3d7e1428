"""What has happened to a media folder, appended to the log with times that a test can name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from auditor.auditlog import store
from auditor.auditlog.events import Event, FileDeleted, SpanClosed, SpanOpened
from auditor.models import Batch, Root, Run, Span
from tests.makers import real

BEGAN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
RUN = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
UNDONE = UUID("0d9e6679-7425-40de-944b-e07fc1f90ae7")
SPAN = UUID("1d9e6679-7425-40de-944b-e07fc1f90ae7")
NAME = "audit_log"


def at(seconds: float) -> datetime:
    """A moment, so many seconds after the beginning."""
    return BEGAN + timedelta(seconds=seconds)


def root_of(media: Path) -> Root:
    return store.register_root(real(media), using="default")


def append(*events: Event) -> Batch:
    batch = store.append(events, using="default")
    assert batch is not None
    return batch


def deleted(root: Root, path: str, seconds: float = 0, *, cause: str = "unlinked", run: UUID | None = None) -> Event:
    return FileDeleted(root=root.pk, path=path, occurred_at=at(seconds), cause=cause, run_id=run)


def watched(root: Root, since: float, until: float, *, reason: str = "", span: UUID = SPAN) -> None:
    """A span; without a reason it stays open."""
    append(SpanOpened(root=root.pk, occurred_at=at(since), span=str(span), identity="8:1"))
    Span.objects.filter(uid=span).update(covered_until=at(until))
    if reason:
        append(
            SpanClosed(
                root=root.pk,
                occurred_at=at(until + 1),
                span=str(span),
                covered_until=at(until).isoformat(),
                reason=reason,
            )
        )


def ran(uid: UUID, command: str, seconds: float, *, user: str = "anna") -> None:
    Run.objects.create(uid=uid, command=command, user=user, started_at=at(seconds), finished_at=at(seconds))
