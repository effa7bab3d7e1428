"""Turns notices into audit events."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileMoved,
    readable,
)
from auditor.trash import is_in_trash, run_of
from watcher.notices import Kind, Notice


def events_of(notices: Iterable[Notice], root: int, is_ignored: Callable[[bytes], bool]) -> Iterator[Event]:
    """The events of a root that the notices stand for, in their order, without those of ignored files."""
    read_at, moment = -1.0, datetime.fromtimestamp(0, UTC)
    for notice in _wanted(notices, is_ignored):
        if notice.at != read_at:  # one reading holds thousands
            read_at, moment = notice.at, datetime.fromtimestamp(notice.at, UTC)
        yield from _translate(notice, root, moment)


def _wanted(notices: Iterable[Notice], is_ignored: Callable[[bytes], bool]) -> Iterator[Notice]:
    for notice in notices:
        if notice.is_directory or not is_ignored(notice.path):
            yield notice
        elif notice.kind is Kind.MOVED and not is_ignored(notice.to):  # an upload that gets its name
            yield Notice(Kind.CREATED, notice.at, notice.to)


def _translate(notice: Notice, root: int, moment: datetime) -> tuple[Event, ...]:
    if is_in_trash(notice.path):  # nothing in there is a media file, until it comes back
        return _from_trash(notice, root, moment)
    match notice.kind:
        case Kind.DELETED:
            return (_deleted(notice, root, moment, "removed" if notice.is_directory else "unlinked"),)
        case Kind.MOVED_OUT:
            return (_deleted(notice, root, moment, "moved_out"),)
        case Kind.MOVED:
            return _moved(notice, root, moment)
        case Kind.CREATED if not notice.is_directory:
            path, path_bytes = readable(notice.path)
            return (FileCreated(root=root, path=path, path_bytes=path_bytes, occurred_at=moment),)
    return ()  # a new directory brings nothing back; a call of our own is no event


def _from_trash(notice: Notice, root: int, moment: datetime) -> tuple[Event, ...]:
    if notice.kind is not Kind.MOVED or notice.is_directory or is_in_trash(notice.to):
        return ()
    path, path_bytes = readable(notice.to)
    return (FileCreated(root=root, path=path, path_bytes=path_bytes, occurred_at=moment),)


def _deleted(notice: Notice, root: int, moment: datetime, cause: str) -> Event:
    kind = DirectoryDeleted if notice.is_directory else FileDeleted
    path, path_bytes = readable(notice.path)
    run = run_of(notice.to) if cause == "trashed" else None
    return kind(root=root, path=path, path_bytes=path_bytes, occurred_at=moment, cause=cause, run_id=run)


def _moved(notice: Notice, root: int, moment: datetime) -> tuple[Event, ...]:
    if is_in_trash(notice.to):  # no record is ever to be pointed at it
        return (_deleted(notice, root, moment, "trashed"),)
    path, path_bytes = readable(notice.path)
    to, to_bytes = readable(notice.to)
    if to_bytes is not None:  # no record can hold that name, and its text could be another's
        return (_deleted(notice, root, moment, "renamed"),)
    if path_bytes is not None:
        gone = _deleted(notice, root, moment, "renamed")
        return (gone,) if notice.is_directory else (gone, FileCreated(root=root, path=to, occurred_at=moment))
    kind = DirectoryMoved if notice.is_directory else FileMoved
    return (kind(root=root, path=path, occurred_at=moment, to=to),)
