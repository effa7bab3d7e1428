"""Makes sources over real directories and collects what they heard."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

from tests.watcher.waiting import wait_until
from watcher.ignored import never
from watcher.inotify import InotifySource
from watcher.notices import GapError, Kind, Notice

Heard = tuple[Kind, bytes, bool, bytes]


def make_source(
    root: Path, *, limit: int = 1_000_000, is_ignored: Callable[[bytes], bool] = never, calls: Path | None = None
) -> InotifySource:
    """A source over a folder; its calls are made next to it."""
    path = Path(os.path.realpath(root))
    folder = calls or path.parent / f"{path.name}-calls"
    return InotifySource(str(path), limit=limit, wake=Event(), calls=str(folder), is_ignored=is_ignored)


def make(path: Path, *names: str) -> Path:
    """A directory with files in it."""
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / name).touch()
    return path


@contextmanager
def listening(
    root: Path, *, limit: int = 1_000_000, is_ignored: Callable[[bytes], bool] = never
) -> Iterator[InotifySource]:
    source = make_source(root, limit=limit, is_ignored=is_ignored)
    try:
        yield source
    finally:
        source.close()


def heard(source: InotifySource, *, token: str = "") -> list[Heard]:
    """All that was heard until now: a call of our own ends it."""
    token = token or uuid4().hex
    source.call(token)
    notices: list[Notice] = []

    def is_answered() -> bool:
        notices.extend(source.take(1_000_000))
        return any(notice.path == token.encode() for notice in notices)

    wait_until(is_answered, seconds=30)
    return [(n.kind, n.path, n.is_directory, n.to) for n in notices if n.kind is not Kind.HEARD]


def ended(source: InotifySource) -> tuple[GapError, list[Notice]]:
    """The gap that ends the source, and what was heard before it."""
    gaps: list[GapError] = []
    notices: list[Notice] = []

    def has_ended() -> bool:
        try:
            notices.extend(source.take(1_000_000))
        except GapError as gap:
            gaps.append(gap)
        return bool(gaps)

    wait_until(has_ended, seconds=30)
    return gaps[0], notices


def deleted(path: bytes) -> Heard:
    return (Kind.DELETED, path, False, b"")


def removed(path: bytes) -> Heard:
    return (Kind.DELETED, path, True, b"")


def created(path: bytes, *, is_directory: bool = False) -> Heard:
    return (Kind.CREATED, path, is_directory, b"")
