"""Replaces whatever the gallery holds by sample albums over real files."""

import io
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import transaction

from deploy.gallery.images import RENDITION_WIDTHS, rendition, thumbnail
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from deploy.gallery.pictures import draw_picture, encode

FOLDERS = ["photos", "videos", "thumbnails", "renditions"]
ALBUMS = ["Evan Photos", "Summer in Lisbon", "Family", "Street"]
TAGS = ["favourite", "friends", "holiday", "to print", "weekend"]
CUSTOM_ALBUMS = ["Best of the year", "For grandmother"]

NEWEST_PHOTO = 1000004108  # phones count their pictures like this
NEWEST_UPLOAD = datetime(2025, 6, 1, 9, tzinfo=UTC)
POSTERS = 12
RENDITION_EVERY = 10  # photos
CUSTOM_ALBUM_EVERY = 12  # photos or videos

# Two and a half seconds of H.264 (constrained baseline), drawn for this project.
SAMPLE_VIDEO = Path(__file__).with_name("sample.mp4")


class FolderIsLinkError(Exception):
    """A folder to be emptied is a symbolic link: its files may be somebody else's."""


def refill(*, photos: int, videos: int, seed: int) -> None:
    """Empties the gallery and fills it with this many photos and videos, the same ones for the same seed.

    Raises FolderIsLinkError before anything is removed.
    """
    _remove_everything()
    chance = Random(seed)
    albums = [Album(name=name) for name in ALBUMS]
    made_photos = [_make_photo(number, _spread(albums, number, photos), chance) for number in range(photos)]
    posters = [thumbnail(io.BytesIO(encode(draw_picture(chance)))) for _ in range(POSTERS)]
    made_videos = [
        _make_video(number, _spread(albums, number, videos), posters[number % POSTERS]) for number in range(videos)
    ]
    renditions = [
        _make_rendition(photo, width) for photo in made_photos[::RENDITION_EVERY] for width in RENDITION_WIDTHS
    ]
    # The database is locked for the rows alone, not for the seconds that drawing takes.
    with transaction.atomic():
        Album.objects.bulk_create(albums)
        Photo.objects.bulk_create(made_photos)
        Video.objects.bulk_create(made_videos)
        Rendition.objects.bulk_create(renditions)
        _set_covers(albums, made_photos)
        _add_tags(made_photos, made_videos, chance)
        _add_custom_albums(made_photos, made_videos)


def _remove_everything() -> None:
    folders = [Path(settings.MEDIA_ROOT, folder) for folder in FOLDERS]
    for folder in folders:
        if folder.is_symlink():
            raise FolderIsLinkError(f"{folder} is a symbolic link")
    with transaction.atomic():
        for model in (CustomAlbum, Rendition, Photo, Video, Album, Tag):
            model._default_manager.all().delete()
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)


def _make_photo(number: int, album: Album, chance: Random) -> Photo:
    name = f"{NEWEST_PHOTO - 3 * number}.jpg"
    picture = encode(draw_picture(chance))
    return Photo(
        image=_write(f"photos/{name}", picture),
        thumbnail=_write(f"thumbnails/{name}", thumbnail(io.BytesIO(picture))),
        album=album,
        uploaded_at=NEWEST_UPLOAD - timedelta(minutes=37 * number),
    )


def _make_video(number: int, album: Album, poster: bytes) -> Video:
    name = f"VID_{number + 1:04}"
    return Video(
        video=_write(f"videos/{name}.mp4", SAMPLE_VIDEO.read_bytes()),
        thumbnail=_write(f"thumbnails/{name}.jpg", poster),
        album=album,
    )


def _make_rendition(photo: Photo, width: int) -> Rendition:
    with photo.image.open() as source:
        file = _write(f"renditions/{width}-{photo}", rendition(source, width))
    return Rendition(photo=photo, width=width, file=file)


def _set_covers(albums: Sequence[Album], photos: Sequence[Photo]) -> None:
    # Backwards, so that each album keeps its first photo.
    for photo in reversed(photos):
        photo.album.cover = photo
    Album.objects.bulk_update(albums, ["cover"])


def _add_tags(photos: Sequence[Photo], videos: Sequence[Video], chance: Random) -> None:
    tags = Tag.objects.bulk_create(Tag(name=name) for name in TAGS)
    Photo.tags.through._default_manager.bulk_create(
        Photo.tags.through(photo=photo, tag=tag)
        for photo in photos
        for tag in chance.sample(tags, chance.randrange(3))
    )
    Video.tags.through._default_manager.bulk_create(
        Video.tags.through(video=video, tag=chance.choice(tags)) for video in videos
    )


def _add_custom_albums(photos: Sequence[Photo], videos: Sequence[Video]) -> None:
    custom_albums = CustomAlbum.objects.bulk_create(CustomAlbum(name=name) for name in CUSTOM_ALBUMS)
    for start, custom_album in enumerate(custom_albums):
        custom_album.photos.set(photos[start::CUSTOM_ALBUM_EVERY])
        custom_album.videos.set(videos[start::CUSTOM_ALBUM_EVERY])


def _spread(albums: Sequence[Album], number: int, count: int) -> Album:
    return albums[number * len(albums) // count]


def _write(name: str, content: bytes) -> str:
    """The name, for the record."""
    Path(settings.MEDIA_ROOT, name).write_bytes(content)
    return name
