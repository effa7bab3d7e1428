"""Makes sources over real directories and collects what they heard."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

from tests.watcher.waiting import wait_until
from watcher.notices import GapError, Kind, Notice
from watcher.source import Source

Heard = tuple[Kind, bytes, bool, bytes]


@contextmanager
def listening(root: Path, *, limit: int = 1_000_000) -> Iterator[Source]:
    source = Source(os.path.realpath(root), limit=limit, wake=Event())
    try:
        yield source
    finally:
        source.close()


def heard(source: Source, *, token: str = "") -> list[Heard]:
    """All that was heard until now: a call of our own ends it."""
    token = token or uuid4().hex
    source.call(token)
    notices: list[Notice] = []

    def is_answered() -> bool:
        notices.extend(source.take(1_000_000))
        return any(notice.path == token.encode() for notice in notices)

    wait_until(is_answered, seconds=30)
    return [(n.kind, n.path, n.is_directory, n.to) for n in notices if n.kind is not Kind.HEARD]


def gap_of(source: Source) -> GapError:
    """The gap that ends the source; what was heard before it is thrown away."""
    gaps: list[GapError] = []

    def has_ended() -> bool:
        try:
            source.take(1_000_000)
        except GapError as gap:
            gaps.append(gap)
        return bool(gaps)

    wait_until(has_ended)
    return gaps[0]


def deleted(path: bytes) -> Heard:
    return (Kind.DELETED, path, False, b"")


def removed(path: bytes) -> Heard:
    return (Kind.DELETED, path, True, b"")


def created(path: bytes, *, is_directory: bool = False) -> Heard:
    return (Kind.CREATED, path, is_directory, b"")
