"""What a removal takes, what it leaves, and what it writes down."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model
from django.db.models.signals import post_delete, pre_delete
from PIL import Image

from auditor import keys
from auditor.auditlog import store
from auditor.auditlog.events import RecordDeleted, RunCompleted, from_stored
from auditor.models import Run, Tombstone
from auditor.orphans.plan import Along
from auditor.removal import remove
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from tests.makers import make_album, make_file, make_photo, make_video, real
from tests.removal.removing import RUN, deleted, kept, planned
from tests.settings import ON_POSTGRESQL
from tests.shapes.models import Contract, Document, Invoice, Lock, Locked, Measured, Pair

pytestmark = pytest.mark.django_db
UPLOADED = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)


@pytest.fixture
def gallery(media: Path) -> Path:
    """A photo and a video that are gone, a photo that is there, and everything that hangs on them."""
    tag = Tag.objects.create(pk=1, name="sea")
    album, chosen = Album.objects.create(pk=1, name="Aix"), CustomAlbum.objects.create(pk=1, name="Best")
    gone = make_photo("photos/gone.jpg", pk=1, album=album, thumbnail="thumbnails/gone.jpg", uploaded_at=UPLOADED)
    here = make_photo("photos/here.jpg", pk=2, album=album, media=media)
    film = make_video("videos/gone.mp4", pk=1, album=album)
    make_file(media, "thumbnails/gone.jpg")
    make_file(media, "renditions/gone-320.jpg")
    for number, photo in ((1, gone), (2, here)):
        Rendition.objects.create(pk=number, photo=photo, width=320, file="renditions/gone-320.jpg")
    for one in (gone, here, film):
        one.tags.add(tag)
    chosen.photos.add(gone, here)
    chosen.videos.add(film)
    Album.objects.update(cover=gone)
    return media


def tombstones() -> dict[tuple[str, str, str], dict[str, Any]]:
    """{(kind, model, key): row} of all tombstones, each of them sealed and of this run."""
    rows = Tombstone.objects.order_by("pk")
    assert [row.sha256 for row in rows] == [sha256(row.payload.encode()).hexdigest() for row in rows]
    assert {row.run_id for row in rows} <= {RUN.uid}
    held = {(row.kind, row.model, row.key): json.loads(row.payload) for row in rows}
    assert len(held) == len(rows)
    return held


def test_orphans_go_with_all_that_hangs_on_them_and_the_rest_stays(gallery: Path) -> None:
    outcome = planned().execute()

    assert deleted(outcome) == [("gallery.Photo", 1, 1), ("gallery.Video", 1, 2)]
    assert kept(outcome) == []
    assert outcome.taken == (
        Along(what="gallery.CustomAlbum_photos", one="custom album link", many="custom album links", count=1),
        Along(what="gallery.CustomAlbum_videos", one="custom album link", many="custom album links", count=1),
        Along(what="gallery.Photo_tags", one="tag link", many="tag links", count=1),
        Along(what="gallery.Rendition", one="rendition", many="renditions", count=1),
        Along(what="gallery.Video_tags", one="tag link", many="tag links", count=1),
    )
    assert outcome.emptied == (Along(what="gallery.Album.cover", one="album cover", many="album covers", count=1),)
    here = Photo.objects.get()
    assert (here.pk, Video.objects.count(), Tag.objects.count()) == (2, 0, 1)
    assert list(here.renditions.all()) == list(Rendition.objects.all())
    assert list(here.tags.all()) == list(Tag.objects.all())
    assert list(CustomAlbum.objects.get().photos.all()) == [here]
    assert Album.objects.get().cover is None


def test_every_row_that_goes_or_changes_is_written_down_whole(gallery: Path) -> None:
    links = {
        through: through.objects.get(**{f"{field}_id": 1}).pk
        for through, field in (
            (Photo.tags.through, "photo"),
            (Video.tags.through, "video"),
            (CustomAlbum.photos.through, "photo"),
            (CustomAlbum.videos.through, "video"),
        )
    }

    planned().execute()

    photo = {
        "id": 1,
        "image": "photos/gone.jpg",
        "thumbnail": "thumbnails/gone.jpg",
        "album_id": 1,
        "uploaded_at": "2026-02-03 04:05:06.789012" + ("+00" if ON_POSTGRESQL else ""),
    }
    assert tombstones() == {
        ("orphan", "gallery.Photo", "1"): photo,
        ("orphan", "gallery.Video", "1"): {"id": 1, "video": "videos/gone.mp4", "thumbnail": "", "album_id": 1},
        ("cascade", "gallery.Rendition", "1"): {
            "id": 1,
            "photo_id": 1,
            "width": 320,
            "file": "renditions/gone-320.jpg",
        },
        ("emptied", "gallery.Album", "1"): {"key": {"id": 1}, "column": "cover_id", "old": 1, "new": None},
    } | {
        ("cascade", through._meta.label, str(key)): {"id": key, f"{field}_id": 1, f"{other}_id": 1}
        for (through, key), (field, other) in zip(
            links.items(),
            [("photo", "tag"), ("video", "tag"), ("customalbum", "photo"), ("customalbum", "video")],
            strict=True,
        )
    }


def test_deletions_and_then_the_run_are_the_last_of_the_log(gallery: Path) -> None:
    root = store.register_root("/srv/elsewhere", using="default")
    earlier = RecordDeleted(root=root.pk, path="a", occurred_at=UPLOADED, model="a.B", key="1", field="file")
    store.append([earlier], using="default")

    planned().execute()

    root = store.register_root(real(gallery), using="default")
    events = [from_stored(stored) for _, stored in store.read(using="default")]
    run = Run.objects.get()
    told = {"root": root.pk, "occurred_at": run.finished_at, "run_id": RUN.uid, "key": "1"}
    assert events == [
        earlier,
        RecordDeleted(path="photos/gone.jpg", model="gallery.Photo", field="image", **told),
        RecordDeleted(path="videos/gone.mp4", model="gallery.Video", field="video", **told),
        RunCompleted(
            occurred_at=run.finished_at,
            run_id=RUN.uid,
            command="cleanup_orphaned_media",
            deleted={"gallery.Photo": 1, "gallery.Video": 1},
            cascade={
                "gallery.CustomAlbum_photos": 1,
                "gallery.CustomAlbum_videos": 1,
                "gallery.Photo_tags": 1,
                "gallery.Rendition": 1,
                "gallery.Video_tags": 1,
            },
            kept={},
            emptied={"gallery.Album.cover": 1},
        ),
    ]
    assert (run.uid, run.command, run.user, run.started_at) == (RUN.uid, RUN.command, "ann", RUN.started_at)
    assert (run.deleted, run.kept, run.started_at < run.finished_at) == (2, 0, True)


def test_no_file_is_touched(gallery: Path) -> None:
    before = {path: path.read_bytes() for path in gallery.rglob("*") if path.is_file()}

    planned().execute()

    assert {path: path.read_bytes() for path in gallery.rglob("*") if path.is_file()} == before


def test_more_records_than_fit_a_query_or_a_collector(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "NUMBERS", 300)
    monkeypatch.setattr(remove, "DELETE_CHUNK", 1_000)
    album = make_album()
    make_file(media, "kept.jpg")
    Photo.objects.bulk_create(Photo(image=f"photos/{number}.jpg", album=album) for number in range(2_100))
    told: list[int] = []

    outcome = planned().execute(told.append)

    assert (len(outcome.deleted), Photo.objects.count(), told) == (2_100, 0, [1_000, 1_000, 100])
    assert [one.position for one in outcome.deleted] == list(range(1, 2_101))


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What a receiver of the host saw of each deleted instance."""
    told: list[dict[str, Any]] = []

    def receive(instance: Model, **_: Any) -> None:
        assert instance.get_deferred_fields() == set()
        told.append({one.attname: str(getattr(instance, one.attname)) for one in instance._meta.concrete_fields})

    for signal in (pre_delete, post_delete):
        for model in (Photo, Rendition, Measured):
            signal.connect(receive, sender=model)
    yield told
    for signal in (pre_delete, post_delete):
        for model in (Photo, Rendition, Measured):
            assert signal.disconnect(receive, sender=model)


