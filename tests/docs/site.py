"""The site that the pages show: what its commands print at a terminal, and what has happened to its files."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from threading import Event
from typing import TextIO
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from auditor.auditlog import store
from auditor.jsonlog import JsonLog
from auditor.orphans import registry
from deploy.gallery.models import Photo
from tests.makers import real
from tests.watcher.waiting import wait_until
from watcher.root_watch import RootWatch

PHOTOS, VIDEOS = 24, 12
REMOVED_PHOTOS, REMOVED_VIDEOS = 12, 4
SHOWN_MEDIA = "/app/media"
MANAGE = "python manage.py "
NOT_HERE = ("docker-compose ", "#")
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
            ran = self._manage(lines, screen) if is_manage else self._shell(lines, screen)
            code = ran or 0
        return code, screen.getvalue().replace(real(self.media), SHOWN_MEDIA)

    def _manage(self, line: str, screen: "Terminal") -> int:
        line, _, target = line.removeprefix(MANAGE).partition(" > ")
        name, *arguments = line.split()
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
        for name in names:
            (self.media / name).unlink()


class Terminal(StringIO):
    """What is on a person's screen."""

    def isatty(self) -> bool:
        return True


class Keyboard(StringIO):
    """A person who types lines, which the terminal shows."""

    def __init__(self, typed: str, screen: Terminal) -> None:
        super().__init__(typed)
        self._screen = screen

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:
        line = super().readline(-1 if size is None else size)
        self._screen.write(line)
        return line


def call(name: str, arguments: list[str], *, stdout: TextIO, screen: Terminal) -> int:
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


def make_site(folder: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A filled gallery; the folder becomes the current one."""
    site = Site(folder=folder, settings=settings, monkeypatch=monkeypatch)
    settings.MEDIA_ROOT = str(site.media)
    monkeypatch.chdir(folder)
    call_command("fill_gallery", photos=PHOTOS, videos=VIDEOS, stdout=StringIO())
    return site


World = Callable[[Site], Iterator[None]]
WORLDS: dict[str, World] = {}


def world(happen: World) -> World:
    """Makes something that can have happened to the site known by its name: `files_removed` is `files-removed`."""
    WORLDS[happen.__name__.replace("_", "-")] = happen
    return happen


def in_world(name: str, site: Site) -> "contextmanager[None]":
    """What happened, and what has to be undone."""
    return contextmanager(WORLDS[name])(site)  # type: ignore[return-value]


def removed_names() -> list[str]:
    photos = Photo.objects.order_by("pk").values_list("image", flat=True)[:REMOVED_PHOTOS]
    return [*photos, *(f"videos/VID_{number:04}.mp4" for number in range(1, REMOVED_VIDEOS + 1))]


@world
def untouched(site: Site) -> Iterator[None]:
    yield


@world
def files_removed(site: Site) -> Iterator[None]:
    site.remove(*removed_names())
    yield


@world
def files_removed_while_watched(site: Site) -> Iterator[None]:
    with watched(site) as watch:
        site.remove(*removed_names())
        removed_at = store.database_time("default")
        tick_until(watch, lambda: is_covered(site, removed_at))
        yield


@world
def files_removed_after_the_watcher(site: Site) -> Iterator[None]:
    with watched(site):
        pass
    site.remove(*removed_names())
    yield


@contextmanager
def watched(site: Site) -> Iterator[RootWatch]:
    """The watcher of the media folder, ticking in this thread, after its first checkpoint."""
    watch = RootWatch(real(site.media), using="default", log=JsonLog(uuid4()), wake=Event())
    try:
        tick_until(watch, lambda: store.coverage(watch.path, using="default").checkpoint)
        yield watch
    finally:
        watch.stop(seconds=5)


def tick_until(watch: RootWatch, is_so: Callable[[], object]) -> None:
    def ticked() -> object:
        watch.tick()
        return is_so()

    wait_until(ticked, seconds=30)


def is_covered(site: Site, moment: object) -> bool:
    span = store.coverage(real(site.media), using="default").span
    return span is not None and span.covered_until > moment  # type: ignore[operator]


@world
def thumbnail_removed(site: Site) -> Iterator[None]:
    site.remove("thumbnails/VID_0009.jpg")
    yield


@world
def odd_name(site: Site) -> Iterator[None]:
    Photo.objects.filter(image="photos/1000004042.jpg").update(image="../backup/1000004042.jpg")
    yield


@world
def media_away(site: Site) -> Iterator[None]:
    site.media.rename(site.folder / "elsewhere")
    yield


@world
def media_empty(site: Site) -> Iterator[None]:
    site.media.rename(site.folder / "elsewhere")
    site.media.mkdir()
    yield


@world
def folder_unreadable(site: Site) -> Iterator[None]:
    """Permissions do not stop root, who may run the tests."""
    site.remove(*removed_names())
    honest, closed = os.listdir, real(site.media / "videos")

    def listdir(path: str) -> list[str]:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return honest(path)

    site.monkeypatch.setattr(os, "listdir", listdir)
    yield


@world
def settings_broken(site: Site) -> Iterator[None]:
    site.settings.AUDITOR_FRESHNESS_SECONDS = "30"
    site.settings.AUDITOR_MODELS = ["gallery.Foto"]
    broken = registry.Registration(model="gallery.Photo", primary=("picture",))
    site.monkeypatch.setitem(registry._registrations, "gallery.Photo", broken)
    yield
