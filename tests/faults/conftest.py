"""A site for each test, and the table of faults at the end of the session."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests import settings as tests_settings
from tests.faults import table
from tests.faults.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.faults.site import Site


@pytest.fixture
def site(transactional_db: None, settings: LazySettings) -> Iterator[Site]:
    """An empty site; afterwards no watcher runs, and every line of their logs was as its schema says."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, ExitStack() as ending:
        os.chmod(folder, 0o755)
        made = Site(Path(folder), ending)
        settings.MEDIA_ROOT = str(made.media)
        yield made
        faults = [fault for watcher in made.watchers for fault in watcher.faults()]
    assert faults == []


@pytest.fixture
def database(site: Site) -> Database:
    """The database of this run, with a way to take it away from the site's watchers."""
    made: Database = (
        PostgresqlDatabase(site.ending) if tests_settings.ON_POSTGRESQL else SqliteDatabase(site.folder, site.ending)
    )
    site.extra |= made.environment
    return made


def pytest_sessionfinish() -> None:
    path = os.environ.get("FAULT_TABLE")
    if path and table.ROWS:
        table.write(Path(path))
