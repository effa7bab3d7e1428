"""What the kernel does not tell, or will not watch, is a gap that says what to do; the rest is recorded."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.mounts import needs_root
from tests.faults.programs import Watcher
from tests.faults.site import CLEAN, Site, now

pytestmark = [pytest.mark.live, needs_root, pytest.mark.sqlite]
AS_ORDINARY_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")  # permissions count for it


def limited(name: str, value: int) -> tuple[str, ...]:
    """Starts a program where the kernel allows only so many; the machine's own limits stay as they are."""
    script = f'echo {value} > /proc/sys/user/{name} && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")


def allow(watcher: Watcher, name: str, value: int) -> None:
    script = f"echo {value} > /proc/sys/user/{name}"
    enter = ["nsenter", "--user", "--target", str(watcher.program.pid)]
    subprocess.run([*enter, "sh", "-c", script], check=True, capture_output=True)


def advice(detail: str) -> int:
    """The value that the sentence says to set."""
    found = re.search(r"sysctl (?:-w )?fs\.inotify\.max_user_(?:watches|instances)=(\d+)", detail)
    assert found, detail
    return int(found[1])


def test_an_overflow_is_a_gap_and_what_was_referenced_is_found(site: Site) -> None:
    count = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) + 3_616
    for number in range(20):
        (site.media / f"many/{number}").mkdir(parents=True)
    names = [f"many/{number % 20}/{number}.jpg" for number in range(count)]
    for name in names:
        (site.media / name).touch()
    for name in names[::1_000]:
        site.photo(name)
    watcher = site.covered()

    watcher.freeze()
    site.history.unlink_all(names)
    began = now()
    watcher.send(signal.SIGCONT)
    gap = watcher.wait_for_gap()

    assert site.conclude("kernel queue overflowed", began=began) == CLEAN
    assert gap["reason"] == "overflow"
    assert "fs.inotify.max_queued_events" in gap["detail"]
    assert watcher.is_running


def test_without_watches_left_the_rest_is_recorded_and_all_is_covered_once_there_are(site: Site) -> None:
    site.photo("photos/a.jpg")
    site.photo("photos/b.jpg")
    watcher = site.covered(*limited("max_inotify_watches", 12))

    began = now()
    for number in range(20):
        (site.media / f"more/{number}").mkdir(parents=True)
    gap = watcher.wait_for_gap()
    site.history.unlink("photos/a.jpg")
    site.wait_for_deletions("photos/a.jpg")
    ended = now()
    allow(watcher, "max_inotify_watches", 1_000)

    assert site.conclude("no watches left", began=began, ended=ended) == CLEAN
    assert gap["reason"] == "not_watched"
    assert advice(gap["detail"]) > 12
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])


def test_without_inotify_instances_left_the_watcher_says_so_and_waits(site: Site) -> None:
    site.photo("photos/a.jpg")
    began = now()
    watcher = site.launch(*limited("max_inotify_instances", 0))
    waiting = watcher.wait_for("root.waiting", reason="not_watched")
    site.history.unlink("photos/a.jpg")
    ended = now()
    allow(watcher, "max_inotify_instances", 10)

    assert site.conclude("no inotify instances left", began=began, ended=ended) == CLEAN
    assert advice(waiting["detail"]) > 0
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])


def test_an_unreadable_directory_is_a_gap_and_the_rest_is_recorded(site: Site) -> None:
    site.photo("photos/a.jpg")
    site.photo("photos/b.jpg")
    watcher = site.covered(*AS_ORDINARY_USER)

    began = now()
    (site.media / "closed").mkdir(mode=0)
    gap = watcher.wait_for_gap()
    site.history.unlink("photos/a.jpg")
    site.wait_for_deletions("photos/a.jpg")
    ended = now()
    os.chmod(site.media / "closed", 0o755)

    assert site.conclude("unreadable directory appears", began=began, ended=ended) == CLEAN
    assert gap["reason"] == "not_watched"
    assert f"{site.media}/closed" in gap["detail"]
    assert "Permission denied" in gap["detail"]
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])


def test_with_an_unreadable_directory_from_the_start_the_rest_is_recorded(site: Site) -> None:
    site.photo("photos/a.jpg")
    site.photo("closed/b.jpg")
    os.chmod(site.media / "closed", 0)
    began = now()
    watcher = site.launch(*AS_ORDINARY_USER)
    waiting = watcher.wait_for("root.waiting", reason="not_watched")
    site.history.unlink("photos/a.jpg")
    site.wait_for_deletions("photos/a.jpg")
    ended = now()
    os.chmod(site.media / "closed", 0o755)

    assert site.conclude("unreadable directory at the start", began=began, ended=ended) == CLEAN
    assert f"{site.media}/closed" in waiting["detail"]
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])
