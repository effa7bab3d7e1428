"""A media folder with a morning behind it, which the watcher and the commands have written down themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import LazySettings
from django.core.management import CommandError, call_command

from auditor.auditlog import store
from auditor.jsonlog import JsonLog
from auditor.models import Run, Span, Tombstone
from deploy.gallery.models import Album, CustomAlbum, Rendition, Tag
from tests.makers import make_file, make_known, make_photo, make_video, real
from tests.watcher.finding import is_proven_since
from tests.watcher.waiting import wait_until
from watcher.root_watch import RootWatch
from watcher.site import Site as WatchedSite

PHOTOS, GONE, BACK = 70, 58, 3
HOSTILE = "photos/<script>alert(1)</script> & a-name-that-has-no-space-and-does-not-end-before-the-edge-of-a-phone.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The run that took the records of the files that went."""

    run: UUID


@contextmanager
def make_world(media: Path, settings: LazySettings) -> Iterator[World]:
    """Files go under the eyes of the watcher, a clean-up takes their records, another one is refused."""
    settings.AUDITOR_WATERMARK_SECONDS = 0.1  # the sooner the proof, the shorter the test
    settings.AUDITOR_FRESHNESS_SECONDS = 3_600  # the watcher has stopped when the pages are looked at
    names = [HOSTILE, *(f"photos/{1000004108 - 3 * number}.jpg" for number in range(PHOTOS))]
    fill(media, names)
    root = make_known(media)
    store.register_root(real(media.with_name("archive")), using="default")
    watch = RootWatch(root.path, WatchedSite(using="default", log=JsonLog(uuid4())))
    try:
        tick_until(watch, lambda: store.coverage(watch.path, using="default").checkpoint)
        remove(watch, names[:GONE])
        run = clean_up("--force")
        for name in names[1 : 1 + BACK]:
            make_file(media, name)
        make_photo("../outside.jpg")
        remove(watch, names[GONE:])
        clean_up("--force", "--max-orphans", "5%")
        now = store.database_time("default")
        tick_until(watch, lambda: is_proven_since(watch.path, now))
        yield World(run=run)
    finally:
        watch.stop(seconds=5)


def remove(watch: RootWatch, names: list[str]) -> None:
    """Removes files, and waits until the log has them."""
    heard = store.coverage(watch.path, using="default").deletions
    for name in names:
        Path(watch.path, name).unlink()
    tick_until(watch, lambda: store.coverage(watch.path, using="default").deletions >= heard + len(names))


def fill(media: Path, names: list[str]) -> None:
    """Photos and videos with what belongs to them."""
    album, custom = Album.objects.create(name="Evan Photos"), CustomAlbum.objects.create(name="Best of")
    tags = [Tag.objects.create(name=name) for name in ("sea", "sun")]
    for name in names:
        photo = make_photo(name, media=media, album=album)
        photo.tags.set(tags)
        custom.photos.add(photo)
        Rendition.objects.create(photo=photo, width=320, file="renditions/kept.jpg")
    Album.objects.update(cover=album.photos.earliest("pk"))
    make_file(media, "renditions/kept.jpg")
    make_video(media=media, album=album)


def clean_up(*flags: str) -> UUID:
    """Runs the clean-up, and gives back the newest run."""
    with suppress(CommandError, SystemExit):  # refused, or not certain: the pages tell of it
        call_command("cleanup_orphaned_media", *flags, "--log-format", "none", stdout=StringIO())
    return Run.objects.latest("finished_at").uid


def tick_until(watch: RootWatch, is_so: Callable[[], object]) -> None:
    def ticked() -> object:
        watch.tick()
        return is_so()

    wait_until(ticked, seconds=30)


def span_and_stone() -> tuple[UUID, int]:
    """One of each, for their pages."""
    return Span.objects.latest("opened_position").pk, Tombstone.objects.earliest("id").pk
