"""Ends that are nobody's fault: a reader that leaves, a table that lives elsewhere, a host that raises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_delete

from auditor.orphans import registry
from auditor.orphans.registry import Registration
from deploy.gallery.models import Photo
from tests.makers import make_file, make_known, make_photo
from tests.running import PROJECT, environment, run
from tests.shapes.models import Profile

PROFILE = Registration(model="shapes.Profile", primary=("avatar",))
pytestmark = pytest.mark.django_db(transaction=True)


def test_reader_that_leaves_ends_the_command_without_a_traceback(media: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "manage.py", "cleanup_orphaned_media", "--dry-run", "--log-format", "none"],
        cwd=PROJECT,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.fixture
def profiles_live_elsewhere() -> Iterator[None]:
    """The table of profiles is in another database, as a router may have it."""
    with connection.schema_editor() as editor:
        editor.delete_model(Profile)
    yield
    with connection.schema_editor() as editor:
        editor.create_model(Profile)


def test_model_whose_table_is_elsewhere_is_left_out(media: Path, profiles_live_elsewhere: None) -> None:
    make_known(media)
    make_file(media, "kept.txt")
    make_photo()

    ran = run("cleanup_orphaned_media", "--force")

    assert ran.code == 0
    assert not Photo.objects.exists()


def test_named_model_whose_table_is_elsewhere_is_refused(
    media: Path, profiles_live_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._registrations, "shapes.Profile", PROFILE)

    ran = run("cleanup_orphaned_media", "--dry-run")

    assert ran.code == 1
    assert ran.stdout == (
        "CommandError: The database 'default' has no table shapes_profile: it has not been migrated.\n"
        "Run: python manage.py migrate --database default\n"
    )


def test_signal_handler_of_the_host_that_raises_is_told_to_the_log_and_deletes_nothing(media: Path) -> None:
    make_known(media)

    def refuse(**_: Any) -> None:
        raise ValueError("not today")

    make_file(media, "kept.txt")
    photo = make_photo()
    into = media.parent / "log.jsonl"
    post_delete.connect(refuse, sender=Photo)
    try:
        with pytest.raises(ValueError, match="not today"):
            run("cleanup_orphaned_media", "--force", "--log-format", "none", "--json-into", str(into))
    finally:
        post_delete.disconnect(refuse, sender=Photo)

    assert '"message": "ValueError: not today. Nothing was deleted."' in into.read_text()
    assert list(Photo.objects.all()) == [photo]


def test_log_file_on_a_full_disk_does_not_stop_the_deletion_and_is_told(media: Path) -> None:
    make_known(media)
    make_file(media, "kept.txt")
    make_photo()

    ran = run("cleanup_orphaned_media", "--force", "--json-into", "/dev/full")

    assert not Photo.objects.exists()
    assert ran.code == 1
    assert ran.stdout.endswith(
        "CommandError: The JSON log could not be written to its end: No space left on device. "
        "The deletion is complete.\n"
        "Make room where it is kept; what was deleted is in the audit log as well.\n"
    )
    assert "log.lost" in ran.events
    assert "run.completed" in ran.events


def test_pipe_of_the_host_that_breaks_is_not_taken_for_our_own(media: Path) -> None:
    make_known(media)

    def lose(**_: Any) -> None:
        raise BrokenPipeError("the cache is gone")

    make_file(media, "kept.txt")
    make_photo()
    post_delete.connect(lose, sender=Photo)
    try:
        with pytest.raises(BrokenPipeError, match="the cache is gone"):
            run("cleanup_orphaned_media", "--force", "--log-format", "none")
    finally:
        post_delete.disconnect(lose, sender=Photo)

    assert Photo.objects.exists()
