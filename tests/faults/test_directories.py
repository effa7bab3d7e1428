"""Directories that come, go, move and change places: what is watched is what is there."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.site import CLEAN, Site, now
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
DIRECTORIES, FILES = 120, 3


def directories(folder: Path) -> set[int]:
    return {os.stat(path).st_ino for path, _, _ in os.walk(folder)}


def make_tree(folder: Path) -> None:
    """Deep paths, five to a branch, each directory with files."""
    for number in range(DIRECTORIES // 5):
        place = folder / f"branch{number}"
        for depth in "abcd":
            place /= depth
        place.mkdir(parents=True)
        for parent in [place, *place.parents][:5]:
            for file in range(FILES):
                (parent / f"{file}.jpg").write_bytes(b"")


def copied(source: Path, to: Path) -> None:
    subprocess.run(["cp", "-r", source, to], check=True)


def unpacked(source: Path, to: Path) -> None:
    archive = source.with_name("tree.zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(source.rglob("*")):
            packed.write(path, path.relative_to(source))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(to)


def moved_in(source: Path, to: Path) -> None:
    source.rename(to)


@pytest.mark.parametrize("arrive", [copied, unpacked, moved_in])
def test_after_a_storm_of_new_directories_each_deletion_is_in_the_log(
    site: Site, arrive: Callable[[Path, Path], None]
) -> None:
    watcher = site.covered()
    make_tree(site.outside / "tree")

    began = now()
    arrive(site.outside / "tree", site.media / "tree")
    wait_until(lambda: directories(site.media) <= watcher.watched_inodes())
    names = sorted(str(path.relative_to(site.media)) for path in site.media.rglob("*.jpg"))
    site.history.unlink_all(names)

    assert site.conclude(f"storm of new directories ({arrive.__name__})", began=began) == CLEAN
    assert sorted(site.deletions()) == [("file.deleted", name) for name in names]
    assert len(names) == DIRECTORIES * FILES


def test_files_that_live_for_a_moment_in_new_directories_break_no_promise(site: Site) -> None:
    names = [site.photo(f"short/{number}/a/b/photo.jpg") for number in range(100)]
    site.history.remove_tree("short")
    watcher = site.covered()

    began = now()
    for name in names:
        (site.media / name).parent.mkdir(parents=True)
        (site.media / name).write_bytes(b"content")
        site.history.unlink(name)

    assert site.conclude("files made and removed in new directories", began=began) == CLEAN
    assert directories(site.media) <= watcher.watched_inodes()


@pytest.mark.parametrize("is_taken_again", [False, True])
def test_what_is_deleted_outside_is_not_told_under_the_old_name(site: Site, is_taken_again: bool) -> None:
    site.photo("album/a.jpg")
    site.photo("album/deep/b.jpg")
    site.photo("other/c.jpg")
    watcher = site.covered()

    began = now()
    site.history.move_out("album", site.outside / "album")
    if is_taken_again:
        site.file("album/a.jpg")
    gone = directories(site.outside / "album")
    os.unlink(site.outside / "album/a.jpg")
    shutil.rmtree(site.outside / "album/deep")
    site.history.unlink("other/c.jpg")

    assert site.conclude("directory moved out, and emptied there", began=began) == CLEAN
    assert site.deletions() == [("directory.deleted", "album"), ("file.deleted", "other/c.jpg")]
    assert gone & watcher.watched_inodes() == set()


def test_a_directory_moved_out_made_again_and_removed_leaves_the_watcher_hearing(site: Site) -> None:
    site.photo("album/a.jpg")
    site.photo("other/c.jpg")
    watcher = site.covered()

    began = now()
    site.history.move_out("album", site.outside / "album")
    (site.media / "album").mkdir()
    site.history.remove_tree("album")
    shutil.rmtree(site.outside / "album")
    site.history.unlink("other/c.jpg")

    assert site.conclude("directory moved out, made again, removed", began=began) == CLEAN
    assert (watcher.is_running, site.gaps()) == (True, [""])
    assert ("file.deleted", "other/c.jpg") in site.deletions()


def test_after_an_exchange_of_two_directories_the_names_are_right(site: Site) -> None:
    for name in ("one/a.jpg", "other/b.jpg", "one/deep/c.jpg"):
        site.photo(name)
    watcher = site.covered()

    began = now()
    site.history.exchange("one", "other")
    site.wait_covered(now())
    site.history.unlink("other/a.jpg")
    site.history.unlink("other/deep/c.jpg")

    assert site.conclude("two directories exchanged", began=began) == CLEAN
    assert {("file.deleted", "other/a.jpg"), ("file.deleted", "other/deep/c.jpg")} <= set(site.deletions())
    assert ("file.deleted", "one/a.jpg") not in site.deletions()
    assert directories(site.media) <= watcher.watched_inodes()


def test_renamed_and_made_again_under_the_same_name(site: Site) -> None:
    for name in ("album/a.jpg", "album/deep/b.jpg", "album/deep/c.jpg"):
        site.photo(name)
    watcher = site.covered()

    began = now()
    site.history.rename("album", "album 2023")
    (site.media / "album/deep").mkdir(parents=True)
    (site.media / "album/deep/b.jpg").write_bytes(b"uploaded again")
    site.wait_covered(now())
    site.history.unlink("album 2023/deep/c.jpg")
    site.history.unlink("album/deep/b.jpg")

    assert site.conclude("directory renamed, and made again", began=began) == CLEAN
    assert site.deletions()[-2:] == [("file.deleted", "album 2023/deep/c.jpg"), ("file.deleted", "album/deep/b.jpg")]
    assert directories(site.media) <= watcher.watched_inodes()
