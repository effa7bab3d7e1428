"""The site that the pages show, and what its commands print at a terminal."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from random import Random
from typing import IO, Any, TextIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from PIL import Image

from deploy.gallery import filling
from deploy.gallery.images import rendition, thumbnail
from deploy.gallery.pictures import draw_picture
from tests.makers import make_known, real

PHOTOS, VIDEOS = 24, 12
SHOWN_MEDIA = "/app/media"
MANAGE = "python manage.py "
NOT_HERE = ("docker-compose ", "#")
DRAWN: dict[Any, tuple[Image.Image, Any]] = {}
PROMPT = "(yes/no): "


@dataclass(slots=True, kw_only=True)
class Site:
    """A folder with the reference gallery's media folder in it."""

    folder: Path
    settings: LazySettings
    monkeypatch: pytest.MonkeyPatch

    @property
    def media(self) -> Path:
        return self.folder / "media"

    def run(self, script: str, *, typed: str = "") -> tuple[int, str]:
        """The last exit code, and what a person sees who runs the lines of a block at a terminal."""
        screen, code = Terminal(), 0
        self.monkeypatch.setattr(sys, "stdin", Keyboard(typed, screen))
        for is_manage, lines in statements(script):
            code = self._manage(lines, screen) if is_manage else self._shell(lines, screen)
        return code, screen.getvalue().replace(real(self.media), SHOWN_MEDIA)

    def _manage(self, line: str, screen: "Terminal") -> int:
        line, _, target = line.removeprefix(MANAGE).partition(" > ")
        name, *arguments = shlex.split(line)
        with open(target or os.devnull, "w", encoding="utf-8") as file:
            return call(name, arguments, stdout=file if target else screen, screen=screen)

    def _shell(self, lines: str, screen: "Terminal") -> int:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", lines],
            cwd=self.folder,
            env=os.environ | {"PATH": path, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        screen.write(done.stdout)
        return done.returncode

    def remove(self, *names: str) -> None:
        """Removes files of the media folder."""
        for name in names:
            (self.media / name).unlink()


class Terminal(StringIO):
    """What is on a person's screen."""

    def isatty(self) -> bool:
        return True


class Keyboard:
    """A stdin with a person at it, who types lines that the terminal shows."""

    def __init__(self, typed: str, screen: Terminal) -> None:
        self._typed = StringIO(typed)
        self._screen = screen

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        line = self._typed.readline()
        self._screen.write(line)
        return line


def call(name: str, arguments: list[str], *, stdout: TextIO, screen: StringIO) -> int:
    """The exit code of a command, whose errors are on the screen as `manage.py` shows them."""
    try:
        call_command(name, *arguments, stdout=stdout, stderr=screen)
    except SystemExit as ended:
        return int(ended.code or 0)
    except SystemCheckError as error:
        screen.write(f"{error}\n")
        return 1
    except CommandError as error:
        screen.write(f"CommandError: {error}\n")
        return error.returncode
    return 0


def statements(script: str) -> Iterator[tuple[bool, str]]:
    """The lines of a block that run here: (does manage.py run it, line or lines)."""
    others: list[str] = []
    for line in script.splitlines():
        if line.startswith(NOT_HERE) or (not line and not others):
            continue
        if line.startswith(MANAGE):
            if others:
                yield False, "\n".join(others)
                others = []
            yield True, line
        else:
            others.append(line)
    if others:
        yield False, "\n".join(others)


def draw_once(chance: Random) -> Image.Image:
    """The same picture and the same chance afterwards as from `draw_picture`, which takes its time."""
    before = chance.getstate()
    if before not in DRAWN:
        DRAWN[before] = (draw_picture(chance), chance.getstate())
    picture, after = DRAWN[before]
    chance.setstate(after)
    return picture


def make_once(make: Callable[..., bytes]) -> Callable[..., bytes]:
    """The same picture as `make` gives for a file and a size, made the first time only."""
    made: dict[tuple[bytes, tuple[int, ...]], bytes] = {}

    def remembered(source: IO[bytes], *size: int) -> bytes:
        content = source.read()
        if (content, size) not in made:
            made[content, size] = make(BytesIO(content), *size)
        return made[content, size]

    return remembered


THUMBNAIL, RENDITION = make_once(thumbnail), make_once(rendition)


def make_site(folder: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A filled gallery with its media folder registered; the folder becomes the current one."""
    site = Site(folder=folder, settings=settings, monkeypatch=monkeypatch)
    monkeypatch.setattr(filling, "draw_picture", draw_once)
    monkeypatch.setattr(filling, "thumbnail", THUMBNAIL)
    monkeypatch.setattr(filling, "rendition", RENDITION)
    settings.MEDIA_ROOT = str(site.media)
    monkeypatch.chdir(folder)
    call_command("fill_gallery", photos=PHOTOS, videos=VIDEOS, stdout=StringIO())
    make_known(site.media)
    return site
