"""What is kept of deleted rows can be erased, and is after a time."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings

from auditor.auditlog import store
from auditor.auditlog.events import TombstoneErased, from_stored
from auditor.models import Run, Tombstone
from auditor.removal.erasing import erase_expired
from tests.removal.removing import RUN, planned
from tests.removal.test_all_or_nothing import make_gallery

pytestmark = pytest.mark.django_db
BY = UUID(int=7)


@pytest.fixture(autouse=True)
def cleaned(media: Path) -> None:
    make_gallery(media, photos=1)
    planned().execute()


def age(days: float) -> None:
    """Lets the clean-up have ended so long ago."""
    Run.objects.update(finished_at=store.database_time("default") - timedelta(days=days))


@pytest.mark.parametrize(("limit", "days"), [(0, 10_000), (30, 29.9)], ids=["for ever", "not yet"])
def test_nothing_expires_before_its_time(settings: LazySettings, limit: float, days: float) -> None:
    settings.AUDITOR_TOMBSTONE_DAYS = limit
    age(days)

    assert erase_expired("default", by=BY) == 0
    assert not Tombstone.objects.filter(payload="").exists()


def test_content_of_what_is_older_goes_and_its_hash_and_events_stay(settings: LazySettings) -> None:
    settings.AUDITOR_TOMBSTONE_DAYS = 30
    age(30.1)
    hashes, head = (
        list(Tombstone.objects.order_by("id").values_list("sha256", flat=True)),
        store.head_position("default"),
    )

    erased = [erase_expired("default", by=BY) for _ in range(2)]

    assert erased == [len(hashes), 0]
    assert set(Tombstone.objects.values_list("payload", flat=True)) == {""}
    assert list(Tombstone.objects.order_by("id").values_list("sha256", flat=True)) == hashes
    [event] = [from_stored(stored) for _, stored in store.read(after=head, using="default")]
    assert isinstance(event, TombstoneErased)
    assert (event.run_id, event.deleted_by, event.cause) == (BY, str(RUN.uid), "expired")
    assert sum(event.tombstones.values()) == len(hashes)
