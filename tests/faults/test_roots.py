"""The media folder goes away and comes back: nothing that is merely out of sight is called deleted."""

import os
import shutil
from collections.abc import Callable

import pytest

from auditor.marker import MARKER
from tests.faults.mounts import make_image, mount, mount_tmpfs, needs_root, released, unmount
from tests.faults.site import CLEAN, Site, now

pytestmark = [pytest.mark.live, needs_root, pytest.mark.sqlite]
GONE = {"root_gone", "root_replaced", "unmounted", "mounts_changed", "marker_gone"}
Mounted = Callable[[], None]


@pytest.fixture
def on_own_mount(site: Site) -> Mounted:
    """Mounts the media folder from another place; called again, it mounts the same one."""
    backing = site.folder / "backing"
    backing.mkdir()
    site.ending.enter_context(released(site.media))

    def mounted() -> None:
        mount("--bind", backing, site.media)

    mounted()
    return mounted


def fill(site: Site) -> None:
    for name in ("photos/a.jpg", "photos/b.jpg", "photos/2024/c.jpg", "photos/2024/d.jpg"):
        site.photo(name)


def test_an_unmounted_file_system_has_deleted_nothing(site: Site) -> None:
    site.ending.enter_context(released(site.media))
    disk = make_image(site.folder)
    mount("-o", "loop", disk, site.media)
    fill(site)
    watcher = site.covered()

    began = now()
    unmount(site.media)
    gap = watcher.wait_for_gap()
    ended = now()
    mount("-o", "loop", disk, site.media)

    assert site.conclude("root unmounted (loop)", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [])


def test_what_vanished_while_the_folder_was_unmounted_is_found(site: Site, on_own_mount: Mounted) -> None:
    fill(site)
    watcher = site.covered()

    began = now()
    unmount(site.media)
    gap = watcher.wait_for_gap()
    site.history.unlink_behind(site.folder / "backing", "photos/a.jpg")
    ended = now()
    on_own_mount()

    assert site.conclude("root unmounted (bind)", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])


def test_a_lazy_unmount_with_a_file_held_open_has_deleted_nothing(site: Site, on_own_mount: Mounted) -> None:
    fill(site)
    watcher = site.covered()

    began = now()
    with (site.media / "photos/a.jpg").open():
        unmount(site.media, lazily=True)
        gap = watcher.wait_for_gap()
        ended = now()
        on_own_mount()

    assert site.conclude("root unmounted lazily", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [])


def test_a_file_system_mounted_over_the_folder_has_deleted_nothing(site: Site) -> None:
    site.ending.enter_context(released(site.media))
    fill(site)
    watcher = site.covered()

    began = now()
    mount_tmpfs(site.media)
    gap = watcher.wait_for_gap()
    ended = now()
    unmount(site.media)

    assert site.conclude("another file system mounted over the root", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [])


def test_a_renamed_folder_is_waited_for_and_what_vanished_in_it_is_found(site: Site) -> None:
    fill(site)
    watcher = site.covered()

    began = now()
    site.media.rename(site.folder / "renamed")
    gap = watcher.wait_for_gap()
    waiting = watcher.wait_for("root.waiting")
    site.history.unlink_behind(site.folder / "renamed", "photos/2024/c.jpg")
    ended = now()
    (site.folder / "renamed").rename(site.media)

    assert site.conclude("root renamed and back", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert str(site.media) in waiting["detail"]
    assert site.deletions() == [("file.deleted", "photos/2024/c.jpg")]


def test_another_folder_in_its_place_has_deleted_nothing(site: Site) -> None:
    fill(site)
    watcher = site.covered()

    began = now()
    site.media.rename(site.folder / "renamed")
    site.media.mkdir()
    (site.media / "unrelated.txt").write_text("not what was watched")
    gap = watcher.wait_for_gap()
    watcher.wait_for("root.waiting")
    shutil.rmtree(site.media)
    ended = now()
    (site.folder / "renamed").rename(site.media)

    assert site.conclude("root replaced by another folder", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [])


def test_a_folder_restored_after_its_deletion_is_covered_again(site: Site) -> None:
    fill(site)
    watcher = site.covered()
    shutil.copytree(site.media, site.folder / "saved")
    os.unlink(site.folder / "saved/photos/b.jpg")  # as a saved copy that is not complete

    began = now()
    site.history.remove_tree("")
    gap = watcher.wait_for_gap()
    watcher.wait_for("root.waiting")
    ended = now()
    shutil.copytree(site.folder / "saved", site.media)

    assert site.conclude("root deleted and restored", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert watcher.is_running


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "marker_gone"), ("67c61bd8-b1c2-4c4a-a6a5-4a1f4b6bd9ff\n", "root_replaced")],
    ids=["gone", "foreign"],
)
def test_a_folder_without_its_own_marker_is_not_vouched_for(site: Site, content: str | None, reason: str) -> None:
    fill(site)
    watcher = site.covered()
    marker = site.media / MARKER
    own = marker.read_text()

    began = now()
    site.history.unlink(MARKER)
    if content:
        marker.write_text(content)
    gap = watcher.wait_for_gap()
    site.history.unlink("photos/a.jpg")
    waiting = watcher.wait_for("root.waiting")
    ended = now()
    marker.write_text(own)

    assert site.conclude(f"marker {'foreign' if content else 'gone'}", began=began, ended=ended) == CLEAN
    assert (gap["reason"], waiting["reason"]) == (reason, reason)
    assert watcher.is_running


def test_a_nested_file_system_that_goes_away_has_deleted_nothing(site: Site) -> None:
    nested, backing = site.media / "nested", site.folder / "backing"
    nested.mkdir()
    backing.mkdir()
    site.ending.enter_context(released(nested))
    mount("--bind", backing, nested)
    fill(site)
    site.photo("nested/e.jpg")
    site.photo("nested/deep/f.jpg")
    watcher = site.covered()

    began = now()
    unmount(nested)
    gap = watcher.wait_for_gap()
    watcher.wait_for("root.waiting")
    site.history.unlink("photos/a.jpg")
    ended = now()
    mount("--bind", backing, nested)

    assert site.conclude("nested mount gone and back", began=began, ended=ended) == CLEAN
    assert gap["reason"] in GONE
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])
