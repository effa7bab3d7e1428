"""Random worlds of records that hang on one another in every way that Django knows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import django
import pytest
from django.db import connection, models, transaction
from django.test import override_settings
from hypothesis import strategies as st

from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.removal import preview, remove, revival
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from tests.makers import make_file
from tests.shapes import models as shapes
from tests.shapes.models import Exhibit, Guard, Lease, Page, Profile, Remark, Room, Showing, Ticket

NAMED = ["shapes.Exhibit", "gallery.Photo", "gallery.Video", "shapes.Document", "shapes.Page"]
HAS_DATABASE_CASCADE = django.VERSION >= (6, 1)
if HAS_DATABASE_CASCADE:
    NAMED.append("shapes.Painting")

Links: TypeAlias = list[tuple[int, ...]]
NUMBER = st.integers(0, 7)
MAYBE = st.none() | NUMBER
FACTS = st.sampled_from([None, models.Value(None, models.JSONField()), {"a": [1.5, None, "\u2028"]}, [], 0])
WEIGHTS = st.none() | st.floats(allow_nan=False)
# PostgreSQL holds no NUL.
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=8)


@dataclass(frozen=True, slots=True)
class Graph:
    """What to make: numbers choose among what there is."""

    exhibits: list[tuple[bool, int | None, int | None, Any, Any, bytes]]
    codes: list[str]
    showings: Links
    tickets: list[tuple[int, int | None]]
    remarks: Links
    guards: list[tuple[int | None, int | None, int | None]]
    pictures: list[tuple[bool, bool]]
    picture_links: Links
    leases: list[tuple[bool, bool]]
    pages: list[bool]


def graphs() -> st.SearchStrategy[Graph]:
    """Graphs that are small, and in which things meet."""
    exhibits = st.tuples(st.booleans(), MAYBE, MAYBE, FACTS, WEIGHTS, st.binary(max_size=3))
    pair, triple = st.tuples(NUMBER, NUMBER), st.tuples(NUMBER, NUMBER, NUMBER)
    return st.builds(
        Graph,
        exhibits=st.lists(exhibits, max_size=6),
        codes=st.lists(NAMES, min_size=6, max_size=6, unique=True),
        showings=st.lists(pair, max_size=5),
        tickets=st.lists(st.tuples(NUMBER, MAYBE), max_size=4),
        remarks=st.lists(st.tuples(NUMBER), max_size=4),
        guards=st.lists(st.tuples(MAYBE, MAYBE, MAYBE), max_size=2),
        pictures=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=4),
        picture_links=st.lists(triple, max_size=6),
        leases=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=2),
        pages=st.lists(st.booleans(), max_size=2),
    )


@contextmanager
def made(graph: Graph) -> Iterator[Path]:
    """The graph in the database and on disk, and afterwards a database as before; chunks are small."""
    block = transaction.atomic()
    block._from_testcase = True  # a durable transaction may begin within it
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(MEDIA_ROOT=f"{folder}/media"),
        pytest.MonkeyPatch.context() as patch,
        block,
    ):
        patch.setattr(remove, "DELETE_CHUNK", 2)
        patch.setattr(preview, "DELETE_CHUNK", 2)
        patch.setattr(revival, "AT_ONCE", 2)
        for model in NAMED:
            primary = {"Photo": "image", "Video": "video"}.get(model.partition(".")[2], "file")
            patch.setitem(registry._registrations, model, Registration(model=model, primary=(primary,)))
        media = Path(folder, "media")
        make_file(media, "kept.bin")
        make_museum(graph)
        make_gallery(graph)
        make_papers(graph)
        if HAS_DATABASE_CASCADE:
            make_paintings(graph)
        yield media
        connection.check_constraints()
        transaction.set_rollback(True)


def name_of(number: int, *, is_gone: bool) -> str:
    return f"gone/{number}.bin" if is_gone else "kept.bin"


def make_museum(graph: Graph) -> None:
    exhibits = [Exhibit.objects.create(code="spare", file="kept.bin")]
    for number, (is_gone, _, _, facts, weight, pattern) in enumerate(graph.exhibits):
        exhibits.append(
            Exhibit.objects.create(
                code=f"{graph.codes[number]}{number}",
                file=name_of(number, is_gone=is_gone),
                facts=facts,
                weight=weight,
                pattern=pattern,
                price=Decimal(number) / 7,
                is_fragile=[None, True, False][number % 3],
            )
        )
    for one, (_, twin, base, *_) in zip(exhibits[1:], graph.exhibits, strict=True):
        Exhibit.objects.filter(pk=one.pk).update(twin=chosen(exhibits, twin), base=chosen(exhibits, base))
    rooms = [Room.objects.create(name=name) for name in ("North", "South")]
    showings = [
        Showing.objects.create(exhibit=chosen(exhibits, exhibit), room=rooms[room % 2], place=place)
        for place, (exhibit, room) in enumerate(graph.showings)
    ]
    for exhibit, showing in graph.tickets:
        free = [one for one in showings if not Ticket.objects.filter(showing=one).exists()]
        Ticket.objects.create(exhibit=chosen(exhibits, exhibit), showing=chosen(free, showing), seat=uuid4())
    for number, (exhibit,) in enumerate(graph.remarks):
        Remark.objects.create(about=chosen(exhibits, exhibit), text=f"remark {number}")
    for owner, protects, restricts in graph.guards:
        Guard.objects.create(
            owner=chosen(exhibits, owner), protects=chosen(exhibits, protects), restricts=chosen(exhibits, restricts)
        )


def chosen(things: list[Any], number: int | None) -> Any:
    return things[number % len(things)] if things and number is not None else None


def make_gallery(graph: Graph) -> None:
    album, own = Album.objects.create(name="Aix"), CustomAlbum.objects.create(name="Best")
    tags = [Tag.objects.create(name=name) for name in ("sea", "sun")]
    photos, videos = [], []
    for number, (photo_is_gone, video_is_gone) in enumerate(graph.pictures):
        photos.append(Photo.objects.create(album=album, image=name_of(number, is_gone=photo_is_gone)))
        videos.append(Video.objects.create(album=album, video=name_of(number, is_gone=video_is_gone)))
    for photo, video, tag in graph.picture_links if photos else ():
        chosen(photos, photo).tags.add(chosen(tags, tag))
        chosen(videos, video).tags.add(chosen(tags, tag))
        own.photos.add(chosen(photos, photo))
        own.videos.add(chosen(videos, video))
        Rendition.objects.create(photo=chosen(photos, photo), width=320, file="kept.bin")
        Album.objects.create(name="Another", cover=chosen(photos, tag))


def make_papers(graph: Graph) -> None:
    landlord = Profile.objects.create(name="Ann")
    for number, (is_gone, is_let) in enumerate(graph.leases):
        file = name_of(number, is_gone=is_gone)
        lease = Lease.objects.create(title="lease", file=file, landlord=landlord if is_let else None)
        Remark.objects.create(about=lease, text=f"lease {number}")
    for number, is_gone in enumerate(graph.pages):
        Page.objects.create(book=3, number=number, file=name_of(number, is_gone=is_gone))


def make_paintings(graph: Graph) -> None:
    for number, (is_gone, has_nail) in enumerate(graph.pictures):
        painting = shapes.Painting.objects.create(file=name_of(number, is_gone=is_gone))
        frame = shapes.Frame.objects.create(painting=painting)
        nail = shapes.Nail.objects.create(frame=frame) if has_nail else None
        shapes.Shadow.objects.create(painting=painting, nail=nail)
