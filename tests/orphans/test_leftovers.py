"""What a scan leaves over: listed, and found to be named by no record."""

import os
from pathlib import Path

import pytest

from auditor.orphans import disk, leftovers
from auditor.orphans.disk import Disk, Verdict
from tests.makers import make_file, real, settle


def left(looked: Disk) -> dict[str, set[str]]:
    return {head: set(one.names) for head, one in looked.leftovers().items()}


def test_names_that_were_judged_are_not_left_over(media: Path) -> None:
    for name in "abcd":
        make_file(media, f"photos/{name}")
    settle(media)
    looked = Disk(real(media))

    looked.judge(["photos/a", "photos/gone"])
    looked.judge(["photos/c"])

    assert left(looked) == {"photos/": {"photos/b", "photos/d"}}


def test_names_in_a_large_folder_may_be_asked_for_again(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LARGE_BYTES", 0)
    for name in "abcd":
        make_file(media, f"photos/{name}")
    settle(media)
    looked = Disk(real(media))

    verdicts = [
        {name: look.verdict for name, look in looked.judge(some).items() if look.verdict is not Verdict.PRESENT}
        for some in (["photos/a", "photos/gone"], ["photos/a", "photos/c"], ["photos/c", "photos/gone"])
    ]

    assert verdicts == [{"photos/gone": Verdict.MISSING}, {}, {"photos/gone": Verdict.MISSING}]
    assert left(looked) == {"photos/": {"photos/b", "photos/d"}}


def test_folders_that_had_to_be_listed_twice_keep_what_was_left_both_times(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LISTED_NAMES", 2)
    for name in ("x/a", "x/b", "x/c", "y/a"):
        make_file(media, name)
    settle(media)
    looked = Disk(real(media))

    for name in ("x/a", "y/a", "x/b"):
        looked.judge([name])

    assert left(looked) == {"x/": {"x/c"}, "y/": set()}


def test_names_that_came_between_two_listings_are_left_over(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LISTED_NAMES", 2)
    for name in ("x/a", "x/b", "y/a"):
        make_file(media, name)
    settle(media)
    looked = Disk(real(media))
    looked.judge(["x/a"])
    looked.judge(["y/a"])

    make_file(media, "x/new")
    os.utime(media / "x", (1, 1))
    looked.judge(["x/b"])

    assert left(looked) == {"x/": {"x/a", "x/new"}, "y/": set()}


def test_folders_with_more_than_can_be_kept_are_not_known(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "KEPT_NAMES", 2)
    for name in ("x/a", "x/b", "y/a", "y/b", "y/c", "z/a"):
        make_file(media, name)
    settle(media)
    looked = Disk(real(media))

    looked.judge(["x/a", "y/gone", "z/gone"])

    assert left(looked) == {"x/": {"x/b"}, "z/": {"z/a"}}


def test_large_folder_that_is_not_listed_is_not_known(media: Path) -> None:
    for number in range(500):
        make_file(media, f"photos/{number:060}.jpg")
    settle(media)
    looked = Disk(real(media))

    looked.judge([f"photos/{number:060}.jpg" for number in range(5)])

    assert left(looked) == {}


def test_large_folder_in_which_all_of_a_long_question_lies_is_listed(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LONG_QUESTION", 20)
    monkeypatch.setattr(disk, "MORE_TO_COME", 1_000)
    names = [f"photos/{number:060}.jpg" for number in range(500)]
    for name in names:
        make_file(media, name)
    settle(media)
    looked = Disk(real(media))

    looked.judge(names[:19])
    before = left(looked)
    looked.judge(names[:20])

    assert (before, left(looked)) == ({}, {"photos/": set(names[20:])})


def test_changed_folder_is_not_whole(media: Path) -> None:
    make_file(media, "photos/a")
    settle(media)
    looked = Disk(real(media))
    looked.judge(["photos/a"])
    found = looked.leftovers()["photos/"]
    before = found.is_whole(f"{media}/photos")

    make_file(media, "photos/b")

    assert (before, found.is_whole(f"{media}/photos"), found.is_whole(f"{media}/gone")) == (True, False, False)


def test_folder_that_has_only_just_changed_is_not_known(media: Path) -> None:
    make_file(media, "photos/a")
    looked = Disk(real(media))

    looked.judge(["photos/a"])

    assert left(looked) == {}
