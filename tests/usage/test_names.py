"""A file is named however its name is spelled."""

import os
from pathlib import Path

import pytest

from auditor.usage.names import Names, folded

pytestmark = pytest.mark.sqlite


@pytest.fixture
def root(tmp_path: Path) -> str:
    return os.path.realpath(tmp_path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.jpg", "a.jpg"),
        ("photos/a.jpg", "photos/a.jpg"),
        ("./photos/a.jpg", "photos/a.jpg"),
        ("photos//a.jpg", "photos/a.jpg"),
        ("photos/./a.jpg", "photos/a.jpg"),
        ("photos/x/../a.jpg", "photos/a.jpg"),
        ("../{root}/photos/a.jpg", "photos/a.jpg"),
        ("{absolute}/photos/a.jpg", "photos/a.jpg"),
        ("photos\\a.jpg", "photos/a.jpg"),
        ("photos/Ärger.jpg", "photos/Ärger.jpg"),
        ("photos/", "photos"),
        ("photos/x/..", "photos"),
    ],
)
def test_name_is_that_of_the_file_that_it_opens(root: str, name: str, path: str) -> None:
    names = Names()

    names.add(root, ["other.jpg", name.format(root=os.path.basename(root), absolute=root), "z/other.jpg"])

    assert names.has(os.fsencode(f"{root}/{path}"))
    assert not names.has(os.fsencode(f"{root}/{path}x"))


def test_name_through_a_linked_folder_is_that_of_the_file_there(root: str) -> None:
    os.makedirs(f"{root}/2024/summer")
    os.symlink("2024", f"{root}/latest")
    names = Names()

    names.add(root, ["latest/summer/a.jpg", "latest/away/b.jpg"])

    assert [names.has(os.fsencode(f"{root}/2024/{name}")) for name in ("summer/a.jpg", "away/b.jpg")] == [True, True]


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a\0b", "x" * 300, "\ud800.jpg"])
def test_name_that_is_none_hurts_nobody(root: str, name: str) -> None:
    names = Names()

    names.add(root, ["a.jpg", name] if name else ["a.jpg"])

    assert names.named_in(os.fsencode(root)) >= {b"a.jpg"}


def test_name_is_not_a_part_of_another_one() -> None:
    names = Names()

    names.add("/media", ["ab.jpg", "b.jpgx"])

    assert not names.has(b"/media/b.jpg")


@pytest.mark.parametrize("other", ["ÄRGER.JPG", "ärger.jpg", "a\u0308rger.jpg", "A\u0308RGER.jpg"])
def test_letters_that_a_file_system_may_not_tell_apart_are_one(other: str) -> None:
    assert folded(other) == folded("Ärger.jpg")


def test_folded_is_a_law_of_every_plain_name() -> None:
    assert folded("photos_1.jpg") == "photos_1.jpg"


def test_large_folder_is_not_searched_for_each_of_its_names(root: str) -> None:
    """A million names are some 12 MB, which would be read to the end for each file that nobody names."""
    names, searched = Names(), list[bytes]()
    names.add(root, [f"many/{number:07}.jpg" for number in range(20_000)])
    folder = f"{root}/many".encode()
    honest = names.named_in

    def named_in(one: bytes) -> set[bytes]:
        searched.append(one)
        return honest(one)

    names.named_in = named_in  # type: ignore[method-assign]

    assert [number for number in range(0, 40_000, 10_000) if names.has(folder + b"/%07d.jpg" % number)] == [0, 10_000]
    assert searched == [folder]

    names.add(root, ["many/0030000.jpg"])
    assert names.has(folder + b"/0030000.jpg")
