"""Makes albums, photos and videos with real files, for the gallery's tests."""

import io
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from deploy.gallery.filling import SAMPLE_VIDEO
from deploy.gallery.models import Album, Photo, Video


def picture(*, size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def write(media: Path, name: str, content: bytes) -> str:
    path = media / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return name


def make_photo(media: Path, album: Album, *, name: str, size: tuple[int, int] = (640, 480)) -> Photo:
    return Photo.objects.create(
        album=album,
        image=write(media, f"photos/{name}", picture(size=size)),
        thumbnail=write(media, f"thumbnails/{name}", picture(size=(400, 300))),
    )


def make_video(media: Path, album: Album, *, name: str) -> Video:
    return Video.objects.create(album=album, video=write(media, f"videos/{name}", SAMPLE_VIDEO.read_bytes()))


def make_covered_album(media: Path, *, name: str) -> Album:
    album = Album.objects.create(name=name)
    album.cover = make_photo(media, album, name="cover.jpg", size=(720, 480))
    album.save()
    return album


def files(media: Path) -> list[str]:
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


def size_of(media: Path, name: str) -> tuple[int, int]:
    with Image.open(media / name) as opened:
        opened.load()
        return opened.size
