"""Verdicts: only "no such file" and "not a directory" mean missing; every other answer is unknown, and says why."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from auditor.errors import AuditorError, ExitCode
from auditor.orphans import disk
from auditor.orphans.disk import (
    LEADS_OUT,
    LEAVES_ROOT,
    MISSING,
    NOT_A_NAME,
    ODDLY_PRESENT,
    PRESENT,
    Disk,
    Look,
    Verdict,
    holds_files,
    identity,
    is_directory,
    judge_error,
    look_at,
    look_now,
)
from tests.makers import make_file, real

GONE = (errno.ENOENT, errno.ENOTDIR)
HINT = "This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting."


def unknown(number: int) -> Look:
    """What is to be said of a name at which the system gives this errno."""
    return Look(Verdict.UNKNOWN, f"{errno.errorcode.get(number, 'error')}: {os.strerror(number)}", True)


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@contextmanager
def broken(function: str, number: int) -> Iterator[None]:
    """A system on which one function of `os` always fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, function, failing(number))
        yield


def judge(root: Path, *names: str, exact: bool = False) -> dict[str, Look]:
    return Disk(real(root), exact=exact).judge(names)


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


@given(st.integers(1, 600))
def test_an_errno_without_a_name_is_unknown_too(number: int) -> None:
    assert judge_error(OSError(number, os.strerror(number))) == (MISSING if number in GONE else unknown(number))


def test_an_error_without_an_errno_is_unknown() -> None:
    assert judge_error(OSError("odd")).verdict is Verdict.UNKNOWN


def make_hostile_tree(media: Path) -> None:
    for name in ("photos/a.jpg", "photos/line\nbreak.jpg", "photos/Ärger ☃.jpg", "photos/back\\slash.jpg", "photos/-"):
        make_file(media, name)
    make_file(media, "photos/empty.jpg", b"")
    make_file(media.with_name("outside"), "a.jpg")
    (media / "photos/folder.jpg").mkdir()
    for link, target in {
        "photos/dangling.jpg": "nowhere",
        "photos/leaving.jpg": "../../outside/a.jpg",
        "inside": "photos",
        "outside": "../outside",
        "unmounted": "/nonexistent/volume",
        "empty": "nowhere",
        "loop": "loop",
    }.items():
        (media / link).symlink_to(target)


TOO_LONG = unknown(errno.ENAMETOOLONG)
HOSTILE = {
    "photos/a.jpg": PRESENT,
    "photos/line\nbreak.jpg": PRESENT,
    "photos/Ärger ☃.jpg": PRESENT,
    "photos/back\\slash.jpg": PRESENT,
    "photos/-": PRESENT,
    "photos/empty.jpg": PRESENT,
    "photos/folder.jpg": PRESENT,
    "photos/dangling.jpg": PRESENT,
    "photos/leaving.jpg": PRESENT,
    "photos": PRESENT,
    "inside": PRESENT,
    "outside": PRESENT,
    "loop": PRESENT,
    "photos/b.jpg": MISSING,
    "photos/A.jpg": MISSING,
    "photos\\a.jpg": MISSING,
    "photos/line": MISSING,
    "gone/a.jpg": MISSING,
    "gone/deeper/a.jpg": MISSING,
    "photos/a.jpg/b.jpg": MISSING,
    "photos/a.jpg/b/c.jpg": MISSING,
    "": ODDLY_PRESENT,
    ".": ODDLY_PRESENT,
    "photos/": ODDLY_PRESENT,
    "photos//a.jpg": ODDLY_PRESENT,
    "./photos/a.jpg": ODDLY_PRESENT,
    "photos/./a.jpg": ODDLY_PRESENT,
    "photos/../photos/a.jpg": ODDLY_PRESENT,
    "gone/../photos/a.jpg": ODDLY_PRESENT,
    "photos/a.jpg/": ODDLY_PRESENT,
    "photos/a.jpg/.": ODDLY_PRESENT,
    "inside/a.jpg": ODDLY_PRESENT,
    "inside//a.jpg": ODDLY_PRESENT,
    "inside/": ODDLY_PRESENT,
    "outside/.": ODDLY_PRESENT,
    "photos//b.jpg": MISSING,
    "gone/": MISSING,
    "gone//a.jpg": MISSING,
    "inside/b.jpg": MISSING,
    "empty/a.jpg": MISSING,
    "..": LEAVES_ROOT,
    "../outside/a.jpg": LEAVES_ROOT,
    "../media/photos/a.jpg": LEAVES_ROOT,
    "photos/../../outside/a.jpg": LEAVES_ROOT,
    "/etc/hostname": LEAVES_ROOT,
    "//etc/hostname": LEAVES_ROOT,
    "/": LEAVES_ROOT,
    "outside/a.jpg": LEADS_OUT,
    "outside/b.jpg": LEADS_OUT,
    "outside//b.jpg": LEADS_OUT,
    "unmounted/a.jpg": LEADS_OUT,
    "photos/\0.jpg": NOT_A_NAME,
    "gone/\0.jpg": NOT_A_NAME,
    "photos/a.jpg/\0.jpg": NOT_A_NAME,
    "\0/a.jpg": NOT_A_NAME,
    "photos//\0.jpg": NOT_A_NAME,
    "photos/\ud800.jpg": NOT_A_NAME,
    "gone/\ud800.jpg": NOT_A_NAME,
    "\ud800/a.jpg": NOT_A_NAME,
    "\ud800//a.jpg": NOT_A_NAME,
    "photos/" + "x" * 300: TOO_LONG,
    "x" * 300 + "/a.jpg": TOO_LONG,
    "gone/" + "x/" * 3000: TOO_LONG,
    "loop/a.jpg": unknown(errno.ELOOP),
}


