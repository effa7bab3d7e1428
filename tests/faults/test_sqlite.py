"""What befalls a database that is a file."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from auditor.models import Span
from tests.faults.databases import SqliteDatabase
from tests.faults.mounts import needs_root
from tests.faults.site import CLEAN, Site, now
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.sqlite, needs_root]
AS_ORDINARY_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")  # permissions count for it
HOLD = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked() -> Iterator[None]:
    """Another process holds the database's only write lock."""
    command = [sys.executable, "-c", HOLD, str(connection.settings_dict["NAME"])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("")


def test_a_database_locked_for_seconds_loses_nothing(site: Site) -> None:
    names = [site.photo(f"photos/{number}.jpg") for number in range(40)]
    watcher = site.covered()

    began = now()
    with locked():
        site.history.unlink_all(names)
        wait_until(lambda: (now() - Span.objects.get(closed_at=None).covered_until).total_seconds() > 3)
        ended = now()

    assert site.conclude("SQLite locked by another process", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == sorted(("file.deleted", name) for name in names)
    assert (watcher.is_running, site.gaps()) == (True, [""])


def test_a_database_that_may_not_be_written_at_the_start_is_waited_for(site: Site, database: SqliteDatabase) -> None:
    names = [site.photo(f"photos/{number}.jpg") for number in range(10)]
    site.covered().end()
    files = [path for path in database.path.parent.iterdir() if path.suffix != ".lock"]
    for path in files:
        path.chmod(0o444)

    began = now()
    watcher = site.launch(*AS_ORDINARY_USER)
    watcher.wait_for_outage()
    site.history.unlink_all(names)
    ended = now()
    for path in files:
        path.chmod(0o644)

    assert site.conclude("SQLite read-only at the start", began=began, ended=ended) == CLEAN
    assert sorted(site.deletions()) == sorted(("file.deleted", name) for name in names)
    assert watcher.is_running


def test_a_file_put_in_the_place_of_the_database_is_noticed(site: Site, database: SqliteDatabase) -> None:
    site.photo("photos/a.jpg")
    site.photo("photos/b.jpg")
    watcher = site.covered()
    database.save()
    site.history.unlink("photos/b.jpg")
    site.wait_for_deletions("photos/b.jpg")

    began = now()
    database.replace()
    watcher.wait_for("span.closed", reason="rewound")
    site.history.unlink("photos/a.jpg")

    assert site.conclude("database's file replaced by a backup", began=began) == CLEAN
    assert sorted(site.deletions()) == [("file.deleted", "photos/a.jpg"), ("file.deleted", "photos/b.jpg")]
    assert (watcher.is_running, site.gaps()) == (True, ["rewound", ""])


def test_a_database_that_is_moved_away_is_not_made_anew(site: Site, database: SqliteDatabase) -> None:
    site.photo("photos/a.jpg")
    watcher = site.covered()
    away = database.path.with_suffix(".away")

    began = now()
    database.path.rename(away)
    watcher.wait_for_outage()
    site.history.unlink("photos/a.jpg")
    wait_until(lambda: database.path.exists() or (now() - began).total_seconds() > 4)  # it tries every second
    assert not database.path.exists()
    away.rename(database.path)

    assert site.conclude("SQLite moved away and back", began=began) == CLEAN
    assert (watcher.is_running, site.deletions()) == (True, [("file.deleted", "photos/a.jpg")])
