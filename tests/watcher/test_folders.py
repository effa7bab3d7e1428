"""Which watch stands for which folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.folders import FolderMap

pytestmark = pytest.mark.sqlite


def make_map(*folders: bytes) -> FolderMap:
    known = FolderMap()
    for watch, folder in enumerate(folders, 1):
        known.put(watch, folder)
    return known


def contents(known: FolderMap) -> dict[int, bytes]:
    assert known.watches == {folder: watch for watch, folder in known.folders.items()}
    return dict(known.folders)


def test_a_renamed_folder_takes_all_below_it_along() -> None:
    known = make_map(b"", b"a/", b"a/b/", b"ab/")

    known.rename(b"a/", b"c/")

    assert contents(known) == {1: b"", 2: b"c/", 3: b"c/b/", 4: b"ab/"}


def test_a_folder_renamed_onto_another_one_replaces_it() -> None:
    known = make_map(b"a/", b"a/x/", b"b/", b"b/y/")

    assert known.rename(b"a/", b"b/") == [3, 4]

    assert contents(known) == {1: b"b/", 2: b"b/x/"}


def test_a_dropped_folder_gives_back_the_watches_of_its_tree() -> None:
    known = make_map(b"", b"a/", b"a/b/", b"ab/")

    assert known.drop(b"a/") == [2, 3]

    assert contents(known) == {1: b"", 4: b"ab/"}


def test_a_made_again_folder_is_not_forgotten_with_its_old_watch() -> None:
    known = make_map(b"a/")

    assert known.put(2, b"a/") == 1
    known.forget(1)

    assert contents(known) == {2: b"a/"}
    assert known.drop(b"a/") == [2]


def test_a_watch_that_turns_up_elsewhere_leaves_its_old_folder() -> None:
    known = make_map(b"a/")

    known.put(1, b"b/")

    assert contents(known) == {1: b"b/"}
    assert (known.drop(b"a/"), len(known)) == ([], 1)


def test_the_folders_right_below_one_are_known_even_where_those_between_are_not() -> None:
    known = make_map(b"", b"a/x/y/", b"b/")

    assert known.children(b"") == {b"a/", b"b/"}
    assert known.children(b"a/") == {b"a/x/"}
    assert known.drop(b"a/") == [2]
    assert known.children(b"") == {b"b/"}


PATHS = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=3).map(lambda names: b"".join(n + b"/" for n in names))
DEEDS = st.lists(st.tuples(st.sampled_from(["put", "forget", "drop", "rename"]), PATHS, PATHS, st.integers(1, 6)))


@given(DEEDS)
def test_it_holds_what_a_search_through_all_folders_would_find(deeds: list[tuple[str, bytes, bytes, int]]) -> None:
    known, plain = FolderMap(), dict[int, bytes]()
    for deed, folder, to, watch in deeds:
        if deed == "put":
            known.put(watch, folder)
            plain = {w: path for w, path in plain.items() if path != folder} | {watch: folder}
        elif deed == "forget":
            known.forget(watch)
            plain.pop(watch, None)
        elif deed == "drop":
            assert sorted(known.drop(folder)) == sorted(w for w, path in plain.items() if path.startswith(folder))
            plain = {w: path for w, path in plain.items() if not path.startswith(folder)}
        else:
            known.rename(folder, to)
            moved = {w: to + path[len(folder) :] for w, path in plain.items() if path.startswith(folder)}
            plain = {w: path for w, path in plain.items() if not path.startswith((folder, to))} | moved
        assert contents(known) == plain

    known.drop(b"")
    assert (len(known), known.children(b"")) == (0, frozenset())
