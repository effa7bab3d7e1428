"""Judges uploaded files and keeps the good ones, with the pictures made from them."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image

from deploy.gallery.images import RENDITION_WIDTHS, rendition, thumbnail
from deploy.gallery.models import PHOTO_EXTENSIONS, VIDEO_EXTENSIONS, Album, Photo, Rendition, Video

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

# A string, because Django's class takes its type parameter in the stubs only.
Upload: TypeAlias = "UploadedFile[bytes]"


def check_photo(upload: Upload) -> None:
    """Raises ValidationError unless the upload is a picture that can be read to its last byte."""
    _check_not_empty(upload)
    if _extension(upload.name) not in PHOTO_EXTENSIONS or not _is_picture(upload):
        raise ValidationError(f"“{upload.name}” is not a JPEG, PNG, GIF or WebP picture, or it is damaged.")


def check_video(upload: Upload) -> None:
    """Raises ValidationError unless the upload is named like a video and holds something."""
    _check_not_empty(upload)
    if _extension(upload.name) not in VIDEO_EXTENSIONS:
        raise ValidationError(f"“{upload.name}” is not an MP4, M4V or WebM video.")


def add_photo(album: Album, upload: Upload) -> Photo:
    """The new photo, with its derived files; it becomes the cover of an album that has none."""
    photo = Photo.objects.create(album=album, image=upload)
    derive(photo)
    if album.cover is None:
        album.cover = photo
        album.save()
    return photo


def add_video(album: Album, upload: Upload) -> Video:
    """The new video, without a thumbnail: the browser shows its first frame."""
    return Video.objects.create(album=album, video=upload)


def derive(photo: Photo) -> None:
    """Gives a saved photo its thumbnail and renditions, and drops the rows of earlier renditions."""
    name = f"{PurePosixPath(photo.image.name or '').stem}.jpg"
    photo.renditions.all().delete()
    with photo.image.open() as source:
        photo.thumbnail.save(name, ContentFile(thumbnail(source)))
        for width in RENDITION_WIDTHS:
            made = Rendition(photo=photo, width=width)
            made.file.save(f"{width}-{name}", ContentFile(rendition(source, width)))


def _check_not_empty(upload: Upload) -> None:
    if not upload.size:
        raise ValidationError(f"“{upload.name}” is empty.")


def _extension(name: str | None) -> str:
    return PurePosixPath(name or "").suffix.lower().removeprefix(".")


def _is_picture(upload: Upload) -> bool:
    try:
        Image.open(upload, formats=["JPEG", "PNG", "GIF", "WEBP"]).load()
    # Pillow promises no common base: a damaged file raises OSError, SyntaxError, struct.error and more.
    except Exception:
        return False
    return True