def test_signals_of_the_host_get_whole_instances(gallery: Path, heard: list[dict[str, Any]]) -> None:
    planned().execute()

    photo = {
        "id": "1",
        "image": "photos/gone.jpg",
        "thumbnail": "thumbnails/gone.jpg",
        "album_id": "1",
        "uploaded_at": str(UPLOADED),
    }
    rendition = {"id": "1", "photo_id": "1", "width": "320", "file": "renditions/gone-320.jpg"}
    assert sorted(heard, key=repr) == sorted([photo, photo, rendition, rendition], key=repr)


@pytest.mark.parametrize("size", [(640, 480), (None, None)], ids=["stored", "not stored"])
def test_record_whose_dimensions_are_read_from_its_file(
    media: Path, heard: list[dict[str, Any]], size: tuple[int | None, int | None]
) -> None:
    make_file(media, "measured/b.png")
    Image.new("RGB", (640, 480)).save(media / "measured/b.png")
    Measured.objects.create(image="measured/b.png")
    Image.new("RGB", (640, 480)).save(media / "measured/a.png")
    gone = Measured.objects.create(image="measured/a.png")
    Measured.objects.filter(pk=gone.pk).update(width=size[0], height=size[1])
    (media / "measured/a.png").unlink()

    outcome = planned("shapes.Measured").execute()

    seen = {"id": str(gone.pk), "image": "measured/a.png", "width": str(size[0]), "height": str(size[1])}
    assert deleted(outcome) == [("shapes.Measured", gone.pk, 1)]
    assert heard == [seen, seen]
    assert tombstones() == {
        ("orphan", "shapes.Measured", str(gone.pk)): {
            "id": gone.pk,
            "image": "measured/a.png",
            "width": size[0],
            "height": size[1],
        }
    }


