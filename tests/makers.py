"""Plain functions that make the things tests are about."""

import os
from pathlib import Path
from typing import Any

from auditor.auditlog import store
from auditor.models import Root
from auditor.roots import register
from deploy.gallery.models import Album, Photo, Video


def make_file(media: Path, name: str, content: bytes = b"content") -> Path:
    """A file below the media folder."""
    path = media / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_album(name: str = "Evan Photos") -> Album:
    return Album.objects.get_or_create(name=name)[0]


def make_photo(name: str = "photos/a.jpg", *, media: Path | None = None, **columns: Any) -> Photo:
    """A photo's record; its file as well, if the media folder is given."""
    if media is not None:
        make_file(media, name)
    return Photo.objects.create(image=name, album=columns.pop("album", None) or make_album(), **columns)


def make_video(name: str = "videos/a.mp4", *, media: Path | None = None, **columns: Any) -> Video:
    """A video's record; its file as well, if the media folder is given."""
    if media is not None:
        make_file(media, name)
    return Video.objects.create(video=name, album=columns.pop("album", None) or make_album(), **columns)


def make_known(media: Path) -> Root:
    """The media folder, registered with a marker in it."""
    root = store.register_root(real(media), using="default")
    register(root, using="default", replace=True)
    return root


def settle(media: Path) -> None:
    """Makes the folders look as if nothing had come or gone in them for long."""
    for folder, _, _ in os.walk(media):
        os.utime(folder, (0, 0))


def real(path: Path) -> str:
    """The path that a root is known by."""
    return os.path.realpath(path)
