"""That every directory of a real tree stays watched, under the name that it has."""

import ctypes
import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.watcher.listening import created, deleted, heard, listening, make, removed
from watcher.notices import Kind

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def exchange(one: Path, other: Path) -> None:
    renamed = ctypes.CDLL(None).renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE)
    assert renamed == 0


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
        assert source.differences() == []


def test_a_directory_moved_into_one_that_was_just_moved_is_watched(root: Path, tmp_path: Path) -> None:
    for number in range(30):
        make(root / f"{number}/inner", "x.jpg")
    with listening(root) as source:
        for number in range(29):
            (root / f"{number}").rename(root / f"{number + 1}/inner/moved")
            (root / f"{number + 1}/inner").rename(root / f"{number + 1}/other")
        heard(source)
        deep = root.joinpath("29", *["other", "moved"] * 29, "inner")

        (deep / "x.jpg").unlink()

        assert heard(source) == [deleted(os.path.relpath(bytes(deep / "x.jpg"), bytes(root)))]
        assert (source.differences(), source.directories) == ([], 61)


def test_a_directory_that_left_while_its_parent_was_renamed_is_not_heard(root: Path, tmp_path: Path) -> None:
    for number in range(50):
        make(root / f"{number}/sub", "x.jpg")
    with listening(root) as source:
        for number in range(50):
            (root / f"{number}/sub").rename(tmp_path / f"out-{number}")
            (root / f"{number}").rename(root / f"{number}-renamed")
        heard(source)
        for number in range(50):
            (tmp_path / f"out-{number}/x.jpg").unlink()

        assert heard(source) == []
        assert source.differences() == []


def test_a_name_that_is_known_ahead_of_the_queue_leaves_no_directory_watched_that_has_left(
    root: Path, tmp_path: Path
) -> None:
    make(root / "p/w", "x.jpg")
    with listening(root) as source:
        with source._lock:
            (root / "q").mkdir()  # once this is heard, what was p stands there
            (root / "q").rmdir()
            (root / "p/w").rename(tmp_path / "w")
            (root / "p").rename(root / "q")
        assert (Kind.MOVED, b"p", True, b"q") in heard(source)
        assert source.differences() == []

        (tmp_path / "w/x.jpg").unlink()

        assert heard(source) == []


def test_ten_thousand_renamed_directories_are_followed_at_full_speed(root: Path) -> None:
    for number in range(10_000):
        (root / f"{number}").mkdir()
    with listening(root) as source:
        for number in range(10_000):
            os.rename(f"{root}/{number}", f"{root}/{number}-renamed")
        told = heard(source)

        assert [notice for notice in told if notice[0] is Kind.MOVED] == [
            (Kind.MOVED, b"%d" % number, True, b"%d-renamed" % number) for number in range(10_000)
        ]
        assert source.differences() == []


def test_moves_that_other_programs_get_in_between_are_still_moves(root: Path) -> None:
    make(root / "noise")
    stop = threading.Event()

    def make_noise() -> None:
        while not stop.is_set():
            (root / "noise/x").touch()
            (root / "noise/x").unlink()

    make(root / "a", "x.jpg")
    with listening(root) as source:
        noise = threading.Thread(target=make_noise)
        noise.start()
        for _ in range(500):
            (root / "a").rename(root / "b")
            (root / "b").rename(root / "a")
        stop.set()
        noise.join()
        told = heard(source)

    assert [notice for notice in told if b"noise" not in notice[1] and notice[0] is not Kind.CREATED] == [
        (Kind.MOVED, b"a", True, b"b"),
        (Kind.MOVED, b"b", True, b"a"),
    ] * 500


def test_only_what_lies_in_a_watched_folder_is_within_reach_and_a_folder_that_comes_later_is_not(root: Path) -> None:
    (root / "d").mkdir()
    with listening(root) as source:
        hears = source.reach()
        before = [hears(b"a.jpg"), hears(b"d/a.jpg"), hears(b"new/a.jpg")]
        (root / "new").mkdir()
        heard(source)

        after = [hears(b"d/a.jpg"), hears(b"new/a.jpg"), source.reach()(b"new/a.jpg"), source.reach()(b"new/")]

    assert (before, after) == ([True, True, False], [True, False, True, True])
