"""What each notice means for the audit log."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileMoved,
)
from watcher.notices import Kind, Notice
from watcher.translate import events_of

pytestmark = pytest.mark.sqlite

RUN = b"7c9e6679-7425-40de-944b-e07fc1f90ae7"
AT = 1_772_359_331.25
MOMENT = datetime(2026, 3, 1, 10, 2, 11, 250_000, tzinfo=UTC)


def notice(kind: Kind, path: bytes, *, is_directory: bool = False, to: bytes = b"") -> Notice:
    return Notice(kind, AT, path, is_directory, to)


def translated(*notices: Notice) -> list[Event]:
    return list(events_of(notices, 7, lambda path: path.endswith(b".tmp")))


def file_deleted(path: str, cause: str, path_bytes: bytes | None = None) -> FileDeleted:
    return FileDeleted(root=7, path=path, path_bytes=path_bytes, occurred_at=MOMENT, cause=cause)


def directory_deleted(path: str, cause: str, path_bytes: bytes | None = None) -> DirectoryDeleted:
    return DirectoryDeleted(root=7, path=path, path_bytes=path_bytes, occurred_at=MOMENT, cause=cause)


def file_created(path: str) -> FileCreated:
    return FileCreated(root=7, path=path, occurred_at=MOMENT)


@pytest.mark.parametrize(
    ("heard", "events"),
    [
        (notice(Kind.DELETED, b"a.jpg"), [file_deleted("a.jpg", "unlinked")]),
        (notice(Kind.DELETED, b"d", is_directory=True), [directory_deleted("d", "removed")]),
        (notice(Kind.MOVED_OUT, b"a.jpg"), [file_deleted("a.jpg", "moved_out")]),
        (notice(Kind.MOVED_OUT, b"d", is_directory=True), [directory_deleted("d", "moved_out")]),
        (
            notice(Kind.MOVED, b"a.jpg", to=b"d/b.jpg"),
            [FileMoved(root=7, path="a.jpg", occurred_at=MOMENT, to="d/b.jpg")],
        ),
        (
            notice(Kind.MOVED, b"d", is_directory=True, to=b"e"),
            [DirectoryMoved(root=7, path="d", occurred_at=MOMENT, to="e")],
        ),
        (notice(Kind.CREATED, "Ärger.jpg".encode()), [file_created("Ärger.jpg")]),
        (
            notice(Kind.MOVED, b"d/a.jpg", to=b".media-trash/" + RUN + b"/d/a.jpg"),
            [replace(file_deleted("d/a.jpg", "trashed"), run_id=UUID(RUN.decode()))],
        ),
        (
            notice(Kind.MOVED, b"mount/a.jpg", to=b"mount/.media-trash/" + RUN + b"/a.jpg"),
            [replace(file_deleted("mount/a.jpg", "trashed"), run_id=UUID(RUN.decode()))],
        ),
        (
            notice(Kind.MOVED, b"d", is_directory=True, to=b".media-trash/by-hand/d"),
            [directory_deleted("d", "trashed")],
        ),
        (notice(Kind.MOVED, b".media-trash/" + RUN + b"/d/a.jpg", to=b"d/a.jpg"), [file_created("d/a.jpg")]),
        (notice(Kind.MOVED, b".media-trash/" + RUN + b"/d", is_directory=True, to=b"d"), []),
        (notice(Kind.MOVED, b".media-trash/" + RUN + b"/a", to=b".media-trash/" + RUN + b"/b"), []),
        (notice(Kind.DELETED, b".media-trash/" + RUN + b"/d/a.jpg"), []),
        (notice(Kind.CREATED, b".media-trash/" + RUN + b"/d/a.jpg"), []),
        (notice(Kind.CREATED, b"d", is_directory=True), []),
        (notice(Kind.HEARD, b"token"), []),
    ],
)
def test_each_notice_becomes_its_events(heard: Notice, events: list[Event]) -> None:
    assert translated(heard) == events


def test_a_name_that_is_not_utf_8_is_kept_readable_with_its_bytes() -> None:
    assert translated(notice(Kind.DELETED, b"\xe4.jpg")) == [file_deleted("\\xe4.jpg", "unlinked", b"\xe4.jpg")]


def test_a_file_renamed_to_a_name_no_record_can_hold_is_gone() -> None:
    # Its text, \xe4.jpg, could be the name of another file.
    assert translated(notice(Kind.MOVED, b"a.jpg", to=b"\xe4.jpg")) == [file_deleted("a.jpg", "renamed")]


def test_a_directory_renamed_to_a_name_no_record_can_hold_is_gone() -> None:
    renamed = notice(Kind.MOVED, b"d", is_directory=True, to=b"\xe4")

    assert translated(renamed) == [directory_deleted("d", "renamed")]


def test_a_file_renamed_from_a_name_no_record_can_hold_has_come() -> None:
    assert translated(notice(Kind.MOVED, b"\xe4.jpg", to=b"a.jpg")) == [
        file_deleted("\\xe4.jpg", "renamed", b"\xe4.jpg"),
        file_created("a.jpg"),
    ]


def test_a_directory_renamed_from_a_name_no_record_can_hold_is_gone_under_that_name() -> None:
    renamed = notice(Kind.MOVED, b"\xe4", is_directory=True, to=b"d")

    assert translated(renamed) == [directory_deleted("\\xe4", "renamed", b"\xe4")]


def test_notices_of_several_readings_keep_their_order_and_times() -> None:
    heard = [Notice(Kind.DELETED, at, b"a.jpg") for at in (AT, AT, AT + 1, AT)]

    assert [event.occurred_at.second for event in translated(*heard)] == [11, 11, 12, 11]


def test_ignored_files_are_no_facts_of_the_log() -> None:
    assert translated(notice(Kind.DELETED, b"a.tmp"), notice(Kind.CREATED, b"a.tmp")) == []
    assert translated(notice(Kind.MOVED, b"a.tmp", to=b"b.tmp")) == []


def test_an_ignored_file_that_gets_a_name_that_counts_is_a_new_file() -> None:
    assert translated(notice(Kind.MOVED, b"a.tmp", to=b"a.jpg")) == [file_created("a.jpg")]


def test_a_file_that_gets_an_ignored_name_has_moved() -> None:
    assert translated(notice(Kind.MOVED, b"a.jpg", to=b"a.tmp")) == [
        FileMoved(root=7, path="a.jpg", to="a.tmp", occurred_at=MOMENT)
    ]


def test_a_directory_counts_whatever_it_is_called() -> None:
    assert translated(notice(Kind.DELETED, b"a.tmp", is_directory=True)) == [directory_deleted("a.tmp", "removed")]
