"""A clean-up whose media is taken away at every look that it takes: what is merely out of sight is never deleted."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from auditor import mounts
from auditor.marker import MARKER
from auditor.models import Absence, Acknowledgement
from deploy.gallery.models import Photo, Video
from tests.commands.library import make_watched
from tests.commands.programs import NAME
from tests.faults.mounts import mount, mount_tmpfs, needs_root, released, unmount
from tests.makers import make_file, make_known, make_photo, make_video
from tests.removal.rows import untold
from tests.running import run

pytestmark = [pytest.mark.live, needs_root, pytest.mark.django_db(transaction=True)]
LOOKS = ("lstat", "stat", "listdir", "scandir", "open")
HERE = ("photos/a.jpg", "photos/b.jpg", "nested/a.jpg")
GONE = ("nested/lost.jpg", "photos/gone.jpg")
FILM = "videos/a.mp4"


@dataclass(frozen=True, slots=True)
class Volume:
    """The media folder on a file system of its own, and another one mounted in it."""

    media: Path
    disk: Path

    def put_back(self) -> None:
        """Everything is mounted, whatever was before."""
        with released(self.media):
            pass
        mount("--rbind", self.disk / "main", self.media)

    def unmount(self) -> None:
        """Leaves an empty folder."""
        unmount(self.media, lazily=True)

    def cover(self) -> None:
        """Mounts an empty file system over everything."""
        mount_tmpfs(self.media)

    def exchange(self) -> None:
        """Mounts another folder of the same disk over everything, with the same marker and without the files."""
        mount("--bind", self.disk / "copy", self.media)

    def unmount_nested(self) -> None:
        """Leaves the media folder, and an empty folder in it."""
        unmount(self.media / "nested", lazily=True)

    def flatten(self) -> None:
        """Nothing is mounted in the media folder for good; what was there is in a folder of it."""
        unmount(self.disk / "main/nested")
        self.put_back()
        make_file(self.media, "nested/a.jpg")
        make_known(self.media)

    def cover_nested(self) -> None:
        """Mounts an empty file system over the one in the media folder."""
        mount_tmpfs(self.media / "nested")


@pytest.fixture
def volume(media: Path, tmp_path: Path) -> Iterator[Volume]:
    made = Volume(media, tmp_path / "disk")
    made.disk.mkdir()
    with released(made.disk), released(media):
        mount_tmpfs(made.disk)
        mount("--make-private", made.disk)  # else what is unmounted in one place goes in the other as well
        for folder in ("main/nested", "copy"):
            (made.disk / folder).mkdir(parents=True)
        mount_tmpfs(made.disk / "main/nested")
        made.put_back()
        for name in (*HERE, FILM):
            make_file(media, name)
        make_known(media)
        shutil.copy(media / MARKER, made.disk / "copy")
        yield made


def make_records() -> None:
    """Those that are not there, and no others."""
    Photo.objects.exclude(image__in=(*HERE, *GONE)).delete()
    there = set(Photo.objects.values_list("image", flat=True))
    for name in (*HERE, *GONE):
        if name not in there:
            make_photo(name)
    if not Video.objects.exists():
        make_video(FILM)


def names() -> set[str]:
    return {*Photo.objects.values_list("image", flat=True), *Video.objects.values_list("video", flat=True)}


@contextmanager
def at_look(number: int, act: Callable[[], object], media: Path) -> Iterator[list[int]]:
    """Does something just before the look at the disk with this number, from 0; the list holds the number then.

    Between two looks it makes no difference when.
    """
    numbers, done = count(), list[int]()

    def step() -> None:
        if next(numbers) == number:
            done.append(number)
            act()

    def stepping(call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(path: Any = ".", *rest: Any, **more: Any) -> Any:
            if str(path).startswith((str(media), mounts.LIST)) or "dir_fd" in more:
                step()
            return call(path, *rest, **more)

        return stepped

    with pytest.MonkeyPatch.context() as patch:
        for name in LOOKS:
            patch.setattr(os, name, stepping(getattr(os, name)))
        patch.setattr(mounts, "open", stepping(open), raising=False)
        yield done


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, and which names went."""

    code: int
    gone: tuple[str, ...] = ()


REFUSED, UNDISTURBED = End(5), End(0, GONE)


