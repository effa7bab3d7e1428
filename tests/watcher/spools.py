"""Spools and events that the spool's tests make, in this process and in programs of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import FileDeleted
from watcher.notices import GapError
from watcher.spool import Spool

NOW = datetime(2026, 3, 1, 10, 2, 11, 500, tzinfo=UTC)
PLENTY = 100_000_000  # bytes


@contextmanager
def opened(path: str, *, limit_bytes: int = PLENTY) -> Iterator[Spool]:
    spool = Spool(path, limit_bytes=limit_bytes)
    try:
        yield spool
    finally:
        spool.close()


def deleted(path: str) -> FileDeleted:
    return FileDeleted(root=1, path=path, occurred_at=NOW, cause="unlinked")


def names(spool: Spool) -> list[str]:
    """The first name in each entry."""
    return [entry.events[0].path for entry in spool.entries()]


def fill(spool: Spool, *paths: str, times: int = 1) -> None:
    for path in paths:
        spool.append(uuid4(), [deleted(path)] * times)


def why_not(path: str) -> str:
    """What a spool says that cannot be opened."""
    with pytest.raises(GapError) as raised:
        Spool(path, limit_bytes=PLENTY)
    assert raised.value.reason is GapReason.SPOOL_FAILED
    return raised.value.detail
