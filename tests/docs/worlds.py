"""What can have happened to the site: the mark of a shown output names one of these."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from uuid import uuid4

from auditor.auditlog import store
from auditor.jsonlog import JsonLog
from auditor.orphans import registry
from deploy.gallery.models import Photo
from tests.docs.site import Site
from tests.makers import real
from tests.watcher.waiting import wait_until
from watcher.root_watch import RootWatch
from watcher.site import Site as WatchedSite

REMOVED_PHOTOS, REMOVED_VIDEOS = 12, 4

World = Callable[[Site], Iterator[None]]
WORLDS: dict[str, World] = {}


def world(happen: World) -> World:
    """Makes it known by its name: `files_removed` is `files-removed` in a mark."""
    WORLDS[happen.__name__.replace("_", "-")] = happen
    return happen


def in_world(name: str, site: Site) -> AbstractContextManager[None]:
    """What has happened to the site, until the end of the block."""
    return contextmanager(WORLDS[name])(site)


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
    """The refusal is feigned, because permissions do not stop root, who may run the tests."""
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


def removed_names() -> list[str]:
    photos = Photo.objects.order_by("pk").values_list("image", flat=True)[:REMOVED_PHOTOS]
    return [*photos, *(f"videos/VID_{number:04}.mp4" for number in range(1, REMOVED_VIDEOS + 1))]


@contextmanager
def watched(site: Site) -> Iterator[RootWatch]:
    """The watcher of the media folder, ticking in this thread, after its first checkpoint."""
    site.settings.AUDITOR_WATERMARK_SECONDS = 0.1  # the sooner the proof, the shorter the test
    watch = RootWatch(real(site.media), WatchedSite(using="default", log=JsonLog(uuid4())))
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


def is_covered(site: Site, moment: datetime) -> bool:
    span = store.coverage(real(site.media), using="default").span
    return span is not None and span.covered_until > moment
