"""What is heard of real directories."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import created, deleted, ended, heard, listening, make
from tests.watcher.waiting import wait_until
from watcher.inotify import Reader
from watcher.notices import Kind

pytestmark = [pytest.mark.live, pytest.mark.sqlite]


def test_a_deleted_file_is_heard(root: Path) -> None:
    make(root / "photos", "a.jpg")
    with listening(root) as source:
        (root / "photos/a.jpg").unlink()

        assert heard(source) == [deleted(b"photos/a.jpg")]


def test_files_that_come_and_go_are_heard_in_order(root: Path) -> None:
    with listening(root) as source:
        (root / "a.jpg").touch()
        (root / "a.jpg").unlink()
        (root / "a.jpg").touch()

        assert heard(source) == [created(b"a.jpg"), deleted(b"a.jpg"), created(b"a.jpg")]


def test_a_name_that_is_not_utf_8_is_heard_as_it_is(root: Path) -> None:
    strange = os.path.join(os.fsencode(root), b"\xe4\n.jpg")
    os.close(os.open(strange, os.O_CREAT))
    with listening(root) as source:
        os.unlink(strange)

        assert heard(source) == [deleted(b"\xe4\n.jpg")]


def test_a_rename_inside_is_one_notice(root: Path) -> None:
    make(root / "a", "x.jpg")
    make(root / "b")
    with listening(root) as source:
        (root / "a/x.jpg").rename(root / "b/y.jpg")

        assert heard(source) == [(Kind.MOVED, b"a/x.jpg", False, b"b/y.jpg")]


def test_a_file_moved_out_is_told_without_a_wait_for_its_other_half(root: Path, tmp_path: Path) -> None:
    make(root, "a.jpg")
    with listening(root) as source:
        (root / "a.jpg").rename(tmp_path / "a.jpg")

        assert heard(source) == [(Kind.MOVED_OUT, b"a.jpg", False, b"")]


def test_a_file_moved_in_is_a_new_file(root: Path, tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    with listening(root) as source:
        (tmp_path / "a.jpg").rename(root / "a.jpg")

        assert heard(source) == [created(b"a.jpg")]


def test_the_other_half_of_a_move_is_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watcher.inotify.BUFFER_BYTES", 32)  # one event: 16 bytes, and 16 for a short name
    make(root, "a.jpg")
    with listening(root) as source:
        (root / "a.jpg").rename(root / "b.jpg")

        assert heard(source, token="short") == [(Kind.MOVED, b"a.jpg", False, b"b.jpg")]


def test_deletions_at_full_speed_are_all_heard(root: Path) -> None:
    # Fewer than the kernel's queue holds: this is about the reader, not about the speed of the machine.
    for folder in range(15):
        make(root / f"{folder:02}", *(f"{number:03}" for number in range(1000)))
    with listening(root) as source:
        shutil.rmtree(root / "00")  # in Python, and then by a program that does nothing else
        os.system(f"rm -rf {root}/*")

        told = heard(source)

    assert sorted(path for kind, path, is_directory, _ in told if not is_directory) == [
        b"%02d/%03d" % (folder, number) for folder in range(15) for number in range(1000)
    ]
    assert sorted(path for _, path, is_directory, _ in told if is_directory) == [b"%02d" % n for n in range(15)]


def test_symlinks_are_not_followed(root: Path, tmp_path: Path) -> None:
    make(tmp_path / "outside", "a.jpg")
    with listening(root) as source:
        (root / "link").symlink_to(tmp_path / "outside")
        (tmp_path / "outside/a.jpg").unlink()

        assert heard(source) == [created(b"link")]
        assert source.directories == 1


def test_a_renamed_root_is_a_gap_and_nothing_is_told_after_it(root: Path, tmp_path: Path) -> None:
    make(root, "a.jpg")
    with listening(root) as source:
        root.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere/a.jpg").unlink()

        gap, told = ended(source)

    assert told == []
    assert (gap.reason, gap.detail) == (GapReason.ROOT_REPLACED, "The media folder was renamed.")


def test_a_removed_root_is_a_gap_after_its_deletions(root: Path) -> None:
    make(root, "a.jpg")
    with listening(root) as source:
        (root / "a.jpg").unlink()
        root.rmdir()
        gap, told = ended(source)

    assert (gap.reason, [notice.path for notice in told]) == (GapReason.ROOT_GONE, [b"a.jpg"])


def test_more_notices_than_may_be_held_are_a_gap(root: Path) -> None:
    with listening(root, limit=10) as source:
        make(root, *(str(number) for number in range(20)))
        wait_until(lambda: not source._parser.is_alive())
        told = source.take(100)
        gap, _ = ended(source)

    assert (len(told), source.high_water, source.seen) == (10, 10, 10)
    assert (gap.reason, gap.detail) == (
        GapReason.QUEUE_FULL,
        "10 notices waited for the database. Raise AUDITOR_QUEUE_LIMIT if memory allows.",
    )


def test_more_events_than_may_wait_to_be_looked_at_are_a_gap(root: Path, tmp_path: Path) -> None:
    make(root / "a")
    with listening(root, limit=100) as source:
        with source._lock:
            (root / "a").rename(tmp_path / "a")  # what happens in there is no notice
            make(tmp_path / "a", *(f"{number:015}" for number in range(200)))
            wait_until(lambda: not source._reader.is_alive())
        gap, told = ended(source)

    assert [(notice.kind, notice.path) for notice in told] == [(Kind.MOVED_OUT, b"a")]
    assert (gap.reason, gap.detail) == (
        GapReason.QUEUE_FULL,
        "100 events waited to be looked at. Raise AUDITOR_QUEUE_LIMIT if memory allows.",
    )


def test_an_overflow_of_the_kernels_queue_is_a_gap(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    read = Reader.read_some

    def stalled(self: Reader) -> bytes:
        go_on.wait(60)
        return read(self)

    monkeypatch.setattr(Reader, "read_some", stalled)
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as stream:
        held = int(stream.read())
    with listening(root) as source:
        for _ in range(held // 2 + 10):
            (root / "a.jpg").touch()
            (root / "a.jpg").unlink()
        go_on.set()
        gap, told = ended(source)

    assert len(told) == held
    assert (gap.reason, gap.detail) == (
        GapReason.OVERFLOW,
        f"The kernel's queue overflowed. Raise fs.inotify.max_queued_events, which is {held}: "
        f"sysctl fs.inotify.max_queued_events={4 * held}",
    )


def test_an_error_in_the_reader_is_a_gap_and_never_silence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise KeyError("x")

    monkeypatch.setattr(Reader, "read_some", fail)
    with listening(root) as source:
        gap, _ = ended(source)

    assert (gap.reason, gap.detail) == (GapReason.THREAD_DIED, "KeyError: 'x'")


def test_an_error_while_notices_are_made_is_a_gap_and_never_silence(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise KeyError("x")

    with listening(root) as source:
        monkeypatch.setattr("watcher.readings.parsed", fail)
        (root / "a.jpg").touch()
        gap, _ = ended(source)

        wait_until(lambda: not source._reader.is_alive())

    assert (gap.reason, gap.detail) == (GapReason.THREAD_DIED, "KeyError: 'x'")


def test_closing_leaves_no_thread_or_descriptor(root: Path) -> None:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with listening(root) as source:
        source.call("a")
        source.close()

    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, descriptors)


def test_closing_does_not_wait_for_a_thread_that_hangs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, hangs = threading.Event(), threading.Event()

    def hang(path: bytes) -> None:
        hangs.set()
        go_on.wait(60)
        raise FileNotFoundError

    with listening(root) as source:
        monkeypatch.setattr("os.scandir", hang)
        (root / "a").mkdir()
        hangs.wait(10)
        started = time.monotonic()
        source.close()
        lasted = time.monotonic() - started
        still_held = os.path.exists(f"/proc/self/fd/{source._reader.descriptor}")
        go_on.set()
        wait_until(lambda: not source._parser.is_alive())
        source._reader.free()

    assert (lasted < 5, still_held) == (True, True)
