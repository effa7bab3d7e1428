"""The directories of a root, watched by a kernel that is played here."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.notices import GapError
from watcher.tree import WatchedTree


def make_tree(root: Path, add: Callable[[bytes], int]) -> WatchedTree:
    return WatchedTree(os.fsencode(root), add=add, remove=lambda _: 0)


def test_each_directory_is_watched_before_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    def add_and_fill(path: bytes) -> int:
        (Path(os.fsdecode(path)) / f"made-by-{len(os.listdir(path))}").touch()
        return os.stat(path).st_ino

    found = list(make_tree(tmp_path, add_and_fill).watch(b""))

    assert sorted(found) == [(b"a", True), (b"a/made-by-0", False), (b"made-by-1", False)]


def test_a_directory_that_cannot_be_listed_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: bytes) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.scandir", fail)

    with pytest.raises(GapError) as raised:
        list(make_tree(tmp_path, lambda _: 1).watch(b""))

    assert (raised.value.reason, raised.value.detail) == (
        GapReason.NOT_WATCHED,
        f"{tmp_path} cannot be listed: Input/output error.",
    )


def test_a_directory_that_vanishes_before_it_is_listed_is_no_gap(tmp_path: Path) -> None:
    def add_and_remove(path: bytes) -> int:
        os.rmdir(path)
        return 1

    (tmp_path / "a").mkdir()

    assert list(make_tree(tmp_path / "a", add_and_remove).watch(b"")) == []


def test_a_kernel_without_the_setting_still_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SETTINGS", "/nonexistent")

    assert limits.overflow() == "The kernel's queue overflowed. Raise fs.inotify.max_queued_events."
