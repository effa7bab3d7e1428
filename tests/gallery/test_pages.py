import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.asserts import assertContains, assertRedirects

from deploy.gallery.models import Album, Photo, Tag
from tests.gallery.making import make_covered_album, make_photo, make_video

pytestmark = pytest.mark.django_db


def test_front_page_leads_to_the_albums(client: Client) -> None:
    assertRedirects(client.get("/"), "/albums/")


def test_albums_page_lists_every_album_with_its_cover(client: Client, media: Path) -> None:
    album = make_covered_album(media, name="Evan Photos")
    make_video(media, album, name="VID_0001.mp4")

    assertContains(
        client.get("/albums/"),
        f"""
        <li>
          <a class="card" href="/albums/{album.pk}/">
            <img src="/media/thumbnails/cover.jpg" alt="" width="400" height="300">
            <span class="text">
              <strong>Evan Photos</strong>
              <span>1 photo, 1 video</span>
              <span>Cover 720 × 480</span>
            </span>
          </a>
        </li>
        """,
        html=True,
    )


def test_album_without_a_cover_is_listed_too(client: Client) -> None:
    album = Album.objects.create(name="Street")

    assertContains(
        client.get("/albums/"),
        f"""
        <li>
          <a class="card" href="/albums/{album.pk}/">
            <span class="blank" aria-hidden="true"></span>
            <span class="text"><strong>Street</strong><span>0 photos, 0 videos</span></span>
          </a>
        </li>
        """,
        html=True,
    )


def test_site_without_albums_says_so(client: Client) -> None:
    page = client.get("/albums/")

    assertContains(page, '<li class="empty">No albums yet. Start one below.</li>', html=True)


def test_album_page_shows_each_photo_with_its_size_renditions_and_tags(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Evan Photos")
    photo = make_photo(media, album, name="1000004108.jpg", size=(480, 720))
    photo.tags.add(Tag.objects.create(name="holiday"))
    photo.renditions.create(width=160, file="renditions/160-1000004108.jpg")
    photo.renditions.create(width=320, file="renditions/320-1000004108.jpg")

    assertContains(
        client.get(f"/albums/{album.pk}/"),
        """
        <li>
          <a href="/media/photos/1000004108.jpg">
            <img src="/media/thumbnails/1000004108.jpg" alt="1000004108.jpg"
                 width="400" height="300" loading="lazy">
          </a>
          <p class="name">1000004108.jpg</p>
          <p>480 × 720</p>
          <p>Smaller: <a href="/media/renditions/160-1000004108.jpg">160 px</a>,
            <a href="/media/renditions/320-1000004108.jpg">320 px</a></p>
          <ul class="tags" aria-label="Tags"><li>holiday</li></ul>
        </li>
        """,
        html=True,
    )


def test_album_page_plays_its_videos(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Evan Photos")
    make_video(media, album, name="VID_0001.mp4")

    assertContains(
        client.get(f"/albums/{album.pk}/"),
        """
        <li>
          <video controls playsinline aria-label="VID_0001.mp4" src="/media/videos/VID_0001.mp4"
                 preload="metadata"></video>
          <p class="name">VID_0001.mp4</p>
          <p>30.5\xa0KB</p>
        </li>
        """,
        html=True,
    )


def test_both_pages_fail_while_a_photo_has_lost_its_file_and_work_without_it(client: Client, media: Path) -> None:
    album = make_covered_album(media, name="Evan Photos")
    pages = ["/albums/", f"/albums/{album.pk}/"]
    lost = media / "photos" / "cover.jpg"
    lost.unlink()

    for page in pages:
        with pytest.raises(FileNotFoundError, match=re.escape(f"[Errno 2] No such file or directory: '{lost}'")):
            client.get(page)

    Photo.objects.all().delete()
    assert [client.get(page).status_code for page in pages] == [200, 200]


def test_album_page_fails_while_a_video_has_lost_its_file_and_works_without_it(client: Client, media: Path) -> None:
    album = Album.objects.create(name="Evan Photos")
    video = make_video(media, album, name="VID_0001.mp4")
    page = f"/albums/{album.pk}/"
    (media / "videos" / "VID_0001.mp4").unlink()

    with pytest.raises(FileNotFoundError):
        client.get(page)

    video.delete()
    assert client.get(page).status_code == 200


def test_lost_thumbnail_breaks_no_page(client: Client, media: Path) -> None:
    album = make_covered_album(media, name="Evan Photos")
    (media / "thumbnails" / "cover.jpg").unlink()

    assert [client.get(page).status_code for page in ("/albums/", f"/albums/{album.pk}/")] == [200, 200]


def test_unknown_album_is_not_found(client: Client) -> None:
    assert client.get("/albums/1/").status_code == 404


def test_pages_need_no_script_and_nothing_from_elsewhere(client: Client, media: Path) -> None:
    album = make_covered_album(media, name="Evan Photos")
    pages = client.get("/albums/").content + client.get(f"/albums/{album.pk}/").content

    assert re.findall(rb"https?://|//[a-z]|<script", pages) == []


def test_models_and_migration_agree() -> None:
    call_command("makemigrations", "gallery", check=True, dry_run=True, verbosity=0)
