"""The layouts in which well-known apps keep files that they make from others: no record names those."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings

IMAGE = r"(?:jpe?g|png|gif|webp|avif|bmp|tiff?|svg)"


@dataclass(frozen=True, slots=True)
class Preset:
    """An app and the regular expressions, for whole names below a media folder, that its files match."""

    app: str
    expressions: Callable[[], Iterator[str]]


def _below(folder: Any) -> str:
    return re.escape(str(folder).strip("/")) + "/.*"


def _easy_thumbnails() -> Iterator[str]:
    yield rf".*\.\d+x\d+_[^/]*\.{IMAGE}"  # photo.jpg.100x100_q85_crop.jpg
    if basedir := getattr(settings, "THUMBNAIL_BASEDIR", ""):
        yield _below(basedir)
    if subdir := getattr(settings, "THUMBNAIL_SUBDIR", ""):
        yield rf"(?:.*/)?{_below(subdir)}"


def _sorl() -> Iterator[str]:
    prefix = str(getattr(settings, "THUMBNAIL_PREFIX", "cache/")).lstrip("/")
    if prefix:
        yield re.escape(prefix) + ".*"


def _imagekit() -> Iterator[str]:
    yield _below(getattr(settings, "IMAGEKIT_CACHEFILE_DIR", "CACHE/images") or "CACHE/images")


def _versatileimagefield() -> Iterator[str]:
    own = getattr(settings, "VERSATILEIMAGEFIELD_SETTINGS", {})
    yield rf"(?:.*/)?{_below(own.get('sized_directory_name', '__sized__'))}"
    yield rf"(?:.*/)?{re.escape(own.get('filtered_directory_name', '__filtered__'))}/.*"
    yield rf"(?:.*/)?{re.escape(own.get('placeholder_directory_name', '__placeholder__'))}/.*"


def _filer() -> Iterator[str]:
    yield r"filer_(?:public|private)_thumbnails/.*"
    yield from _easy_thumbnails()


def _stdimage() -> Iterator[str]:
    yield rf".*\.[a-z0-9_]+\.{IMAGE}"  # photo.thumbnail.jpg


def _compressor() -> Iterator[str]:
    yield _below(getattr(settings, "COMPRESS_OUTPUT_DIR", "CACHE") or "CACHE")


PRESETS = {
    "easy_thumbnails": Preset("easy_thumbnails", _easy_thumbnails),
    "sorl": Preset("sorl.thumbnail", _sorl),
    "imagekit": Preset("imagekit", _imagekit),
    "versatileimagefield": Preset("versatileimagefield", _versatileimagefield),
    "filer": Preset("filer", _filer),
    "stdimage": Preset("stdimage", _stdimage),
    "compressor": Preset("compressor", _compressor),
}


def used(wanted: Collection[str]) -> list[tuple[str, re.Pattern[str]]]:
    """(name, pattern) of the presets that are wanted, and of those whose app is installed."""
    return [
        (name, re.compile("|".join(f"(?:{one})" for one in expressions), re.DOTALL | re.IGNORECASE))
        for name, preset in PRESETS.items()
        if (name in wanted or apps.is_installed(preset.app)) and (expressions := list(preset.expressions()))
    ]
