"""The roles of deploy/postgresql/roles.sql: each can do its work, and is refused what it must not do."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import LazySettings
from django.db import ProgrammingError, connection, transaction

from deploy.gallery.models import Photo
from tests import settings as tests_settings
from tests.commands.programs import NAME
from tests.faults.site import Site
from tests.removal.rows import dump
from tests.running import PROJECT, Ran, manage

pytestmark = [pytest.mark.live, pytest.mark.postgresql]
OWN = f"media_auditor_{os.getpid()}_"  # a role belongs to the whole server
ROLES = ("reader", "writer", "cleaner")
PASSWORD = "of-the-tests"
LACKING = r"permission denied|must be owner"
REFUSED = {
    "reader": (
        "INSERT INTO auditor_clockreading (position, read_at, boot, uptime_ms) VALUES (1, now(), '', 1)",
        "UPDATE gallery_photo SET image = ''",
        "DELETE FROM gallery_photo",
        "UPDATE auditor_span SET covered_until = now()",
    ),
    "writer": (
        "UPDATE auditor_event SET path = ''",
        "DELETE FROM auditor_event",
        "TRUNCATE auditor_event",
        "DELETE FROM auditor_batch",
        "DELETE FROM auditor_span",
        "DELETE FROM auditor_root",
        "DELETE FROM gallery_photo",
        "UPDATE gallery_photo SET image = ''",
        "INSERT INTO auditor_run SELECT * FROM auditor_run",
        "DELETE FROM auditor_tombstone",
        "ALTER TABLE auditor_event DISABLE TRIGGER ALL",
    ),
    "cleaner": (
        "UPDATE auditor_event SET path = ''",
        "DELETE FROM auditor_batch",
        "DELETE FROM auditor_tombstone",
        "UPDATE auditor_tombstone SET sha256 = ''",
        "UPDATE auth_user SET is_superuser = true",
        "DELETE FROM django_migrations",
        "DROP TRIGGER auditor_event_kept ON auditor_event",
    ),
}


def psql(script: str) -> None:
    """Runs a script in this test's database, as its owner."""
    url = urlunsplit(urlsplit(tests_settings.POSTGRES_URL)._replace(path=f"/{connection.settings_dict['NAME']}"))
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=apps=gallery", url]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def roles(transactional_db: None) -> Iterator[None]:
    """The roles, and a role to log in for each."""
    script = (PROJECT / "deploy/postgresql/roles.sql").read_text(encoding="utf-8").replace("media_auditor_", OWN)
    logins = [f"CREATE ROLE {OWN}{one}_login LOGIN PASSWORD '{PASSWORD}' IN ROLE {OWN}{one};" for one in ROLES]
    psql(script)
    psql(script)  # once more, as after a migrate
    psql("".join(logins))
    yield
    names = [f"{OWN}{one}{login}" for one in ROLES for login in ("_login", "")]
    psql(f"DROP OWNED BY {', '.join(names)}; DROP ROLE {', '.join(names)};")


def url_of(role: str) -> str:
    parts = urlsplit(tests_settings.POSTGRES_URL)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{OWN}{role}_login:{PASSWORD}@{host}"))


def as_role(role: str, *arguments: str) -> Ran:
    return manage(*arguments, TEST_POSTGRES_URL=url_of(role))


@pytest.fixture
def watched(roles: None, settings: LazySettings, tmp_path: Path) -> Iterator[Site]:
    """A site whose watcher is the writer, and has heard of a deletion."""
    with ExitStack() as ending:
        site = Site(tmp_path, ending)
        settings.MEDIA_ROOT = str(site.media)
        site.extra["TEST_POSTGRES_URL"] = url_of("writer")
        names = [site.photo(f"photos/{number}.jpg") for number in range(3)]
        site.covered()
        (site.media / names[0]).unlink()
        site.wait_for_deletions(names[0])
        yield site


def test_watcher_does_its_work_as_writer_and_the_reader_asks_the_log(watched: Site) -> None:
    before = dump()

    asked = [
        as_role("reader", NAME, "--dry-run", "--route", "log"),
        as_role("reader", NAME, "--check", "--route", "scan"),
        as_role("reader", "cleanup_unused_files", "--dry-run"),
        as_role("reader", "audit_log", "why", "photos/0.jpg"),
        as_role("reader", "audit_log", "verify"),
        as_role("reader", "audit_log", "spans"),
    ]

    assert [one.code for one in asked] == [0, 3, 0, 0, 0, 0], [one.stdout + one.stderr for one in asked]
    assert "Photos: 1 orphaned out of 3 total" in asked[0].stdout
    assert [row for row in dump() if row not in before] == []


def test_check_of_the_media_is_for_the_cleaner(watched: Site) -> None:
    checks = [as_role(role, "check_media_integrity", "--checksums") for role in ("reader", "cleaner")]

    assert [one.code for one in checks] == [1, 0], [one.stdout + one.stderr for one in checks]
    assert "permission denied" in checks[0].stdout


def test_cleaner_deletes_and_restores(watched: Site) -> None:
    before = list(Photo.objects.order_by("pk").values())

    cleaned = as_role("cleaner", NAME, "--force")
    left = Photo.objects.count()
    restored = as_role("cleaner", "restore_orphaned_media", "--with-missing-files", "--force")
    verified = as_role("cleaner", "audit_log", "verify")

    assert [one.code for one in (cleaned, restored, verified)] == [0, 0, 0], cleaned.stdout + restored.stdout
    assert left == 2
    assert list(Photo.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_others_are_refused_a_clean_up(watched: Site, role: str) -> None:
    ran = as_role(role, NAME, "--force")

    assert (ran.code, ran.log[-1]["event"]) == (1, "run.failed")
    assert "permission denied" in ran.stdout
    assert Photo.objects.count() == 3


def test_roles_are_refused_what_they_must_not_do(roles: None) -> None:
    for role, statements in REFUSED.items():
        for statement in statements:
            with transaction.atomic(), pytest.raises(ProgrammingError, match=LACKING), transaction.atomic():
                run_as(role, statement)


def run_as(role: str, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWN}{role}")
        cursor.execute(statement)
