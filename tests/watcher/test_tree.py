"""The directories of a root, watched by a kernel that is played here."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.ignored import never
from watcher.notices import GapError
from watcher.tree import Unwatched, WatchedTree

pytestmark = pytest.mark.sqlite


def by_inode(path: bytes) -> int:
    """A watch for each directory, as the kernel gives it."""
    try:
        return os.lstat(path).st_ino
    except OSError as error:
        ctypes.set_errno(error.errno or 0)
        return -1


def make_tree(
    root: Path,
    add: Callable[[bytes], int] = by_inode,
    *,
    removed: list[int] | None = None,
    is_ignored: Callable[[bytes], bool] = never,
) -> WatchedTree:
    ended: list[int] = [] if removed is None else removed
    return WatchedTree(os.fsencode(root), add=add, remove=ended.append, is_ignored=is_ignored)


def inode(path: Path) -> int:
    return path.lstat().st_ino


def test_each_directory_is_watched_before_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    def add_and_fill(path: bytes) -> int:
        (Path(os.fsdecode(path)) / f"made-by-{len(os.listdir(path))}").touch()
        return by_inode(path)

    found = list(make_tree(tmp_path, add_and_fill).watch(b""))

    assert sorted(found) == [(b"a", True), (b"a/made-by-0", False), (b"made-by-1", False)]


def test_a_root_that_cannot_be_listed_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: bytes) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.scandir", fail)

    with pytest.raises(GapError) as raised:
        list(make_tree(tmp_path).watch(b""))

    assert (raised.value.reason, raised.value.detail) == (
        GapReason.NOT_WATCHED,
        f"{tmp_path} cannot be listed: Input/output error.",
    )


def test_a_directory_that_cannot_be_listed_is_remembered_and_stays_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad/below").mkdir(parents=True)
    (tmp_path / "good").mkdir()
    tree, scandir = make_tree(tmp_path), os.scandir

    def fail_for_one(path: bytes) -> object:
        if path.endswith(b"/bad"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return scandir(path)

    with monkeypatch.context() as broken:
        broken.setattr("os.scandir", fail_for_one)
        list(tree.watch(b""))

    assert tree.unwatched == {b"bad/": Unwatched(f"{tmp_path}/bad cannot be listed: Input/output error.")}
    assert set(tree.known.watches) == {b"", b"bad/", b"good/"}
    assert list(tree.retry()) == [(b"bad/below", True)]
    assert tree.unwatched == {}
    assert set(tree.known.watches) == {b"", b"bad/", b"good/", b"bad/below/"}


def test_a_directory_that_vanishes_before_it_is_listed_is_no_hindrance(tmp_path: Path) -> None:
    def add_and_remove(path: bytes) -> int:
        os.rmdir(path)
        return 1

    (tmp_path / "a").mkdir()
    tree = make_tree(tmp_path / "a", add_and_remove)

    assert list(tree.watch(b"")) == []
    assert tree.hindrance() == ""


def test_what_stands_under_a_name_that_was_left_keeps_its_watch(tmp_path: Path) -> None:
    (tmp_path / "a/old").mkdir(parents=True)
    removed: list[int] = []
    tree = make_tree(tmp_path, removed=removed)
    list(tree.watch(b""))
    watches = {inode(tmp_path / "a"), inode(tmp_path / "a/old")}
    (tmp_path / "a").rename(tmp_path.parent / f"{tmp_path.name}-out")
    (tmp_path / "a/new").mkdir(parents=True)

    assert list(tree.leave(b"a/")) == [(b"a/new", True)]

    assert set(removed) == watches
    assert tree.known.watches == {
        b"": inode(tmp_path),
        b"a/": inode(tmp_path / "a"),
        b"a/new/": inode(tmp_path / "a/new"),
    }


def test_a_directory_that_a_walk_does_not_find_again_loses_its_watch(tmp_path: Path) -> None:
    (tmp_path / "a/gone").mkdir(parents=True)
    removed: list[int] = []
    tree = make_tree(tmp_path, removed=removed)
    list(tree.watch(b""))
    gone = inode(tmp_path / "a/gone")
    (tmp_path / "a/gone").rename(tmp_path.parent / f"{tmp_path.name}-out")
    (tmp_path / "a").rename(tmp_path / "b")

    assert list(tree.follow(b"a/", b"b/")) == []

    assert removed == [gone]
    assert set(tree.known.watches) == {b"", b"b/"}


def test_an_ignored_directory_is_told_and_neither_watched_nor_listed(tmp_path: Path) -> None:
    (tmp_path / "cache/below").mkdir(parents=True)
    (tmp_path / "a").mkdir()
    removed: list[int] = []
    tree = make_tree(tmp_path, removed=removed, is_ignored=lambda path: path.endswith(b"cache"))

    assert sorted(tree.watch(b"")) == [(b"a", True), (b"cache", True)]
    assert set(tree.known.watches) == {b"", b"a/"}

    (tmp_path / "cache").rename(tmp_path / "b")
    assert list(tree.follow(b"cache/", b"b/")) == [(b"b/below", True)]
    assert set(tree.known.watches) == {b"", b"a/", b"b/", b"b/below/"}

    watch = inode(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "a-cache")
    assert list(tree.follow(b"a/", b"a-cache/")) == []
    assert removed == [watch]
    assert tree.hindrance() == ""


def test_a_kernel_without_the_setting_still_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SETTINGS", "/nonexistent")

    assert limits.overflow() == "The kernel's queue overflowed. Raise fs.inotify.max_queued_events."


def test_a_value_for_the_watches_is_twice_what_is_needed_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max_user_watches").write_text("8192\n")
    monkeypatch.setattr(limits, "SETTINGS", str(tmp_path))

    assert limits.more_watches(1).endswith(" which is 8192: sysctl fs.inotify.max_user_watches=32768")
    assert limits.more_watches(50_000).endswith("=116384")
