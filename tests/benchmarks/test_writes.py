"""The journal of a table can be switched off and is there again, as it was."""

import pytest
from django.db import connection

from deploy.gallery.models import Photo
from tests.benchmarks.writes import triggers
from tests.journal.journaled import PHOTO, forget, keys, run, seen
from tests.makers import make_photo

pytestmark = pytest.mark.django_db
TABLE = Photo._meta.db_table


@pytest.fixture(autouse=True)
def nothing_journaled() -> None:
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")  # within a test's transaction, pending ones forbid to alter the table
    forget()


def test_nothing_is_journaled_while_it_is_off() -> None:
    with triggers(TABLE, are_on=False) as count:
        make_photo(name="photos/a.jpg")
        off = keys(PHOTO)
    photo = make_photo(name="photos/b.jpg")

    assert (count > 0, off, keys(PHOTO)) == (True, [], [str(photo.pk)])


def test_all_is_journaled_while_it_is_on() -> None:
    before = seen()

    with triggers(TABLE, are_on=True):
        photo = make_photo(name="photos/a.jpg")

    assert (keys(PHOTO), seen()) == ([str(photo.pk)], before)
