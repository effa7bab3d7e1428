"""Polling a real file system that fails, falls silent or loses its server."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from tests.faults.fuse import Mount, mounted, needs_fuse
from tests.watcher.listening import created, deleted, ended, heard, removed
from tests.watcher.surveys import make, polling
from tests.watcher.waiting import wait_until
from watcher.notices import GapError
from watcher.polling import PollingSource

pytestmark = [pytest.mark.live, needs_fuse, pytest.mark.sqlite]
ERRORS = [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES, errno.ETIMEDOUT]


@pytest.fixture
def source_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    make(folder, "photos/a.jpg", "photos/b.jpg", "2024/may/c.jpg", "d.jpg")
    return folder


@pytest.fixture
def mount(source_folder: Path, tmp_path: Path) -> Iterator[Mount]:
    place = tmp_path / "media"
    place.mkdir()
    with mounted(source_folder, place) as made:
        yield made


def wait_for_hindrance(source: PollingSource, detail: str) -> None:
    # The poll that was under way may have failed elsewhere.
    wait_until(lambda: str(source.hindrance()) == f"not_watched: {detail}")


def test_what_others_delete_is_heard(mount: Mount, source_folder: Path, tmp_path: Path) -> None:
    with polling(mount.place) as source:
        (source_folder / "photos/a.jpg").unlink()
        assert heard(source) == [deleted(b"photos/a.jpg")]

        (source_folder / "2024").rename(tmp_path / "gone")
        assert heard(source) == [removed(b"2024")]

        make(source_folder, "photos/a.jpg")
        assert heard(source) == [created(b"photos/a.jpg")]


def test_files_and_folders_are_told_apart_where_a_listing_does_not_say(mount: Mount, source_folder: Path) -> None:
    mount.order("readdir untyped")
    with polling(mount.place) as source:
        assert source.directories == 4
        (source_folder / "2024/may/c.jpg").unlink()

        assert heard(source) == [deleted(b"2024/may/c.jpg")]


@pytest.mark.parametrize("order", ["readdir {} /photos", "readdir {}", "getattr {} /photos", "getattr {}"])
def test_no_error_is_a_deletion(mount: Mount, source_folder: Path, order: str) -> None:
    place, told = f"{mount.place}{order.partition('} ')[2]}", []
    with polling(mount.place) as source:
        for number in ERRORS:
            mount.order(order.format(errno.errorcode[number]))
            wait_for_hindrance(source, f"{place} cannot be listed: {os.strerror(number)}.")
            (source_folder / "photos/a.jpg").unlink(missing_ok=True)
            told += source.take(100)
        mount.heal()

        assert heard(source) == [deleted(b"photos/a.jpg")]

    assert told == []


def test_an_error_at_the_second_look_is_no_deletion(mount: Mount, source_folder: Path) -> None:
    with polling(mount.place) as source:
        mount.order("getattr EIO /photos/a.jpg")
        (source_folder / "photos/a.jpg").unlink()
        wait_for_hindrance(source, f"{mount.place}/photos/a.jpg cannot be looked at: Input/output error.")

        assert source.take(100) == []


def test_a_server_that_dies_hinders_and_tells_nothing(mount: Mount) -> None:
    with polling(mount.place) as source:
        mount.kill()
        wait_for_hindrance(source, f"{mount.place} cannot be listed: Transport endpoint is not connected.")

        assert source.take(100) == []


def test_a_server_that_dies_is_a_gap_where_the_root_is_confirmed(mount: Mount) -> None:
    def confirm() -> None:
        try:
            os.stat(mount.place)
        except OSError as error:
            raise GapError(GapReason.NOT_WATCHED, f"{error.strerror}.") from error

    with polling(mount.place, confirm=confirm) as source:
        mount.kill()

        assert str(ended(source)[0]) in {
            "not_watched: Transport endpoint is not connected.",
            "not_watched: Software caused connection abort.",  # to the one who was just being served
        }


@pytest.mark.parametrize("operation", ["readdir", "getattr"])
def test_a_server_that_never_answers_holds_nobody_up(mount: Mount, operation: str) -> None:
    with polling(mount.place) as source:
        mount.order(f"{operation} hang")
        source.call("in vain")
        wait_until(lambda: mount.hangs)
        began = time.monotonic()
        assert (source.take(10), source.hindrance()) == ([], None)
        assert source.answers_within == 30.0

        source.close()

        assert 1.5 < time.monotonic() - began < 5.0
        assert source._thread.is_alive()
    mount.kill()  # which ends the wait of the thread, too
    source._thread.join(10)
    assert not source._thread.is_alive()


def test_a_server_that_answers_again_is_heard_again(mount: Mount, source_folder: Path) -> None:
    with polling(mount.place) as source:
        mount.order("readdir hang /photos")
        wait_until(lambda: mount.hangs)
        (source_folder / "photos/a.jpg").unlink()
        mount.heal()

        assert heard(source) == [deleted(b"photos/a.jpg")]


def test_a_server_that_never_answers_makes_no_source(mount: Mount) -> None:
    mount.order("readdir hang /photos")

    with pytest.raises(GapError) as gap, polling(mount.place, patience=0.3):
        pass

    assert (gap.value.reason, gap.value.detail) == (GapReason.THREAD_DIED, f"{mount.place} does not answer.")
