"""The proofs: that a call is heard, and that the watches are those that the disk asks for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import created, ended, heard, listening, make, removed
from watcher.ignored import matcher, never
from watcher.notices import Kind
from watcher.watch_list import Watches, differences

pytestmark = [pytest.mark.live, pytest.mark.sqlite]


def test_ignored_directories_are_not_heard_and_their_names_decide_from_one_rename_to_the_next(root: Path) -> None:
    make(root / "cache/below", "x.jpg")
    make(root / "photos", "y.jpg")
    with listening(root, is_ignored=matcher(["**/cache"], str(root))) as source:
        (root / "cache/below/x.jpg").unlink()
        assert (heard(source), source.directories, source.differences()) == ([], 2, [])

        (root / "cache").rename(root / "kept")
        assert heard(source) == [(Kind.MOVED, b"cache", True, b"kept"), created(b"kept/below", is_directory=True)]
        assert (source.directories, source.differences()) == (4, [])

        (root / "photos").rename(root / "kept/cache")
        (root / "kept/cache/y.jpg").unlink()
        assert heard(source) == [(Kind.MOVED, b"photos", True, b"kept/cache")]
        assert (source.directories, source.differences(), source.hindrance()) == (3, [], None)

        make(root / "cache")
        assert heard(source) == [created(b"cache", is_directory=True)]
        assert (source.directories, source.differences()) == (3, [])


def test_what_differs_from_the_disk_is_said_for_each_directory(root: Path) -> None:
    for name in ("ended", "forgotten", "swapped", "stale"):
        make(root / name)
    with listening(root) as source:
        known = source._tree.known
        source._reader.remove_watch(known.watches[b"ended/"])
        heard(source)
        forgotten = known.watches[b"forgotten/"]
        known.forget(forgotten)
        known.put(known.watches[b"swapped/"], b"gone/")
        known.put(known.watches[b"stale/"], b"swapped/")

        assert sorted(source.differences()) == sorted(
            [
                "ended is not watched.",
                "forgotten is not watched.",
                f"Watch {forgotten} is on a directory that has left.",
                "The watch of swapped is on another directory.",
                "stale is not watched.",
                "gone is watched and not there.",
            ]
        )


def test_a_change_of_directories_gives_reason_to_compare_again(root: Path, tmp_path: Path) -> None:
    make(root, "x.jpg")
    with listening(root) as source:
        assert source.folders_changed
        for change, is_reason in (
            (lambda: (root / "x.jpg").rename(root / "y.jpg"), False),
            ((root / "a").mkdir, True),
            (lambda: (root / "a").rename(root / "b"), True),
            (lambda: (root / "b").rename(tmp_path / "b"), True),
            (lambda: (tmp_path / "b").rename(root / "b"), True),
            ((root / "b").rmdir, True),
        ):
            source.folders_changed = False
            change()
            heard(source)
            assert source.folders_changed is is_reason


def test_a_directory_that_a_program_stands_in_is_forgotten_when_it_is_removed(root: Path) -> None:
    make(root / "a")
    with listening(root) as source:
        held = os.open(root / "a", os.O_RDONLY)
        (root / "a").rmdir()

        assert heard(source) == [removed(b"a")]
        assert (source.directories, source.differences()) == (1, [])
        os.close(held)


def test_a_kernel_that_does_not_show_its_list_is_a_difference(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watcher.watch_list.PROCESS", "/nonexistent")
    with listening(root) as source:
        assert source.differences() == ["The kernel's list of watches cannot be read: No such file or directory."]


def test_a_root_whose_inodes_the_kernel_tells_apart_from_its_own_is_compared_by_name(root: Path) -> None:
    (root / "a").mkdir()
    known = {b"": 1, b"a/": 2}

    def said(kept: dict[int, int]) -> list[str]:
        watches = Watches(known=known, kept=kept, unwatched=frozenset())
        return differences(bytes(root), watches, never)

    assert said({1: 5, 2: 6}) == []  # as on overlayfs
    assert said({1: root.stat().st_ino, 2: 6}) == ["The watch of a is on another directory."]
    assert said({1: 5}) == ["a is not watched."]


def test_a_copied_tree_is_watched_and_its_files_are_told(root: Path, tmp_path: Path) -> None:
    for number in range(100):
        make(tmp_path / f"tree/{number}/a/b", "x.jpg")
    with listening(root) as source:
        subprocess.run(["cp", "-r", tmp_path / "tree", root], check=True)

        told = {path for kind, path, is_directory, _ in heard(source) if kind is Kind.CREATED and not is_directory}

        assert told == {b"tree/%d/a/b/x.jpg" % number for number in range(100)}
        assert (source.directories, source.differences()) == (302, [])


def test_what_an_earlier_source_left_in_the_folder_for_calls_is_removed(root: Path, tmp_path: Path) -> None:
    calls = make(tmp_path / "root-calls", "token")
    with listening(root) as source:
        assert os.listdir(calls) == []
        assert heard(source) == []


def test_a_folder_for_calls_that_vanishes_is_a_gap(root: Path, tmp_path: Path) -> None:
    with listening(root) as source:
        shutil.rmtree(tmp_path / "root-calls")

        gap, _ = ended(source)

    assert (gap.reason, gap.detail) == (
        GapReason.SPOOL_FAILED,
        "The state folder was removed.",
    )
