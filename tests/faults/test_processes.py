"""Signals, kill -9 at any moment, and two watchers of one folder."""

import random
import signal

import pytest

from auditor.models import Span
from tests.faults.site import CLEAN, Site, now

pytestmark = pytest.mark.live
BACKLOG = 5_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_kill_9_nothing_that_a_record_names_is_lost(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    names = [site.photo(f"photos/{number % 7}/{number}.jpg") for number in range(200)]
    chance.shuffle(names)
    watcher = site.covered()

    killed_at = chance.randrange(20, 180)
    site.history.unlink_all(names[:killed_at])
    watcher.kill()
    left_open = Span.objects.get(closed_at=None)
    began = now()
    site.history.unlink_all(names[killed_at:190])
    site.launch()

    assert site.conclude(f"kill -9 (seed {seed})", began=began) == CLEAN
    closed = Span.objects.get(uid=left_open.uid)
    assert (closed.closed_reason, closed.covered_until) == ("crashed", left_open.covered_until)
    assert sorted(site.deletions()) == sorted(("file.deleted", name) for name in names[:190])


def test_on_sigterm_all_that_happened_before_it_is_recorded_and_covered(site: Site) -> None:
    names = [site.file(f"files/{number}.jpg") for number in range(BACKLOG)]
    watcher = site.covered()

    watcher.freeze()
    site.history.unlink_all(names)
    last = now()
    watcher.send(signal.SIGTERM)
    code = watcher.end(signal.SIGCONT)

    assert code == 0
    assert sorted(site.deletions()) == sorted(("file.deleted", name) for name in names)
    span = Span.objects.get()
    assert (span.closed_reason, span.covered_until >= last) == ("stopped", True)
    assert site.history.check(site.root) == CLEAN


def test_a_second_signal_ends_it_at_once_and_the_next_start_repairs_the_log(site: Site) -> None:
    names = [site.photo(f"photos/{number}.jpg") for number in range(100)]
    watcher = site.covered()

    watcher.freeze()
    site.history.unlink_all(names)
    for number in (signal.SIGTERM, signal.SIGINT):  # both are handled before it goes on: there is no first alone
        watcher.send(number)
    began = now()
    code = watcher.end(signal.SIGCONT, seconds=2.0)
    site.launch()

    assert code in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert site.conclude("a second signal", began=began) == CLEAN
    assert site.gaps() == ["crashed", ""]


def test_sighup_does_not_end_it(site: Site) -> None:
    site.photo("photos/a.jpg")
    watcher = site.covered()

    began = now()
    watcher.send(signal.SIGHUP)
    site.history.unlink("photos/a.jpg")
    site.wait_for_deletions("photos/a.jpg")

    assert site.conclude("SIGHUP", began=began) == CLEAN
    assert watcher.is_running


def test_a_second_watcher_waits_and_takes_the_place_of_a_killed_one(site: Site) -> None:
    site.photo("photos/a.jpg")
    site.photo("photos/b.jpg")
    first = site.covered()
    second = site.launch()
    second.wait_for("root.waiting")
    site.history.unlink("photos/a.jpg")
    site.wait_for_deletions("photos/a.jpg")
    opened_meanwhile = second.named("span.opened")

    first.kill()
    began = now()
    site.history.unlink("photos/b.jpg")

    assert site.conclude("watcher killed, standby takes over", began=began) == CLEAN
    assert (opened_meanwhile, second.is_running) == ([], True)
    assert site.deletions() == [("file.deleted", "photos/a.jpg"), ("file.deleted", "photos/b.jpg")]
    assert site.gaps() == ["crashed", ""]


def test_of_two_watchers_the_waiting_one_stops_when_it_is_told(site: Site) -> None:
    site.covered()
    second = site.launch()
    second.wait_for("root.waiting")

    assert second.end(seconds=10.0) == 0
    assert site.gaps() == [""]
