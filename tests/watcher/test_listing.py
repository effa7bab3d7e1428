"""What two looks at the same directories tell of what happened between them."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watcher.listening import created, deleted, removed
from tests.watcher.surveys import look, make, told
from watcher.listing import Survey

pytestmark = pytest.mark.sqlite


def test_the_first_look_tells_nothing(root: Path) -> None:
    make(root, "photos/a.jpg")

    assert look(root).changes == []


def test_nothing_is_told_of_what_has_not_changed_and_nothing_is_kept_twice(root: Path) -> None:
    make(root, "photos/a.jpg", "b.jpg", "empty/")
    before = look(root)

    after = look(root, before)

    assert after.changes == []
    assert after.listings == {b"": b"b.jpg\0empty/\0photos/", b"photos/": b"a.jpg", b"empty/": b""}
    assert all(after.listings[folder] is before.listings[folder] for folder in after.listings)


def test_a_deleted_file_is_told(root: Path) -> None:
    make(root, "photos/a.jpg", "photos/b.jpg")
    before = look(root)
    (root / "photos/a.jpg").unlink()

    assert told(look(root, before)) == [deleted(b"photos/a.jpg")]


def test_a_directory_that_is_gone_is_told_once_and_nothing_below_it(root: Path) -> None:
    make(root, "2024/may/a.jpg", "2024/june/b.jpg", "2024/c.jpg")
    before = look(root)
    shutil.rmtree(root / "2024")

    after = look(root, before)

    assert told(after) == [removed(b"2024")]
    assert after.listings == {b"": b""}


def test_a_new_tree_is_told_to_its_last_file(root: Path) -> None:
    before = look(root)
    make(root, "2024/may/a.jpg")

    assert told(look(root, before)) == [
        created(b"2024", is_directory=True),
        created(b"2024/may", is_directory=True),
        created(b"2024/may/a.jpg"),
    ]


def test_a_file_that_was_made_again_is_not_told(root: Path) -> None:
    make(root, "a.jpg")
    before = look(root)
    (root / "a.jpg").unlink()
    make(root, "a.jpg")

    assert told(look(root, before)) == []


def test_a_rename_is_a_deletion_and_a_new_file(root: Path) -> None:
    make(root, "a.jpg")
    before = look(root)
    (root / "a.jpg").rename(root / "b.jpg")

    assert told(look(root, before)) == [deleted(b"a.jpg"), created(b"b.jpg")]


def test_a_new_file_with_the_inode_of_a_deleted_one_hides_nothing(root: Path) -> None:
    make(root, "a.jpg")
    before = look(root)
    os.link(root / "a.jpg", root / "b.jpg")
    (root / "a.jpg").unlink()

    assert told(look(root, before)) == [deleted(b"a.jpg"), created(b"b.jpg")]


def test_a_file_that_became_a_directory_is_gone(root: Path) -> None:
    make(root, "a")
    before = look(root)
    (root / "a").unlink()
    make(root, "a/b.jpg")

    assert told(look(root, before)) == [deleted(b"a"), created(b"a", is_directory=True), created(b"a/b.jpg")]


def test_a_directory_that_became_a_file_is_gone_with_all_that_was_in_it(root: Path) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    shutil.rmtree(root / "a")
    make(root, "a")

    assert told(look(root, before)) == [removed(b"a"), created(b"a")]


def test_a_directory_that_became_a_symlink_is_not_followed(root: Path, tmp_path: Path) -> None:
    make(tmp_path / "outside", "b.jpg")
    make(root, "a/b.jpg")
    before = look(root)
    shutil.rmtree(root / "a")
    (root / "a").symlink_to(tmp_path / "outside")

    after = look(root, before)

    assert told(after) == [removed(b"a"), created(b"a")]
    assert list(after.listings) == [b""]


def test_a_name_that_is_not_utf_8_is_told_as_it_is(root: Path) -> None:
    strange = os.path.join(os.fsencode(root), b"\xe4\n.jpg")
    os.close(os.open(strange, os.O_CREAT))
    before = look(root)
    os.unlink(strange)

    assert told(look(root, before)) == [deleted(b"\xe4\n.jpg")]


def test_what_is_ignored_is_neither_listed_nor_told(root: Path) -> None:
    def is_ignored(path: bytes) -> bool:
        return path == b"cache" or path.endswith(b".tmp")

    make(root, "cache/sub/a.jpg", "old.tmp")
    before = look(root, is_ignored=is_ignored)
    make(root, "new.tmp", "b.jpg")
    (root / "old.tmp").unlink()
    shutil.rmtree(root / "cache")

    after = look(root, before, is_ignored=is_ignored)

    assert told(after) == [created(b"b.jpg")]
    assert list(before.listings) == list(after.listings) == [b""]


def test_a_large_directory_gives_way_while_it_is_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watcher.listing.NAMES_AT_ONCE", 10)
    make(root, *(f"{number}.jpg" for number in range(25)))

    assert sum(1 for _ in Survey(os.fsencode(root)).steps()) == 4  # three parts, and the end of the directory


paths = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join)
trees = st.lists(st.tuples(paths, st.booleans()), max_size=8)


def build(root: Path, tree: list[tuple[str, bool]]) -> None:
    for path, is_directory in tree:
        try:
            make(root, f"{path}/" if is_directory else path)
        except OSError:  # a file is on the way, or a directory at the name
            continue


def names(root: Path) -> set[tuple[str, bool]]:
    return {(str(path.relative_to(root)), path.is_dir()) for path in root.rglob("*")}


@settings(deadline=None)  # the disk may be busy
@given(trees, trees)
def test_any_two_trees_are_told_apart_to_the_last_name(first: list[Any], second: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        build(root, first)
        before, were = look(root), names(root)
        shutil.rmtree(root)
        root.mkdir()
        build(root, second)
        are = names(root)

        after = look(root, before)

    gone = {(path, is_directory) for path, is_directory in were - are}
    below = {name for name in gone if any((str(parent), True) in gone for parent in Path(name[0]).parents)}
    notices = [(kind, path.decode(), is_directory) for kind, path, is_directory, _ in told(after)]
    assert sorted((path, is_directory) for kind, path, is_directory in notices if kind.name == "DELETED") == sorted(
        gone - below
    )
    assert sorted((path, is_directory) for kind, path, is_directory in notices if kind.name == "CREATED") == sorted(
        are - were
    )
