"""Which watch stands for which folder."""

from watcher.folders import FolderMap


def make_map(*folders: bytes) -> FolderMap:
    known = FolderMap()
    for watch, folder in enumerate(folders, 1):
        known.put(watch, folder)
    return known


def contents(known: FolderMap) -> dict[int, bytes | None]:
    return {watch: known.get(watch) for watch in range(1, 10) if known.get(watch) is not None}


def test_a_renamed_folder_takes_all_below_it_along() -> None:
    known = make_map(b"", b"a/", b"a/b/", b"ab/")

    known.rename(b"a/", b"c/")

    assert contents(known) == {1: b"", 2: b"c/", 3: b"c/b/", 4: b"ab/"}


def test_a_folder_renamed_onto_another_one_replaces_it() -> None:
    known = make_map(b"a/", b"a/x/", b"b/", b"b/y/")

    known.rename(b"a/", b"b/")

    assert contents(known) == {1: b"b/", 2: b"b/x/"}


def test_a_dropped_folder_gives_back_the_watches_of_its_tree() -> None:
    known = make_map(b"", b"a/", b"a/b/", b"ab/")

    assert known.drop(b"a/") == [2, 3]

    assert contents(known) == {1: b"", 4: b"ab/"}


def test_a_made_again_folder_is_not_forgotten_with_its_old_watch() -> None:
    known = make_map(b"a/")
    known.put(2, b"a/")

    known.forget(1)

    assert contents(known) == {2: b"a/"}
    assert known.drop(b"a/") == [2]


def test_a_watch_that_turns_up_elsewhere_leaves_its_old_folder() -> None:
    known = make_map(b"a/")

    known.put(1, b"b/")

    assert contents(known) == {1: b"b/"}
    assert (known.drop(b"a/"), len(known)) == ([], 1)
