"""What is heard of real directories."""

import ctypes
import os
import shutil
import threading
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import created, deleted, gap_of, heard, listening, removed
from watcher.notices import Kind
from watcher.source import Source

pytestmark = pytest.mark.live
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def make(path: Path, *names: str) -> Path:
    """A directory with files in it."""
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / name).touch()
    return path


def exchange(one: Path, other: Path) -> None:
    renamed = ctypes.CDLL(None).renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE)
    assert renamed == 0


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


def test_the_other_half_of_a_move_is_waited_for(root: Path) -> None:
    class Halving(Source):
        """Reads one event at a time."""

        def _read_event_buffer(self, event_buffer_size: int) -> bytes:
            return super()._read_event_buffer(32)  # 16 bytes, and 16 for a short name

    make(root, "a.jpg")
    source = Halving(str(root), limit=100, wake=threading.Event())
    (root / "a.jpg").rename(root / "b.jpg")

    assert heard(source, token="short") == [(Kind.MOVED, b"a.jpg", False, b"b.jpg")]
    source.close()


def test_what_is_deleted_in_a_directory_that_has_left_is_not_told(root: Path, tmp_path: Path) -> None:
    make(root / "photos/2020", "a.jpg")
    with listening(root) as source:
        (root / "photos").rename(tmp_path / "elsewhere")
        assert heard(source) == [(Kind.MOVED_OUT, b"photos", True, b"")]
        make(root / "photos/2020", "a.jpg")
        heard(source)

        (tmp_path / "elsewhere/2020/a.jpg").unlink()

        assert heard(source) == []
        (root / "photos/2020/a.jpg").unlink()
        assert heard(source) == [deleted(b"photos/2020/a.jpg")]


def test_directories_made_fast_and_deep_are_all_watched(root: Path) -> None:
    with listening(root) as source:
        for number in range(100):
            (root / f"{number}/b/c").mkdir(parents=True)
        heard(source)
        assert source.directories == 301

        for number in range(100):
            (root / f"{number}/b/c/x.jpg").touch()
            (root / f"{number}/b/c/x.jpg").unlink()

        assert [notice for notice in heard(source) if notice[0] is Kind.DELETED] == [
            deleted(b"%d/b/c/x.jpg" % number) for number in range(100)
        ]


def test_a_tree_that_is_moved_in_is_told_and_watched(root: Path, tmp_path: Path) -> None:
    make(tmp_path / "tree/sub", "x.jpg")
    with listening(root) as source:
        (tmp_path / "tree").rename(root / "tree")
        assert sorted(heard(source)) == sorted(
            [
                created(b"tree", is_directory=True),
                created(b"tree/sub", is_directory=True),
                created(b"tree/sub/x.jpg"),
            ],
        )

        (root / "tree/sub/x.jpg").unlink()

        assert heard(source) == [deleted(b"tree/sub/x.jpg")]


def test_a_renamed_directory_speaks_under_its_new_name(root: Path) -> None:
    make(root / "a/sub", "x.jpg")
    with listening(root) as source:
        (root / "a").rename(root / "b")
        assert heard(source)[0] == (Kind.MOVED, b"a", True, b"b")

        (root / "b/sub/x.jpg").unlink()

        assert heard(source) == [deleted(b"b/sub/x.jpg")]
        assert source.directories == 3


def test_a_directory_made_just_before_its_parent_is_renamed_is_watched(root: Path) -> None:
    make(root / "a")
    with listening(root) as source:
        for number in range(50):
            (root / f"a/{number}").mkdir()
            (root / "a").rename(root / "b")
            (root / "b").rename(root / "a")
        heard(source)

        assert source.directories == 52


def test_exchanged_directories_speak_under_each_others_name(root: Path) -> None:
    make(root / "a/only_a", "x.jpg")
    make(root / "b/only_b", "y.jpg")
    with listening(root) as source:
        exchange(root / "a", root / "b")
        heard(source)

        (root / "a/only_b/y.jpg").unlink()
        (root / "b/only_a/x.jpg").unlink()

        assert heard(source) == [deleted(b"a/only_b/y.jpg"), deleted(b"b/only_a/x.jpg")]
        assert source.directories == 5


@pytest.mark.parametrize("times", range(4))
def test_what_is_left_of_an_exchange_is_still_watched(root: Path, times: int) -> None:
    for name in ("old", "new"):
        (root / name).mkdir()
        (root / name / "1").touch()
    with listening(root) as source:
        for _ in range(times + 1):
            exchange(root / "old", root / "new")
        shutil.rmtree(root / "new")
        heard(source)

        (root / "old" / "1").unlink()

        assert heard(source) == [deleted(b"old/1")]


