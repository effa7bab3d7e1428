import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.asserts import assertContains, assertRedirects

from deploy.gallery.filling import SAMPLE_VIDEO
from deploy.gallery.models import Album, Photo, Video
from tests.gallery.making import files, make_covered_album, picture, size_of, upload

pytestmark = pytest.mark.django_db


def refusals(client: Client, album: Album, **uploads: SimpleUploadedFile | Sequence[SimpleUploadedFile]) -> Any:
    """The sentences on the form, by field, after an upload that keeps nothing."""
    response = client.post(f"/albums/{album.pk}/", uploads)
    assert (response.status_code, Photo.objects.count(), Video.objects.count()) == (200, 0, 0)
    for sentence in itertools.chain.from_iterable(response.context["form"].errors.values()):
        assertContains(response, sentence)
    return response.context["form"].errors


def test_new_album_opens_empty_and_ready_for_uploads(client: Client) -> None:
    response = client.post("/albums/", {"name": "Summer in Lisbon"}, follow=True)

    album = Album.objects.get()
    assert (album.name, album.cover) == ("Summer in Lisbon", None)
    assertRedirects(response, f"/albums/{album.pk}/")
    assertContains(response, '<details class="panel" open>')


def test_album_without_a_name_is_refused(client: Client) -> None:
    response = client.post("/albums/", {"name": " "})

    assert response.context["form"].errors == {"name": ["Give the album a name."]}
    assert not Album.objects.exists()


def test_upload_keeps_photos_and_video_with_the_pictures_made_from_them(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")
    photos = [
        upload("a.jpg", picture(size=(1200, 800))),
        upload("B.PNG", picture(size=(300, 600), kind="PNG")),
    ]
    video = upload("film.mp4", SAMPLE_VIDEO.read_bytes())

    response = client.post(f"/albums/{album.pk}/", {"photos": photos, "video": video}, follow=True)

    assertRedirects(response, f"/albums/{album.pk}/")
    assertContains(response, '<p class="note" role="status">Added 2 photos and 1 video.</p>', html=True)
    assert {name: size_of(media, name) for name in files(media) if name != "videos/film.mp4"} == {
        "photos/a.jpg": (1200, 800),
        "photos/B.PNG": (300, 600),
        "renditions/160-a.jpg": (160, 107),
        "renditions/160-B.jpg": (160, 320),
        "renditions/320-a.jpg": (320, 213),
        "renditions/320-B.jpg": (320, 640),
        "thumbnails/a.jpg": (400, 300),
        "thumbnails/B.jpg": (400, 300),
    }
    assert (media / "videos" / "film.mp4").read_bytes() == SAMPLE_VIDEO.read_bytes()


def test_first_upload_becomes_the_cover(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")
    client.post(f"/albums/{album.pk}/", {"photos": [upload("a.jpg", picture()), upload("b.jpg", picture())]})

    album.refresh_from_db()
    assert str(album.cover) == "a.jpg"


def test_chosen_cover_stays(client: Client, media: Path) -> None:
    album = make_covered_album(media, name="Family")
    client.post(f"/albums/{album.pk}/", {"photos": upload("a.jpg", picture())})

    album.refresh_from_db()
    assert str(album.cover) == "cover.jpg"


def test_same_name_twice_keeps_both_files(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")
    for _ in range(2):
        client.post(f"/albums/{album.pk}/", {"photos": upload("a.jpg", picture())})

    names = set(Photo.objects.values_list("image", "thumbnail"))
    assert len(names) == 2
    assert {name for pair in names for name in pair} <= set(files(media))


def test_refused_photos_are_each_named(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")
    photos = [
        upload("empty.jpg", b""),
        upload("notes.txt", b"Dear diary"),
        upload("page.html", picture()),
        upload("half.jpg", picture()[:-500]),
        upload("good.jpg", picture()),
    ]

    assert refusals(client, album, photos=photos) == {
        "photos": [
            "“empty.jpg” is empty.",
            "“notes.txt” is not a JPEG, PNG, GIF or WebP picture, or it is damaged.",
            "“page.html” is not a JPEG, PNG, GIF or WebP picture, or it is damaged.",
            "“half.jpg” is not a JPEG, PNG, GIF or WebP picture, or it is damaged.",
        ]
    }
    assert files(media) == []


def test_file_of_another_kind_is_no_video(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")

    assert refusals(client, album, video=upload("notes.txt", b"Dear diary")) == {
        "video": ["“notes.txt” is not an MP4, M4V or WebM video."]
    }


def test_empty_video_is_refused(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")

    assert refusals(client, album, video=upload("film.mp4", b"")) == {"video": ["“film.mp4” is empty."]}


def test_nothing_chosen_is_said(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")

    assert refusals(client, album) == {"__all__": ["Choose photos or a video first."]}
