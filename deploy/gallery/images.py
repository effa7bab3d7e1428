"""Makes the smaller pictures that stand in for a photo on a page."""

import threading
from typing import IO, Any

from imagekit import ImageSpec  # type: ignore[import-untyped]
from imagekit.processors import ResizeToFill, ResizeToFit, Transpose  # type: ignore[import-untyped]

RENDITION_WIDTHS = (160, 320)  # pixels

# pilkit points the process's stderr at /dev/null while it saves: two threads at once could leave it there.
_one_at_a_time = threading.Lock()


class Thumbnail(ImageSpec):  # type: ignore[misc]
    """Upright, and cropped to one shape so that the rows of a page line up."""

    processors = [Transpose(), ResizeToFill(400, 300)]
    format = "JPEG"
    options = {"quality": 80}


class Rendition(ImageSpec):  # type: ignore[misc]
    """Upright and whole, at the given width in pixels."""

    format = "JPEG"
    options = {"quality": 80}

    def __init__(self, source: IO[bytes], width: int) -> None:
        self.processors = [Transpose(), ResizeToFit(width)]
        super().__init__(source)


def thumbnail(source: IO[bytes]) -> bytes:
    """A JPEG of 400 by 300 pixels."""
    return _generate(Thumbnail(source))


def rendition(source: IO[bytes], width: int) -> bytes:
    """A JPEG of the given width, as high as the picture's shape makes it."""
    return _generate(Rendition(source, width))


def _generate(spec: Any) -> bytes:
    with _one_at_a_time:
        return bytes(spec.generate().read())
