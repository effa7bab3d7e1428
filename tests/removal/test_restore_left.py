"""Changed rows that a restore leaves as they are: it says so, and they go on waiting."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from auditor.auditlog import store
from auditor.auditlog.events import RecordRestored, from_stored
from auditor.models import Run
from auditor.removal.restore import Restoration
from deploy.gallery.models import Photo
from tests.makers import make_file, make_photo
from tests.removal.removing import RUN
from tests.removal.restoring import restored, waiting
from tests.removal.test_relink import relinked

pytestmark = pytest.mark.django_db


def relinked_photo(media: Path) -> Photo:
    """A photo that a run pointed from a.jpg at b.jpg."""
    photo = make_photo("a.jpg")
    make_file(media, "b.jpg")
    relinked(media, image="b.jpg").execute()
    return photo


def left(done: Restoration) -> list[tuple[str, str]]:
    assert set(done.left) <= set(done.plan.away)
    return [(str(one.row), one.reason) for one in done.left]


def restored_events() -> list[str]:
    events = (from_stored(stored) for _, stored in store.read(after=0, using="default"))
    return [event.key for event in events if isinstance(event, RecordRestored)]


def test_relinked_record_that_is_gone_does_not_come_back_and_goes_on_waiting(media: Path) -> None:
    photo = relinked_photo(media)
    Photo.objects.all().delete()

    done = restored()

    assert left(done) == [(f"gallery.Photo:{photo.pk}", "the row is gone")]
    assert (done.restored, done.is_done, restored_events()) == ((), False, [])
    assert waiting() == [("gallery.Photo", str(photo.pk))]
    assert Run.objects.count() == 1


def test_others_come_back_where_a_relinked_record_is_gone(media: Path) -> None:
    photo, other = make_photo("a.jpg"), make_photo("z.jpg")
    relinked(media, image="b.jpg").execute()
    Photo.objects.filter(pk=photo.pk).delete()

    done = restored()

    assert left(done) == [(f"gallery.Photo:{photo.pk}", "the row is gone")]
    assert [one.row.key for one in done.restored] == restored_events() == [str(other.pk)]
    assert waiting() == [("gallery.Photo", str(photo.pk))]
    assert Photo.objects.get().image.name == "z.jpg"


def test_two_relinks_are_undone_whichever_is_tried_first(media: Path) -> None:
    photo = relinked_photo(media)
    (media / "b.jpg").unlink()
    make_file(media, "c.jpg")
    newer = replace(RUN, uid=UUID(int=RUN.uid.int + 100))
    relinked(media, image="c.jpg").execute(run=newer)

    early = restored()
    again = [restored(of=newer, number=3), restored(number=4)]

    assert left(early) == [(f"gallery.Photo:{photo.pk}", "its image was set by somebody since")]
    assert [left(one) for one in again] == [[], []]
    assert Photo.objects.get().image.name == "a.jpg"
    assert restored_events() == [str(photo.pk)] * 2
    assert waiting() == []
