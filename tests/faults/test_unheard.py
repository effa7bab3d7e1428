"""A file system of which the kernel does not tell, as a network's: FUSE, polled."""

import pytest

from auditor.models import Span
from tests.faults.fuse import mounted, needs_fuse
from tests.faults.mounts import needs_root, released
from tests.faults.site import CLEAN, Site, now
from tests.marking import OURS, put_marker
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, needs_root, needs_fuse, pytest.mark.sqlite]


@pytest.fixture(autouse=True)
def backing(site: Site) -> None:
    """What the file system shows: other machines delete there, and this one's kernel hears nothing."""
    site.ending.enter_context(released(site.media))
    for name in ("photos/a.jpg", "photos/b.jpg", "other/c.jpg"):
        site.photo(name)
    put_marker(site.media, OURS)
    site.media.rename(site.folder / "backing")
    site.media.mkdir()


def test_what_another_machine_deletes_is_found_by_polling(site: Site) -> None:
    backing = site.folder / "backing"
    with mounted(backing, site.media) as mount:
        watcher = site.covered()

        began = now()
        mount.order("readdir EIO /photos")
        site.history.unlink_behind(backing, "photos/a.jpg")
        site.history.unlink_behind(backing, "other/c.jpg")
        unreadable = now()
        waiting = watcher.wait_for("root.waiting", reason="not_watched")
        is_covered = site.is_covered(unreadable)
        ended = now()
        mount.heal()

        assert site.conclude("polled file system with EIO", began=began, ended=ended) == CLEAN
    assert is_covered is False
    assert "photos" in waiting["detail"]
    assert sorted(site.deletions()) == [("file.deleted", "other/c.jpg"), ("file.deleted", "photos/a.jpg")]


def test_the_watermark_is_the_last_complete_poll(site: Site) -> None:
    backing = site.folder / "backing"
    with mounted(backing, site.media):
        site.covered()

        began = now()
        site.history.unlink_behind(backing, "photos/a.jpg")
        wait_until(lambda: Span.objects.get(closed_at=None).covered_until > began)

        assert site.deletions() == [("file.deleted", "photos/a.jpg")]
        assert site.conclude("deleted by another machine", began=began) == CLEAN
    assert site.gaps() == [""]


def test_a_file_system_whose_server_died_has_deleted_nothing(site: Site) -> None:
    backing = site.folder / "backing"
    with mounted(backing, site.media) as mount:
        watcher = site.covered()
        began = now()
        mount.kill()
        watcher.wait_for_gap()
        ended = now()
    with mounted(backing, site.media):
        assert site.conclude("file system's server died", began=began, ended=ended) == CLEAN
    assert (watcher.is_running, site.deletions()) == (True, [])


def test_a_file_system_that_never_answers_ends_the_watcher_with_a_code(site: Site) -> None:
    backing = site.folder / "backing"
    site.extra["TEST_STALL_SECONDS"] = "5"
    with mounted(backing, site.media) as mount:
        watcher = site.covered()
        began = now()
        mount.order("getattr hang", "readdir hang")
        gap = watcher.wait_for_gap()
        site.history.unlink_behind(backing, "photos/a.jpg")
    code = watcher.program.wait(20.0)  # not before: the kernel lets nobody go whose question was sent
    ended = now()
    with mounted(backing, site.media):
        site.launch()
        assert site.conclude("file system never answers", began=began, ended=ended) == CLEAN
    assert (gap["reason"], code) == ("thread_died", 1)
    assert watcher.named("watcher.failed", message="Nothing has moved for 5 s: a disk or the database hangs.")
    assert site.deletions() == [("file.deleted", "photos/a.jpg")]