def ends_at_every_look(volume: Volume, take: Callable[[Volume], object], *arguments: str) -> Iterator[End]:
    """The ends of clean-ups during which media was taken away at the first look, the second and so on.

    The last one was left alone. Fails where a run was refused and yet anything changed.
    """
    reached, before = [0], dict[str, Any]()
    for number in count():
        if not reached:
            return
        if not before:
            make_records()
            before = untold()
        there = names()
        with at_look(number, partial(take, volume), volume.media) as reached:
            ran = run(NAME, *arguments)
        volume.put_back()
        end = End(int(ran.code), tuple(sorted(there - names())))
        if end.code != REFUSED.code:
            before = {}
        assert not before or untold() == before, f"look {number}: {ran}"
        yield end


@pytest.fixture(params=["scan", "log"])
def route(request: pytest.FixtureRequest, volume: Volume, settings: LazySettings) -> str:
    """The route of all runs; the log says of every file that it was deleted, so that only the disk saves it."""
    settings.AUDITOR_FRESHNESS_SECONDS = 10_000
    make_records()
    if request.param == "log":
        make_watched(volume.media, *HERE, *GONE, FILM)
    return str(request.param)


@pytest.mark.parametrize("take", [Volume.unmount, Volume.cover])
def test_media_folder_that_is_out_of_sight_at_any_look_loses_nothing(
    volume: Volume, route: str, take: Callable[[Volume], object]
) -> None:
    *ends, undisturbed = ends_at_every_look(volume, take, "--force", "--route", route)

    assert (set(ends), undisturbed) == ({REFUSED}, UNDISTURBED)
    assert len(ends) > 50


@pytest.mark.parametrize(
    ("take", "before"),
    [
        (Volume.unmount_nested, End(4, ("photos/gone.jpg",))),  # what is known to be mounted there is unknown
        # What is there when the run begins is what it is about.
        (Volume.cover_nested, End(0, ("nested/a.jpg", *GONE))),
    ],
)
def test_file_system_that_is_another_than_when_the_run_began_loses_nothing(
    volume: Volume, take: Callable[[Volume], object], before: End
) -> None:
    make_records()

    *ends, undisturbed = ends_at_every_look(volume, take, "--force")

    begun = ends.index(REFUSED)
    assert (set(ends[begun:]), undisturbed) == ({REFUSED}, UNDISTURBED)
    assert set(ends[:begun]) == {before}
    assert len(ends[begun:]) > 25


def test_another_folder_of_the_same_disk_with_the_same_marker_loses_nothing_once_the_run_has_begun(
    volume: Volume,
) -> None:
    volume.flatten()
    make_records()

    *ends, undisturbed = ends_at_every_look(volume, Volume.exchange, "--force")

    begun = ends.index(REFUSED)
    assert (set(ends[begun:]), undisturbed) == ({REFUSED}, UNDISTURBED)
    assert set(ends[:begun]) == {End(0, tuple(sorted((*HERE, *GONE, FILM))))}  # a marker is its writer's word
    assert len(ends[begun:]) > 25


def test_record_is_pointed_at_no_other_file_while_the_media_folder_is_out_of_sight(volume: Volume) -> None:
    make_file(volume.media, "moved/gone.jpg")

    *ends, undisturbed = ends_at_every_look(volume, Volume.unmount, "--force", "--relink", "proposed")

    committed = ends.index(UNDISTURBED)  # after that it looks once more, to note what is missing
    assert (set(ends[:committed]), set(ends[committed:]), undisturbed) == ({REFUSED}, {UNDISTURBED}, UNDISTURBED)
    assert committed > 50
    assert "moved/gone.jpg" in names()


@pytest.mark.parametrize(
    "arguments", [("--force", "--min-age", "7d"), ("--force", "--max-orphans", "1"), ("--acknowledge",)], ids=" ".join
)
def test_file_that_is_out_of_sight_is_not_noted_as_missing(volume: Volume, arguments: tuple[str, ...]) -> None:
    noted = set[str]()

    for end in ends_at_every_look(volume, Volume.unmount, *arguments):
        assert set(end.gone) <= set(GONE)
        noted |= {*Absence.objects.values_list("path", flat=True)}
        noted |= {*Acknowledgement.objects.values_list("name", flat=True)}

    assert noted == set(GONE)
