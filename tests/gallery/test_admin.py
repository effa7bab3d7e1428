from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client
from pytest_django.asserts import assertRedirects

from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from tests.gallery.making import files, make_photo, picture, size_of, upload


def test_every_model_is_in_the_admin() -> None:
    registered = {model for model in admin.site._registry if model._meta.app_label == "gallery"}

    assert registered == {Album, CustomAlbum, Photo, Rendition, Tag, Video}


def test_photo_added_in_the_admin_gets_its_thumbnail_and_renditions(admin_client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")

    response = admin_client.post("/admin/gallery/photo/add/", {"image": upload("a.jpg", picture()), "album": album.pk})

    assertRedirects(response, "/admin/gallery/photo/")
    assert files(media) == [
        "photos/a.jpg",
        "renditions/160-a.jpg",
        "renditions/320-a.jpg",
        "thumbnails/a.jpg",
    ]
    photo = Photo.objects.get()
    assert (photo.image.name, photo.thumbnail.name) == ("photos/a.jpg", "thumbnails/a.jpg")
    assert size_of(media, "thumbnails/a.jpg") == (400, 300)


def test_photo_replaced_in_the_admin_gets_new_ones(admin_client: Client, media: Path) -> None:
    photo = make_photo(media, Album.objects.create(name="Family"), name="a.jpg")
    photo.renditions.create(width=999, file="renditions/999-a.jpg")

    admin_client.post(
        f"/admin/gallery/photo/{photo.pk}/change/",
        {"image": upload("b.jpg", picture()), "album": photo.album_id},
    )

    photo.refresh_from_db()
    assert (photo.image.name, photo.thumbnail.name) == ("photos/b.jpg", "thumbnails/b.jpg")
    assert list(photo.renditions.values_list("width", "file").order_by("width")) == [
        (160, "renditions/160-b.jpg"),
        (320, "renditions/320-b.jpg"),
    ]


def test_photo_whose_file_is_gone_can_be_changed_in_the_admin(admin_client: Client, media: Path) -> None:
    photo = make_photo(media, Album.objects.create(name="Family"), name="a.jpg")
    other = Album.objects.create(name="Street")
    (media / "photos" / "a.jpg").unlink()

    admin_client.post(f"/admin/gallery/photo/{photo.pk}/change/", {"album": other.pk})

    photo.refresh_from_db()
    assert (photo.album, photo.thumbnail.name) == (other, "thumbnails/a.jpg")


def test_damaged_photo_is_refused_in_the_admin(admin_client: Client, media: Path) -> None:
    album = Album.objects.create(name="Family")

    response = admin_client.post(
        "/admin/gallery/photo/add/", {"image": upload("half.jpg", picture()[:-500]), "album": album.pk}
    )

    assert response.context["errors"] == [["“half.jpg” is not a JPEG, PNG, GIF or WebP picture, or it is damaged."]]
    assert files(media) == []


@pytest.mark.parametrize("model", ["album", "customalbum", "photo", "rendition", "tag", "video"])
def test_every_list_and_form_of_the_admin_opens(admin_client: Client, media: Path, model: str) -> None:
    make_photo(media, Album.objects.create(name="Family"), name="a.jpg")
    pages = [f"/admin/gallery/{model}/", f"/admin/gallery/{model}/add/"]

    assert [admin_client.get(page).status_code for page in pages] == [200, 200]
