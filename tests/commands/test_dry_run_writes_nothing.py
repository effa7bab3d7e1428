"""A dry run writes nothing at all, and works where nothing can be written."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from tests.commands.library import make_library, make_watched
from tests.commands.programs import NAME
from tests.makers import make_photo
from tests.removal.rows import dump
from tests.running import manage, run

READER = f"auditor_reader_{os.getpid()}"  # a role belongs to the whole server


@pytest.fixture
def library(media: Path) -> Path:
    """A library with orphans, an unknown name, a missing thumbnail and a watcher."""
    make_library(media, photos=30, videos=20)
    make_photo("../x.jpg", thumbnail="thumbnails/gone.jpg")
    make_watched(media, "photos/1000004108.jpg")
    return media


@pytest.mark.django_db
@pytest.mark.parametrize("flag", ["--dry-run", "--check"])
@pytest.mark.parametrize("route", ["auto", "scan"])
def test_dry_run_only_selects_and_changes_no_row(library: Path, flag: str, route: str) -> None:
    before, asked = dump(), []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        ran = run(NAME, flag, "--route", route)

    assert ran.events[-1] == "run.completed"
    assert [sql for sql in asked if not sql.lstrip().startswith("SELECT")] == []
    assert "FOR UPDATE" not in "".join(asked)
    assert dump() == before


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("route", ["auto", "scan"])
def test_dry_run_needs_no_more_than_select(library: Path, route: str) -> None:
    before = run(NAME, "--dry-run", "--route", route)
    with connection.cursor() as cursor:
        # All of it goes with the test's transaction.
        cursor.execute(f"CREATE ROLE {READER}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
        cursor.execute(f"SET LOCAL ROLE {READER}")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        make_photo("photos/new.jpg")

    ran = run(NAME, "--dry-run", "--route", route)

    assert (ran.code, ran.stdout) == (before.code, before.stdout)


@pytest.mark.live
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_dry_run_reads_a_database_that_is_open_for_reading_only(library: Path) -> None:
    before, shown = dump(), run(NAME, "--dry-run", "--route", "scan").stdout
    read_only = f"file:{connection.settings_dict['NAME']}?mode=ro"

    ran = manage(NAME, "--dry-run", "--route", "scan", TEST_DATABASE_NAME=read_only)

    assert (ran.code, ran.stdout, dump()) == (4, shown, before)


@pytest.mark.live
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_database_that_is_open_for_reading_only_refuses_a_deletion(library: Path) -> None:
    before = dump()
    read_only = f"file:{connection.settings_dict['NAME']}?mode=ro"

    ran = manage(NAME, "--force", TEST_DATABASE_NAME=read_only)

    assert (ran.code, ran.log[-1]["message"]) == (
        1,
        "The database failed: attempt to write a readonly database. Nothing was deleted.",
    )
    assert dump() == before