@pytest.mark.parametrize("exact", [False, True])
def test_hostile_names_have_their_verdicts(exact: bool, media: Path) -> None:
    make_hostile_tree(media)

    looks = judge(media, *HOSTILE, exact=exact)

    assert looks == {name: look for name, look in HOSTILE.items() if look is not PRESENT}


@pytest.mark.parametrize("exact", [False, True])
def test_a_hostile_name_has_the_same_verdict_alone(exact: bool, media: Path) -> None:
    make_hostile_tree(media)

    looks = {name: judge(media, name, exact=exact).get(name, PRESENT) for name in HOSTILE}

    assert looks == HOSTILE


def test_a_hostile_name_looked_at_now_has_the_same_verdict(media: Path) -> None:
    make_hostile_tree(media)

    looks = {name: look_now(real(media), name) for name in HOSTILE}

    assert [(look.verdict, look.reason) for look in looks.values()] == [
        (look.verdict, look.reason) for look in HOSTILE.values()
    ]


def test_a_name_that_is_not_utf_8_on_disk_troubles_nobody(media: Path) -> None:
    make_file(media, "photos/a.jpg")
    (media / os.fsdecode(b"photos/\xff.jpg")).write_bytes(b"content")

    assert judge(media, "photos/a.jpg", "photos/b.jpg") == {"photos/b.jpg": MISSING}


def test_a_large_folder_is_not_listed_for_a_few_names(media: Path) -> None:
    for number in range(500):
        make_file(media, f"photos/{number:060}.jpg")

    with broken("listdir", errno.EIO):
        looks = judge(media, f"photos/{7:060}.jpg", "photos/b.jpg", "photos/\0.jpg")

    assert looks == {"photos/b.jpg": MISSING, "photos/\0.jpg": NOT_A_NAME}


def test_a_large_folder_is_listed_where_exactness_is_asked_for(media: Path) -> None:
    for number in range(500):
        make_file(media, f"photos/{number:060}.jpg")

    with broken("listdir", errno.EIO):
        looks = judge(media, f"photos/{7:060}.jpg", exact=True)

    assert looks == {f"photos/{7:060}.jpg": unknown(errno.EIO)}


def test_a_large_file_in_a_folders_place_holds_no_names(media: Path) -> None:
    make_file(media, "photos", b"x" * 100_000)

    assert judge(media, "photos/a.jpg") == {"photos/a.jpg": MISSING}


def test_a_folder_is_listed_once(media: Path) -> None:
    make_file(media, "photos/a.jpg")
    looked = Disk(real(media))
    looked.judge(["photos/a.jpg"])

    with broken("listdir", errno.EIO):
        looks = looked.judge(["photos/a.jpg", "photos/b.jpg"])

    assert looks == {"photos/b.jpg": MISSING}


def test_a_file_that_came_after_the_listing_is_there(media: Path) -> None:
    make_file(media, "photos/a.jpg")
    looked = Disk(real(media))
    looked.judge(["photos/a.jpg", "gone/a.jpg"])

    make_file(media, "photos/b.jpg")
    make_file(media, "gone/b.jpg")

    assert looked.judge(["photos/b.jpg", "gone/b.jpg"]) == {
        "photos/b.jpg": ODDLY_PRESENT,
        "gone/b.jpg": ODDLY_PRESENT,
    }


