"""The database goes away and comes back: what was deleted meanwhile is in the log, and once."""

import signal

import pytest

from tests.faults.databases import Database
from tests.faults.mounts import fill, mount_tmpfs, needs_root, released
from tests.faults.site import CLEAN, Site, now
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, needs_root]


def photos(site: Site, count: int = 60) -> list[str]:
    return [site.photo(f"photos/{number % 4}/{number}.jpg") for number in range(count)]


def told(names: list[str]) -> list[tuple[str, str]]:
    return [("file.deleted", name) for name in sorted(names)]


def test_what_is_deleted_while_the_database_is_away_is_in_the_log_once(site: Site, database: Database) -> None:
    names = photos(site)
    watcher = site.covered()

    began = now()
    database.take_away()
    site.history.unlink_all(names[:30])
    watcher.wait_for_outage()
    site.history.unlink_all(names[30:])
    ended = now()
    database.give_back()

    assert site.conclude("database away", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert watcher.is_running


def test_what_was_kept_for_an_absent_database_survives_kill_9(site: Site, database: Database) -> None:
    names = photos(site)
    watcher = site.covered()

    began = now()
    database.take_away()
    site.history.unlink_all(names[:30])
    watcher.wait_for_outage()
    watcher.kill()
    site.history.unlink_all(names[30:])
    second = site.launch()
    second.wait_for_outage()
    ended = now()
    database.give_back()

    assert site.conclude("database away, and kill -9", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert second.is_running


def test_a_database_that_is_away_at_the_start_is_waited_for(site: Site, database: Database) -> None:
    names = photos(site)
    site.covered().end()

    database.take_away()
    began = now()
    watcher = site.launch()
    watcher.wait_for_outage()
    site.history.unlink_all(names)
    ended = now()
    database.give_back()

    assert site.conclude("database away at the start", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert watcher.is_running


def test_it_leaves_in_time_while_the_database_is_away(site: Site, database: Database) -> None:
    names = photos(site)
    watcher = site.covered()

    began = now()
    database.take_away()
    site.history.unlink_all(names)
    watcher.wait_for_outage()
    code = watcher.end(signal.SIGTERM, seconds=10.0)
    ended = now()
    database.give_back()
    site.launch()

    assert code == 0
    assert site.conclude("SIGTERM with the database away", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)


def test_a_spool_that_cannot_be_written_is_a_gap_and_not_the_end(site: Site, database: Database) -> None:
    site.ending.enter_context(released(site.state))
    mount_tmpfs(site.state, size="1m")
    names = photos(site)
    watcher = site.covered()
    wait_until(lambda: site.health() == 0, seconds=40)  # it says how it is about once a second

    began = now()
    junk = fill(site.state)
    database.take_away()
    site.history.unlink_all(names)
    gap = watcher.wait_for_gap()
    wait_until(lambda: site.health() == 1, seconds=40)  # what it last wrote there holds until it is stale
    ended = now()
    junk.unlink()
    database.give_back()

    assert site.conclude("spool on a full disk, database away", began=began, ended=ended) == CLEAN
    assert gap["reason"] == "spool_failed"
    assert watcher.is_running
    assert sorted(site.deletions()) == told(names)


def test_a_database_restored_from_a_backup_is_noticed(site: Site, database: Database) -> None:
    site.photo("photos/a.jpg")
    site.photo("photos/b.jpg")
    watcher = site.covered()
    database.save()
    site.history.unlink("photos/b.jpg")
    site.wait_for_deletions("photos/b.jpg")

    began = now()
    database.restore()
    watcher.wait_for("span.closed", reason="rewound")
    site.history.unlink("photos/a.jpg")

    assert site.conclude("database restored from a backup", began=began) == CLEAN
    assert sorted(site.deletions()) == told(["photos/a.jpg", "photos/b.jpg"])
    assert (watcher.is_running, site.gaps()) == (True, ["rewound", ""])