def test_a_directory_made_again_under_the_same_name_is_watched(root: Path) -> None:
    make(root / "photos", "a.jpg")
    with listening(root) as source:
        for _ in range(50):
            shutil.rmtree(root / "photos")
            make(root / "photos", "a.jpg")
        heard(source)

        (root / "photos/a.jpg").unlink()

        assert heard(source) == [deleted(b"photos/a.jpg")]
        assert source.directories == 2


def test_a_directory_that_left_and_one_of_its_name_do_not_confuse_the_reader(root: Path, tmp_path: Path) -> None:
    make(root / "photos", "a.jpg")
    with listening(root) as source:
        (root / "photos").rename(tmp_path / "elsewhere")
        make(root / "photos")
        (root / "photos").rmdir()
        shutil.rmtree(tmp_path / "elsewhere")

        assert heard(source)[-1] == removed(b"photos")
        assert source.is_alive()


def test_symlinks_are_not_followed(root: Path, tmp_path: Path) -> None:
    make(tmp_path / "outside", "a.jpg")
    with listening(root) as source:
        (root / "link").symlink_to(tmp_path / "outside")
        (tmp_path / "outside/a.jpg").unlink()

        assert heard(source) == [created(b"link")]
        assert source.directories == 1


def test_twenty_thousand_deletions_at_full_speed_are_all_heard(root: Path) -> None:
    for folder in range(20):
        make(root / f"{folder:02}", *(f"{number:03}" for number in range(1000)))
    with listening(root) as source:
        shutil.rmtree(root / "00")  # in Python, and then by a program that does nothing else
        os.system(f"rm -rf {root}/*")

        told = heard(source)

    assert sorted(path for kind, path, is_directory, _ in told if not is_directory) == [
        b"%02d/%03d" % (folder, number) for folder in range(20) for number in range(1000)
    ]
    assert sorted(path for _, path, is_directory, _ in told if is_directory) == [b"%02d" % n for n in range(20)]


def test_a_renamed_root_is_a_gap_and_nothing_is_told_after_it(root: Path, tmp_path: Path) -> None:
    make(root, "a.jpg")
    with listening(root) as source:
        root.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere/a.jpg").unlink()

        gap = gap_of(source)

    assert (gap.reason, gap.detail) == (GapReason.ROOT_REPLACED, "The media folder was renamed.")


def test_a_removed_root_is_a_gap_after_its_deletions(root: Path) -> None:
    make(root, "a.jpg")
    with listening(root) as source:
        (root / "a.jpg").unlink()
        root.rmdir()
        source.join(10)

        assert [notice.path for notice in source.take(10)] == [b"a.jpg"]
        assert gap_of(source).reason is GapReason.ROOT_GONE


def test_more_notices_than_may_be_held_are_a_gap(root: Path) -> None:
    with listening(root, limit=10) as source:
        make(root, *(str(number) for number in range(20)))
        source.join(10)

        assert len(source.take(100)) == 10
        gap = gap_of(source)

    assert (gap.reason, gap.detail) == (
        GapReason.QUEUE_FULL,
        "10 notices waited for the database. Raise AUDITOR_QUEUE_LIMIT if memory allows.",
    )


def test_an_overflow_of_the_kernels_queue_is_a_gap(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    read = Source._read_event_buffer

    def stalled(self: Source, event_buffer_size: int) -> bytes:
        go_on.wait(60)
        return read(self, event_buffer_size)

    monkeypatch.setattr(Source, "_read_event_buffer", stalled)
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as stream:
        held = int(stream.read())
    with listening(root) as source:
        for _ in range(held // 2 + 10):
            (root / "a.jpg").touch()
            (root / "a.jpg").unlink()
        go_on.set()
        source.join(20)

        assert len(source.take(1_000_000)) == held
        gap = gap_of(source)

    assert gap.reason is GapReason.OVERFLOW
    assert gap.detail == (
        f"The kernel's queue overflowed. Raise fs.inotify.max_queued_events, which is {held}: "
        f"sysctl fs.inotify.max_queued_events={4 * held}"
    )


def test_an_error_in_the_reader_is_a_gap_and_never_silence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Source, event_buffer: bytes) -> list[object]:
        raise KeyError("x")

    monkeypatch.setattr(Source, "_parse_event_buffer", fail)
    with listening(root) as source:
        (root / "a.jpg").touch()

        gap = gap_of(source)

    assert (gap.reason, gap.detail) == (GapReason.THREAD_DIED, "KeyError: 'x'")


def test_closing_leaves_no_thread_descriptor_or_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(make(tmp_path / "tmp")))
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with listening(root) as source:
        assert os.listdir(tmp_path / "tmp")
        source.close()

    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, descriptors)
    assert os.listdir(tmp_path / "tmp") == []
