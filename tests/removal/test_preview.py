"""What a deletion takes along is said before: the words, and that nothing is written for it."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auditor.orphans.plan import Along, Fate
from auditor.removal import preview as previewing
from auditor.removal.preview import preview
from tests.makers import make_file
from tests.removal.removing import planned
from tests.removal.test_all_or_nothing import make_gallery
from tests.shapes.models import Lock, Locked

pytestmark = pytest.mark.django_db


def test_words_are_those_that_people_use(media: Path) -> None:
    make_gallery(media, photos=2)
    found = planned()

    foreseen = preview(found.plan, found.audited, using="default")

    assert foreseen.taken == (
        Along(what="gallery.CustomAlbum_photos", one="custom album link", many="custom album links", count=2),
        Along(what="gallery.CustomAlbum_videos", one="custom album link", many="custom album links", count=2),
        Along(what="gallery.Photo_tags", one="tag link", many="tag links", count=2),
        Along(what="gallery.Rendition", one="rendition", many="renditions", count=2),
    )
    assert foreseen.emptied == (Along(what="gallery.Album.cover", one="album cover", many="album covers", count=1),)
    assert foreseen.findings == found.plan.findings


def test_protected_orphans_are_marked_and_nothing_to_do_any_more(media: Path) -> None:
    make_file(media, "kept.bin")
    free, held = (Locked.objects.create(file=f"locked/{number}.bin") for number in (1, 2))
    Lock.objects.create(target=held)
    found = planned("shapes.Locked")

    foreseen = preview(found.plan, found.audited, using="default")

    [finding] = [one for one in foreseen.findings if one.named]
    assert [(one.key, one.fate, one.why) for one in finding.orphans] == [
        (free.pk, Fate.DELETE, ""),
        (held.pk, Fate.PROTECTED, "protected by shapes.Lock"),
    ]
    assert [one.key for to_do in foreseen.to_do for one in to_do.orphans] == [free.pk]


def test_it_only_reads_and_asks_once_for_many(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_gallery(media, photos=40)
    found, told = planned(), list[int]()
    monkeypatch.setattr(previewing, "DELETE_CHUNK", 20)

    with CaptureQueriesContext(connection) as queries:
        preview(found.plan, found.audited, using="default", progress=told.append)

    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert "FOR UPDATE" not in " ".join(query["sql"] for query in queries)
    assert len(queries) < 60
    assert told == [20, 20, 20, 20]
