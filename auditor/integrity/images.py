"""Opens images with Pillow, one by one, and never one that could fill the memory."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from auditor.errors import AuditorError, ExitCode
from auditor.integrity.findings import Kind

NOT_DECODED = ("EPS",)  # by Ghostscript, a program that must not be run on what anybody has uploaded


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening an image: what is wrong with it, if anything, and its width and height."""

    kind: Kind | None = None
    detail: str = ""
    size: tuple[int, int] | None = None


def ensure_pillow() -> None:
    """Raises AuditorError (usage) where Pillow is not installed."""
    try:
        import PIL.Image  # noqa: F401, PLC0415 - a site without images has no Pillow
    except ImportError as error:
        raise AuditorError(
            "--deep opens images with Pillow, which is not installed.",
            hint="Run: python -m pip install pillow",
            exit_code=ExitCode.USAGE,
        ) from error


def is_known_format(name: str) -> bool:
    """Whether Pillow knows files of such a name; it cannot say of others whether they are broken."""
    from PIL import Image  # noqa: PLC0415

    suffix = os.path.splitext(name)[1].lower()
    return not suffix or suffix in Image.registered_extensions()


def open_image(path: str) -> Opened:
    """Verifies an image and decodes it, unless it has more pixels than `PIL.Image.MAX_IMAGE_PIXELS`.

    Pillow's `verify` looks only at the first bytes of a JPEG: that one was cut short shows when it is decoded.
    Raises OSError where the file cannot be opened or read.
    """
    from PIL import Image  # noqa: PLC0415

    with open(path, "rb", opener=_opener) as stream, strict_decoder(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(stream) as image:
                size, form = image.size, image.format
                image.verify()
            if form in NOT_DECODED:
                return Opened(size=size)
            stream.seek(0)
            with Image.open(stream) as image:
                image.draft("L", (1, 1))  # a JPEG is read to its end, but decoded at an eighth of its size
                image.load()
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            return Opened(Kind.TOO_LARGE, _first_sentence(error))
        except OSError as error:
            if error.errno is not None:  # the disk's word, and not that of a decoder
                raise
            return Opened(Kind.BROKEN_IMAGE, _first_sentence(error))
        except Exception as error:  # whatever a decoder raises over broken bytes, from SyntaxError to struct.error
            return Opened(Kind.BROKEN_IMAGE, _first_sentence(error))
    return Opened(size=size)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe must not hold us up


@contextmanager
def strict_decoder() -> Iterator[None]:
    """Within it, Pillow does not fill up what an image lacks, as a site may want it to."""
    from PIL import ImageFile  # noqa: PLC0415

    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _first_sentence(error: Exception) -> str:
    text = str(error).partition("\n")[0].partition(", could be")[0].strip().rstrip(".")
    return text.partition(" <_io.")[0] or type(error).__name__
