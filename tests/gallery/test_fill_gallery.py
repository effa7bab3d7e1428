import hashlib
import io
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from tests.gallery.making import files, make_covered_album, size_of, write

pytestmark = pytest.mark.django_db


def fill(*, photos: int = 12, videos: int = 5, seed: int = 1) -> str:
    out = io.StringIO()
    call_command("fill_gallery", photos=photos, videos=videos, seed=seed, stdout=out)
    return out.getvalue()


def contents(media: Path) -> dict[str, str]:
    return {name: hashlib.sha256((media / name).read_bytes()).hexdigest() for name in files(media)}


def rows() -> list[object]:
    """The gallery's records and relations, by name: keys differ from one filling to the next."""
    return [
        list(Photo.objects.order_by("pk").values_list("image", "thumbnail", "album__name", "uploaded_at")),
        list(Photo.objects.order_by("image", "tags__name").values_list("image", "tags__name")),
        list(Video.objects.order_by("pk").values_list("video", "thumbnail", "album__name", "tags__name")),
        list(Rendition.objects.order_by("pk").values_list("photo__image", "width", "file")),
        list(Album.objects.order_by("pk").values_list("name", "cover__image")),
        list(CustomAlbum.objects.order_by("name", "photos").values_list("name", "photos__image")),
    ]


def test_gallery_has_the_numbers_asked_for_and_says_so(media: Path) -> None:
    assert fill() == f"Filled the gallery with 12 photos and 5 videos in {media}.\n"

    models = (Photo, Video, Rendition, Album, CustomAlbum, Tag)
    assert [model._default_manager.count() for model in models] == [12, 5, 4, 4, 2, 5]


def test_first_photos_and_videos_are_named_like_a_phone_names_them(media: Path) -> None:
    fill()

    assert list(Photo.objects.order_by("pk").values_list("image", "album__name")[:4]) == [
        ("photos/1000004108.jpg", "Evan Photos"),
        ("photos/1000004105.jpg", "Evan Photos"),
        ("photos/1000004102.jpg", "Evan Photos"),
        ("photos/1000004099.jpg", "Summer in Lisbon"),
    ]
    assert list(Video.objects.order_by("pk").values_list("video", "album__name")[:3]) == [
        ("videos/VID_0001.mp4", "Evan Photos"),
        ("videos/VID_0002.mp4", "Evan Photos"),
        ("videos/VID_0003.mp4", "Summer in Lisbon"),
    ]


def test_every_named_file_is_there_and_no_other(media: Path) -> None:
    fill()

    named = [
        *Photo.objects.values_list("image", flat=True),
        *Photo.objects.values_list("thumbnail", flat=True),
        *Video.objects.values_list("video", flat=True),
        *Video.objects.values_list("thumbnail", flat=True),
        *Rendition.objects.values_list("file", flat=True),
    ]
    assert sorted(named) == files(media)


def test_pictures_decode_at_the_promised_sizes(media: Path) -> None:
    fill()

    sizes = {name: size_of(media, name) for name in files(media) if name.endswith(".jpg")}
    assert {size for name, size in sizes.items() if name.startswith("thumbnails/")} == {(400, 300)}
    assert {size[0] for name, size in sizes.items() if name.startswith("renditions/")} == {160, 320}
    assert len({size for name, size in sizes.items() if name.startswith("photos/")}) > 2


def test_videos_are_mp4_files(media: Path) -> None:
    fill()

    starts = {(media / name).read_bytes()[4:8] for name in Video.objects.values_list("video", flat=True)}
    assert starts == {b"ftyp"}


def test_each_album_is_covered_by_its_first_photo(media: Path) -> None:
    fill()

    assert list(Album.objects.order_by("pk").values_list("name", "cover__image")) == [
        ("Evan Photos", "photos/1000004108.jpg"),
        ("Summer in Lisbon", "photos/1000004099.jpg"),
        ("Family", "photos/1000004090.jpg"),
        ("Street", "photos/1000004081.jpg"),
    ]


def test_same_seed_makes_the_same_gallery_again(media: Path) -> None:
    fill(seed=7)
    before = rows(), contents(media)

    fill(seed=7)

    assert (rows(), contents(media)) == before


def test_another_seed_draws_other_photos(media: Path) -> None:
    fill(seed=7)
    before = contents(media)["photos/1000004108.jpg"]

    fill(seed=8)

    assert contents(media)["photos/1000004108.jpg"] != before


def test_earlier_gallery_is_gone_and_foreign_files_stay(media: Path) -> None:
    make_covered_album(media, name="Old")
    write(media, "photos/stray.jpg", b"old")
    write(media, ".media-marker", b"mine")
    write(media, "avatars/evan.jpg", b"mine")

    fill(photos=0, videos=0)

    assert contents(media).keys() == {".media-marker", "avatars/evan.jpg"}
    assert (Album.objects.filter(name="Old").count(), Photo.objects.count()) == (0, 0)


def test_linked_folder_is_refused_before_anything_is_removed(media: Path, tmp_path: Path) -> None:
    make_covered_album(media, name="Old")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "film.mp4").touch()
    os.symlink(elsewhere, media / "videos")
    before = contents(media)

    with pytest.raises(CommandError) as refusal:
        fill()

    assert str(refusal.value) == (
        f"{media}/videos is a symbolic link; fill_gallery removes files from real folders only."
    )
    assert (contents(media), Photo.objects.count(), os.listdir(elsewhere)) == (before, 1, ["film.mp4"])
