"""A site with two databases and a router, as programs of their own see it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.makers import make_file
from tests.running import PROJECT, Ran

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

MAKE = """
import django, json
django.setup()
from django.core.management import call_command
for alias in ("default", "media"):
    call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
from deploy.gallery.models import Album, Photo
from tests.shapes.models import Document
album = Album.objects.create(name="Evan Photos")
for name in ("here", "gone"):
    Photo.objects.create(image=f"photos/{name}.jpg", album=album)
    Document.objects.create(title=name, file=f"documents/{name}.pdf")
"""
COUNT = """
import django, json
django.setup()
from auditor.models import Run
from deploy.gallery.models import Photo
from tests.shapes.models import Document
print(json.dumps([
    [str(one.image) for one in Photo.objects.all()],
    [str(one.file) for one in Document.objects.all()],
    {alias: Run.objects.using(alias).count() for alias in ("default", "media")},
]))
"""


def python(media: Path, *arguments: str) -> Ran:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.orphans.two_databases", "TEST_MEDIA_ROOT": str(media)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def clean_up(media: Path, *flags: str) -> Ran:
    models = ("--model", "gallery.Photo", "--model", "shapes.Document")
    return python(media, "manage.py", "cleanup_orphaned_media", "--force", "--log-format", "none", *models, *flags)


def test_each_database_is_cleaned_of_what_the_router_keeps_there(media: Path) -> None:
    make_file(media, "photos/here.jpg")
    make_file(media, "documents/here.pdf")
    assert python(media, "-c", MAKE).code == 0

    first, second = clean_up(media), clean_up(media, "--database", "media")

    assert (first.code, second.code) == (0, 0)
    assert "Documents: 1 orphaned out of 2 total" in first.stdout
    assert "gallery.Photo.image: kept in database 'media': run with --database media" in first.stdout
    assert "Photos: 1 orphaned out of 2 total" in second.stdout
    assert "shapes.Document.file: kept in database 'default': run with --database default" in second.stdout
    left = [["photos/here.jpg"], ["documents/here.pdf"], {"default": 1, "media": 1}]
    assert json.loads(python(media, "-c", COUNT).stdout) == left


def test_model_in_the_other_database_alone_is_refused_with_its_name(media: Path) -> None:
    assert python(media, "-c", MAKE).code == 0

    done = python(media, "manage.py", "cleanup_orphaned_media", "--model", "gallery.Photo", "--log-format", "none")

    assert (done.code, done.stderr) == (
        2,
        "CommandError: A router keeps gallery.Photo in the database 'media'.\nRun this with --database media.\n",
    )


def test_file_that_is_named_in_either_database_is_used(media: Path) -> None:
    for name in ("photos/here.jpg", "documents/here.pdf", "photos/left.jpg"):
        make_file(media, name)
    assert python(media, "-c", MAKE).code == 0
    flags = ("cleanup_unused_files", "--force", "--min-age", "0", "--log-format", "none")

    done = python(media, "manage.py", *flags)
    again = python(media, "manage.py", *flags, "--database", "media")

    assert (done.code, again.code) == (0, 0)
    assert "1 unused out of 3 files" in done.stdout
    assert "0 unused out of 2 files" in again.stdout
    left = sorted(path.name for path in media.rglob("*.*") if ".media-trash" not in path.parts)
    assert left == [".media-root", "here.jpg", "here.pdf"]


def test_database_that_is_away_ends_the_search(media: Path) -> None:
    make_file(media, "photos/here.jpg")
    make_file(media, "photos/left.jpg")
    assert python(media, "-c", MAKE).code == 0
    (media.parent / "media.sqlite3").write_bytes(b"this is no database" * 100)

    done = python(media, "manage.py", "cleanup_unused_files", "--force", "--min-age", "0", "--log-format", "none")

    assert (done.code, (media / "photos/left.jpg").exists()) == (1, True)
    assert "The database 'media' cannot be asked which files its records name" in done.stderr