def test_protected_record_stays_and_the_others_go(media: Path) -> None:
    make_file(media, "kept.bin")
    free, held = Locked.objects.create(file="locked/1.bin"), Locked.objects.create(file="locked/2.bin")
    also_free = Locked.objects.create(file="locked/3.bin")
    Lock.objects.create(target=held)

    outcome = planned("shapes.Locked").execute()

    assert deleted(outcome) == [("shapes.Locked", free.pk, 1), ("shapes.Locked", also_free.pk, 2)]
    assert kept(outcome) == [("shapes.Locked", held.pk, "protected by shapes.Lock", False)]
    assert list(Locked.objects.all()) == [held]
    assert set(tombstones()) == {
        ("orphan", "shapes.Locked", str(free.pk)),
        ("orphan", "shapes.Locked", str(also_free.pk)),
    }
    assert Run.objects.get().kept == 1


@pytest.mark.parametrize("named", ["shapes.Document", "shapes.Contract"])
def test_both_halves_of_a_multi_table_record_go(media: Path, named: str) -> None:
    make_file(media, "documents/here.pdf")
    here = Contract.objects.create(title="here", file="documents/here.pdf", signed=True)
    gone = Contract.objects.create(title="gone", file="documents/gone.pdf", signed=True)
    plain = Document.objects.create(title="plain", file="documents/plain.pdf")

    outcome = planned(named).execute()

    kinds = ("orphan", "cascade") if named == "shapes.Document" else ("cascade", "orphan")
    went = {
        (kinds[0], "shapes.Document", str(gone.pk)): {"id": gone.pk, "title": "gone", "file": "documents/gone.pdf"},
        (kinds[1], "shapes.Contract", str(gone.pk)): {"document_ptr_id": gone.pk, "signed": True},
    }
    if named == "shapes.Document":
        row = {"id": plain.pk, "title": "plain", "file": "documents/plain.pdf"}
        went["orphan", "shapes.Document", str(plain.pk)] = row
    assert tombstones() == went
    assert {one.orphan.key for one in outcome.deleted} == {int(key) for kind, _, key in went if kind == "orphan"}
    assert list(Contract.objects.all()) == [here]
    assert Document.objects.count() == (1 if named == "shapes.Document" else 2)


def test_record_with_a_key_that_is_no_number(media: Path) -> None:
    make_file(media, "kept.bin")
    invoice = Invoice.objects.create(scan="invoices/a.pdf")

    outcome = planned("shapes.Invoice").execute()

    assert deleted(outcome) == [("shapes.Invoice", invoice.pk, 1)]
    stored = str(invoice.pk) if ON_POSTGRESQL else invoice.pk.hex
    assert tombstones() == {("orphan", "shapes.Invoice", str(invoice.pk)): {"id": stored, "scan": "invoices/a.pdf"}}


def test_record_of_two_files_goes_when_one_is_missing(media: Path) -> None:
    make_file(media, "pairs/r.bin")
    pair = Pair.objects.create(left="pairs/l.bin", right="pairs/r.bin")

    outcome = planned("shapes.Pair").execute()

    assert deleted(outcome) == [("shapes.Pair", pair.pk, 1)]
    assert (media / "pairs/r.bin").exists()


def test_nothing_to_delete_still_closes_the_run(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)

    outcome = planned().execute()

    assert (deleted(outcome), Run.objects.get().deleted, store.head_position("default")) == ([], 0, 1)
