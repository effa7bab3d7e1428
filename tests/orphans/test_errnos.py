"""Verdicts: only "no such file" and "not a directory" mean missing; every other errno is unknown, and says which."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.orphans.disk import MISSING, Disk, Verdict, judge_error, look_at, look_now
from tests.makers import make_file, real
from tests.orphans.looking import broken, judge, shared_media, unknown, without_privileges

GONE = (errno.ENOENT, errno.ENOTDIR)
EVERY_ERRNO = sorted(errno.errorcode)
OTHER_ERRNOS = [number for number in EVERY_ERRNO if number not in GONE]


@pytest.mark.parametrize("number", EVERY_ERRNO, ids=lambda number: errno.errorcode[number])
def test_any_errno_but_two_is_unknown(number: int, media: Path) -> None:
    make_file(media, "photos/a.jpg")
    expected = MISSING if number in GONE else unknown(number)

    with broken("lstat", number):
        looks = [
            look_at(f"{media}/photos/b.jpg"),
            look_now(real(media), "photos/b.jpg"),
            look_now(real(media), "photos//b.jpg"),
            *judge(media, "photos/b.jpg", "photos//b.jpg").values(),
        ]

    assert looks == [expected] * 5


@pytest.mark.parametrize("number", OTHER_ERRNOS, ids=lambda number: errno.errorcode[number])
@pytest.mark.parametrize("function", ["listdir", "stat"])
def test_a_folder_that_cannot_be_read_makes_all_its_names_unknown(function: str, number: int, media: Path) -> None:
    make_file(media, "photos/a.jpg")
    looked = Disk(real(media))

    with broken(function, number):
        looks = looked.judge(["photos/a.jpg", "photos/b.jpg", "c.jpg"])

    assert looks == dict.fromkeys(["photos/a.jpg", "photos/b.jpg", "c.jpg"], unknown(number))
    assert looked.unlisted == {"photos": unknown(number).reason, ".": unknown(number).reason}


@pytest.mark.parametrize("name", ["loop/a.jpg", f"{'x' * 300}/a.jpg"], ids=["circle", "too long"])
def test_a_folder_that_no_disk_could_list_makes_its_names_unknown_and_no_more(name: str, media: Path) -> None:
    (media / "loop").symlink_to("loop")
    looked = Disk(real(media))

    looks = looked.judge([name, "gone.jpg"])

    assert [looks[one].verdict for one in (name, "gone.jpg")] == [Verdict.UNKNOWN, Verdict.MISSING]
    assert looked.unlisted == {}


@given(st.integers(1, 600))
def test_an_errno_without_a_name_is_unknown_too(number: int) -> None:
    assert judge_error(OSError(number, os.strerror(number))) == (MISSING if number in GONE else unknown(number))


def test_an_error_without_an_errno_is_unknown() -> None:
    assert judge_error(OSError("odd")).verdict is Verdict.UNKNOWN


def make_closed_folder(media: Path, mode: int) -> None:
    make_file(media, "photos/a.jpg")
    os.chmod(media / "photos", mode)


EACCES = unknown(errno.EACCES)


def test_an_unreadable_folder_keeps_its_records() -> None:
    with shared_media() as media:
        make_closed_folder(media, 0o000)
        looked = Disk(real(media))

        with without_privileges():
            looks = looked.judge(["photos/a.jpg", "photos/b.jpg", "c.jpg"])
            alone = look_now(real(media), "photos/b.jpg")

        assert looks == {"photos/a.jpg": EACCES, "photos/b.jpg": EACCES, "c.jpg": MISSING}
        assert looked.unlisted == {"photos": "EACCES: Permission denied"}
        assert alone == EACCES


def test_a_folder_that_can_be_listed_but_not_entered_keeps_its_records() -> None:
    with shared_media() as media:
        make_closed_folder(media, 0o444)

        with without_privileges():
            looks = judge(media, "photos/a.jpg", "photos/b.jpg", "photos/deeper/c.jpg")

        assert looks == {"photos/b.jpg": EACCES, "photos/deeper/c.jpg": EACCES}


def test_a_folder_that_can_be_entered_but_not_listed_keeps_its_records() -> None:
    with shared_media() as media:
        make_closed_folder(media, 0o111)

        with without_privileges():
            looks = judge(media, "photos/a.jpg", "photos/b.jpg")

        assert looks == {"photos/a.jpg": EACCES, "photos/b.jpg": EACCES}
