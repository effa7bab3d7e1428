"""A folder is listed once, where that pays, and the verdicts are those of a look at each name."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.orphans import disk
from auditor.orphans.disk import MISSING, NOT_A_NAME, ODDLY_PRESENT, PRESENT, Disk, look_now, looks_now
from tests.makers import make_file, real
from tests.orphans.looking import broken, judge, unknown


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


def test_names_in_a_large_folder_are_asked_for_without_a_listing(media: Path) -> None:
    for number in range(500):
        make_file(media, f"photos/{number:060}.jpg")
    (media / "photos/link").symlink_to("nowhere")
    there = [f"photos/{number:060}.jpg" for number in range(10)]

    with broken("listdir", errno.EIO):
        looks = judge(media, *there, "photos/b.jpg", "photos/\0", "photos/.", "photos/..", "photos/link", "photos/")

    assert looks == {
        "photos/b.jpg": MISSING,
        "photos/\0": NOT_A_NAME,
        "photos/.": ODDLY_PRESENT,
        "photos/..": ODDLY_PRESENT,
        "photos/": ODDLY_PRESENT,
    }


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES])
def test_a_large_folder_that_cannot_be_opened_is_looked_at_name_by_name(number: int, media: Path) -> None:
    for index in range(500):
        make_file(media, f"photos/{index:060}.jpg")
    there = [f"photos/{index:060}.jpg" for index in range(10)]

    with broken("open", number):
        assert judge(media, *there, "photos/b.jpg") == {"photos/b.jpg": MISSING}


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


@settings(max_examples=300, deadline=None)
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
        assert {name: look.verdict for name, look in looks_now(real(root), names).items()} == now