@pytest.mark.parametrize("is_there", [True, False])
def test_the_folders_kept_in_memory_are_limited(is_there: bool, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LISTED_NAMES", 10)
    names = [f"{number}/a.jpg" for number in range(50)]
    for name in names if is_there else ():
        make_file(media, name)
    looked = Disk(real(media))

    looks = looked.judge(names)

    assert looks == ({} if is_there else dict.fromkeys(names, MISSING))
    assert len(looked._folders) == (5 if is_there else 10)
    assert looked.judge(names) == looks


def test_a_folder_larger_than_the_limit_is_still_listed_once(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LISTED_NAMES", 2)
    for name in "abcdef":
        make_file(media, f"photos/{name}")
    looked = Disk(real(media))
    looked.judge(["photos/a"])

    with broken("listdir", errno.EIO):
        assert looked.judge(["photos/f", "photos/g"]) == {"photos/g": MISSING}


PARTS = st.sampled_from(["a", "b", "l", "m", ".", "..", "", "A", "\0", "\ud800", "x" * 300, "ä\n"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
PLACES = st.lists(st.sampled_from(["a", "b", "l", "m", "ä\n"]), min_size=1, max_size=3).map("/".join)
TARGETS = st.sampled_from(
    ["a", "b", "l", ".", "..", "../outside", "../outside/a", "nowhere", "/nonexistent", "../media/a"]
)
TREES = st.lists(
    st.tuples(st.sampled_from(["file", "folder"]), PLACES) | st.tuples(st.just("link"), PLACES, TARGETS), max_size=8
)


def make_tree(root: Path, tree: list[tuple[str, ...]]) -> None:
    """Makes what can be made; what has no place is left out."""
    for kind, place, *target in tree:
        path = root / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            match kind:
                case "file":
                    path.touch(exist_ok=False)
                case "folder":
                    path.mkdir()
                case "link":
                    path.symlink_to(*target)
        except OSError:
            continue


@hypothesis_settings(max_examples=300, deadline=None)
@given(TREES, st.lists(NAMES, max_size=8))
def test_a_listing_an_exact_listing_and_a_look_agree(tree: list[tuple[str, ...]], names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, outside = Path(folder, "media"), Path(folder, "outside")
        root.mkdir()
        make_tree(outside, [("file", "a")])
        make_tree(root, tree)

        looked, exact = judge(root, *names), judge(root, *names, exact=True)

        now = {name: look_now(real(root), name).verdict for name in names}
        assert {name: looked.get(name, PRESENT).verdict for name in names} == now
        assert {name: exact.get(name, PRESENT).verdict for name in names} == now


@contextmanager
def shared_media() -> Iterator[Path]:
    """A media folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        media = Path(folder, "media")
        media.mkdir()
        yield media
        os.chmod(media, 0o755)
        for path in media.glob("*/"):
            os.chmod(path, 0o755)


@contextmanager
def without_privileges() -> Iterator[None]:
    """This process as a user who has to keep to the permissions."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


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


def test_the_root_is_known_by_its_device_and_inode(media: Path) -> None:
    status = media.stat()

    assert identity(str(media)) == f"{status.st_dev}:{status.st_ino}"


def assert_refused(root: Path, why: str) -> None:
    with pytest.raises(AuditorError) as refused:
        identity(str(root))

    assert refused.value.message == f"The media root {root} cannot be read: {why}."
    assert (refused.value.hint, refused.value.exit_code) == (HINT, ExitCode.REFUSED_ROOT)


def test_an_absent_root_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "media", "No such file or directory")


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    assert_refused(make_file(tmp_path, "media"), "Not a directory")


def test_a_root_below_a_file_is_refused(tmp_path: Path) -> None:
    assert_refused(make_file(tmp_path, "media") / "photos", "Not a directory")


def test_an_unreadable_root_is_refused() -> None:
    with shared_media() as media:
        os.chmod(media, 0o111)

        with without_privileges():
            assert_refused(media, "Permission denied")


@pytest.mark.parametrize("function", ["stat", "scandir"])
def test_a_root_that_fails_is_refused(function: str, media: Path) -> None:
    with broken(function, errno.ESTALE):
        assert_refused(media, "Stale file handle")


def test_a_root_without_a_single_file_is_told_from_one_with_some(media: Path) -> None:
    (media / "photos/2024").mkdir(parents=True)
    assert not holds_files(real(media))

    make_file(media, "photos/2024/a.jpg")

    assert holds_files(real(media))


def test_a_symlink_counts_as_a_file(media: Path) -> None:
    (media / "a.jpg").symlink_to("nowhere")

    assert holds_files(real(media))


def test_a_folder_that_cannot_be_listed_may_hold_files(media: Path) -> None:
    with broken("scandir", errno.EIO):
        assert holds_files(real(media))


def test_a_directory_is_one_only_where_no_symlink_leads_to_it(media: Path) -> None:
    make_file(media, "photos/2024/a.jpg")
    (media / "link").symlink_to("photos")

    paths = ["photos", "photos/2024", "photos/2024/a.jpg", "link", "link/2024", "gone"]

    assert [path for path in paths if is_directory(real(media), path)] == ["photos", "photos/2024"]
