"""What networks and servers do to connections, on PostgreSQL."""

import signal
from collections.abc import Callable

import pytest
from django.db import connection

from auditor.models import Event
from tests.faults.databases import PostgresqlDatabase
from tests.faults.proxy import Proxy
from tests.faults.site import CLEAN, Site, now
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.postgresql]


def photos(site: Site) -> list[str]:
    return [site.photo(f"photos/{number}.jpg") for number in range(40)]


def told(names: list[str]) -> list[tuple[str, str]]:
    return sorted(("file.deleted", name) for name in names)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def allow_writing(is_allowed: bool) -> None:
    """As when a server becomes a replica, or a replica a server: who is connected has to connect anew."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = {'off' if is_allowed else 'on'}")
    run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_connections_that_are_reset_again_and_again_lose_nothing(site: Site, database: PostgresqlDatabase) -> None:
    names = photos(site)
    watcher = site.covered()

    began = now()
    for name in names:
        site.history.unlink(name)
        database.proxy.reset()

    assert site.conclude("connections to PostgreSQL reset", began=began) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert watcher.is_running


def test_a_slow_network_loses_nothing(site: Site, database: PostgresqlDatabase) -> None:
    names = photos(site)
    watcher = site.covered()

    began = now()
    database.proxy.delay(0.05)
    site.history.unlink_all(names)
    site.wait_for_deletions(*names)
    ended = now()
    database.proxy.mend()

    assert site.conclude("every packet to PostgreSQL late", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert (watcher.is_running, site.gaps()) == (True, [""])


@pytest.mark.parametrize("silence", [Proxy.hold, Proxy.drop])
def test_a_server_that_falls_silent_is_given_up_in_time(
    site: Site, database: PostgresqlDatabase, silence: Callable[[Proxy], None]
) -> None:
    names = photos(site)
    site.extra["TEST_STALL_SECONDS"] = "5"
    watcher = site.covered()

    began = now()
    silence(database.proxy)
    site.history.unlink_all(names[:20])
    wait_until(lambda: watcher.named("append.retried") or not watcher.is_running, seconds=30)
    site.history.unlink_all(names[20:])
    ended = now()
    database.proxy.mend()
    site.supervise(ended)

    assert site.conclude(f"PostgreSQL silent ({silence.__name__})", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert watcher.program.poll() in (None, 1)


def test_a_database_that_has_become_read_only_is_waited_for(site: Site, database: PostgresqlDatabase) -> None:
    names = photos(site)
    watcher = site.covered()
    site.ending.callback(allow_writing, True)

    began = now()
    allow_writing(False)
    site.history.unlink_all(names)
    watcher.wait_for_outage()
    ended = now()
    allow_writing(True)

    assert site.conclude("PostgreSQL read-only", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == told(names)
    assert watcher.is_running


@pytest.mark.parametrize("has_state_of_its_own", [True, False], ids=["another machine", "the same machine"])
def test_a_watcher_that_lost_its_place_writes_nothing_beside_the_other(
    site: Site, database: PostgresqlDatabase, has_state_of_its_own: bool
) -> None:
    known, new = site.photo("photos/known.jpg"), site.photo("photos/new.jpg")
    site.history.unlink(new)
    first = site.covered()
    extra = {"STATE_DIRECTORY": str(site.folder / "other")} if has_state_of_its_own else {}
    second = site.launch(**extra)
    second.wait_for("root.waiting", reason="standby")

    began = now()
    first.freeze()
    run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%{first.program.pid}@%'")
    if has_state_of_its_own:
        second.wait_for("checkpoint.completed")
    else:
        second.wait_for("root.waiting", reason="spool_failed")
    (site.media / new).touch()
    site.history.unlink(new)
    site.history.unlink(known)
    first.send(signal.SIGCONT)

    assert site.conclude("place lost while frozen", began=began) == CLEAN
    assert (first.is_running, second.is_running) == (True, True)
    assert Event.objects.filter(type="file.deleted", path=known).count() == 1
