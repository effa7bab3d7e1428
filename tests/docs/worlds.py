"""What can have happened to the site: the mark of a shown output names one of these."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID, uuid4

from django.core.management import call_command

from auditor.auditlog import append_only, store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import FileDeleted, SpanClosed, SpanOpened
from auditor.jsonlog import JsonLog
from auditor.management import base
from auditor.models import Event, Root, Run, Span
from auditor.orphans import registry
from auditor.removal.restore import restore
from auditor.removal.restore_plan import Wish
from auditor.removal.runs import RunFacts
from auditor.usage import finder
from deploy.gallery.models import Album, Photo, Video
from tests.docs.site import Site
from tests.makers import real
from tests.removal.removing import planned
from tests.watcher.waiting import wait_until
from watcher.root_watch import RootWatch
from watcher.site import Site as WatchedSite

LEFT_PHOTOS, LEFT_VIDEOS = 5, 2
REMOVED_PHOTOS, REMOVED_VIDEOS, FOUND_PHOTOS = 12, 4, 10
CLEAN_UP = RunFacts(
    uid=UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    command="cleanup_orphaned_media",
    user="www-data",
    started_at=datetime(2026, 3, 1, 4, 30, tzinfo=UTC),
)
UNDOING = replace(CLEAN_UP, uid=UUID("0c9e6679-7425-40de-944b-e07fc1f90ae7"), command="restore_orphaned_media")

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
def media_new_and_empty(site: Site) -> Iterator[None]:
    """No marker was ever seen in it."""
    site.media.rename(site.folder / "elsewhere")
    site.media.mkdir()
    Root.objects.update(marker=None)
    yield


@world
def volume_away(site: Site) -> Iterator[None]:
    """The videos were on a file system of their own, which is not mounted now."""
    site.remove(*removed_names())
    (site.media / "videos").rename(site.folder / "elsewhere")
    (site.media / "videos").mkdir()
    Root.objects.update(mounts=["videos"])
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
def media_broken(site: Site) -> Iterator[None]:
    """A photo is gone and another one empty, a symlink leads to nothing, and a file is there that nobody knows."""
    site.remove("photos/1000004108.jpg", "videos/VID_0001.mp4", "thumbnails/VID_0009.jpg")
    (site.media / "photos/1000004105.jpg").write_bytes(b"")
    (site.media / "videos/VID_0001.mp4").symlink_to("/mnt/old/VID_0001.mp4")
    (site.media / "photos/1000004102.jpg~").write_bytes(b"x" * 3_000)
    a_day_passes(site)
    yield


@world
def photo_cut(site: Site) -> Iterator[None]:
    photo = site.media / "photos/1000004108.jpg"
    photo.write_bytes(photo.read_bytes()[:5_000])
    yield


@world
def photo_rotten(site: Site) -> Iterator[None]:
    """One byte has changed on the disk since the first checksums."""
    call_command("check_media_integrity", checksums=True, stdout=StringIO(), stderr=StringIO())
    photo = site.media / "photos/1000004108.jpg"
    status, content = photo.stat(), bytearray(photo.read_bytes())
    content[2_000] ^= 1
    photo.write_bytes(content)
    os.utime(photo, ns=(status.st_atime_ns, status.st_mtime_ns))
    yield


@world
def healed_and_new(site: Site) -> Iterator[None]:
    """After a check, the file of one missing photo is back, and another one is missing."""
    backup = (site.media / "photos/1000004108.jpg").read_bytes()
    site.remove("photos/1000004108.jpg", "photos/1000004105.jpg")
    call_command("check_media_integrity", stdout=StringIO(), stderr=StringIO())
    (site.media / "photos/1000004108.jpg").write_bytes(backup)
    site.remove("photos/1000004102.jpg")
    yield


@world
def cleaned_up(site: Site) -> Iterator[None]:
    """A clean-up has deleted the records; then the files of ten photos were found in a backup."""
    names = removed_names()
    backup = {name: (site.media / name).read_bytes() for name in names[:FOUND_PHOTOS]}
    site.remove(*names)
    planned().execute(run=CLEAN_UP)
    Run.objects.update(finished_at=CLEAN_UP.started_at)
    for name, content in backup.items():
        (site.media / name).write_bytes(content)
    yield


@world
def album_deleted_since(site: Site) -> Iterator[None]:
    album = Photo.objects.order_by("pk")[0].album_id
    with in_world("cleaned-up", site):
        Album.objects.filter(pk=album).delete()
        yield


@world
def records_deleted(site: Site) -> Iterator[None]:
    """Some photos and videos were deleted in the admin, which leaves their files, and that was yesterday."""
    Photo.objects.filter(pk__in=list(Photo.objects.order_by("pk").values_list("pk", flat=True)[:LEFT_PHOTOS])).delete()
    Video.objects.filter(video__in=[f"videos/VID_{number:04}.mp4" for number in range(1, LEFT_VIDEOS + 1)]).delete()
    tomorrow = a_day_passes(site)
    upload = site.media / "photos/IMG_20260301.jpg"
    upload.write_bytes(b"the first half of an upload")
    os.utime(upload, ns=(tomorrow, tomorrow))
    yield


@world
def files_trashed(site: Site) -> Iterator[None]:
    with in_world("records-deleted", site):
        site.monkeypatch.setattr(base, "uuid4", lambda: CLEAN_UP.uid)
        call_command("cleanup_unused_files", force=True, log_format="none", stdout=StringIO())
        site.monkeypatch.setattr(base, "uuid4", uuid4)
        Run.objects.update(finished_at=CLEAN_UP.started_at)
        yield


@world
def records_lost(site: Site) -> Iterator[None]:
    """The files are there, and the database is an empty one."""
    with in_world("records-deleted", site):
        Photo.objects.all().delete()
        Video.objects.all().delete()
        yield


@world
def bad_morning(site: Site) -> Iterator[None]:
    """Photos and videos go under the eyes of the watcher; a clean-up takes their records, and one is brought back."""
    root, names = store.register_root(real(site.media), using="default"), removed_names()
    clock, first = Clock(site), Photo.objects.order_by("pk")[0].pk
    for spans, (since, until) in enumerate([("04:30:00", "06:00:00"), ("06:02:30", "10:29:58")], 1):
        span = UUID(int=spans)
        clock.set(since)
        store.append(
            [SpanOpened(root=root.pk, occurred_at=clock.now, span=str(span), identity="8:1")], using="default"
        )
        clock.set(until)
        Span.objects.filter(uid=span).update(covered_until=clock.now)
        if spans == 1:
            store.append([overflow(root, span, clock.now)], using="default")
    clock.set("10:02:11")
    site.remove(*names)
    seen = [clock.now + timedelta(milliseconds=100 * number // 4) for number in range(len(names))]
    gone = [
        FileDeleted(root=root.pk, path=name, occurred_at=moment, cause="unlinked")
        for name, moment in zip(names, seen, strict=True)
    ]
    store.append(gone, using="default")
    clock.set("10:05:40")
    planned().execute(run=replace(CLEAN_UP, started_at=clock.now))
    clock.set("10:20:00")
    (site.media / names[0]).write_bytes(b"from the backup")
    wish = Wish(only=(f"gallery.Photo:{first}",), with_missing_files=False, skip_conflicts=False)
    restore(CLEAN_UP.uid, wish, replace(UNDOING, started_at=clock.now), using="default")
    clock.set("10:30:00")
    yield


@world
def watcher_stopped(site: Site) -> Iterator[None]:
    """That morning is over, and no watcher needs its events any more."""
    with in_world("bad-morning", site):
        span = Span.objects.get(closed_at=None)
        store.append([overflow(span.root, span.uid, span.covered_until)], using="default")
        yield


@world
def log_edited(site: Site) -> Iterator[None]:
    """Somebody who may change the schema has changed an event, too."""
    with in_world("bad-morning", site), append_only.lifted("default"):
        Event.objects.filter(path="photos/1000004105.jpg", type=FileDeleted.type).update(path="photos/other.jpg")
        yield


@world
def settings_broken(site: Site) -> Iterator[None]:
    site.settings.AUDITOR_FRESHNESS_SECONDS = "30"
    site.settings.AUDITOR_MODELS = ["gallery.Foto"]
    broken = registry.Registration(model="gallery.Photo", primary=("picture",))
    site.monkeypatch.setitem(registry._registrations, "gallery.Photo", broken)
    yield


def a_day_passes(site: Site) -> int:
    """Makes it tomorrow, and gives back when that is, in nanoseconds."""
    tomorrow = finder.now_ns() + 25 * 3_600 * 10**9
    site.monkeypatch.setattr(finder, "now_ns", lambda: tomorrow)
    return tomorrow


class Clock:
    """The database's clock on that morning."""

    def __init__(self, site: Site) -> None:
        self.now = CLEAN_UP.started_at
        site.monkeypatch.setattr(store, "database_time", lambda using: self.now)

    def set(self, time: str) -> None:
        self.now = datetime.fromisoformat(f"2026-03-01T{time}+00:00")


def overflow(root: Root, span: UUID, moment: datetime) -> SpanClosed:
    """The kernel's queue has overflowed."""
    return SpanClosed(
        root=root.pk, occurred_at=moment, span=str(span), covered_until=moment.isoformat(), reason=GapReason.OVERFLOW
    )


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
