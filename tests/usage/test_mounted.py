"""File systems inside a media folder: known ones are looked through, and have a trash of their own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from auditor.models import Root
from auditor.orphans.proposals import Wanted
from auditor.orphans.unreferenced import find_files
from auditor.trash import TRASH, run_of
from auditor.usage.plan import Kept
from deploy.gallery.models import Photo
from tests.makers import make_file, real
from tests.usage.worlds import clean, kept_in, looked, make_used, unused_in
from tests.usage.worlds import run_of as run_of_ran

can_mount = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, which only root may")


@pytest.fixture
def disk(media: Path) -> Iterator[Path]:
    """Another file system in the media folder, with a file that nobody names."""
    make_used(media)
    folder = media / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tests", folder], check=True)
    make_file(folder, "deep/a.bin")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@can_mount
@pytest.mark.django_db
def test_file_system_that_nobody_registered_is_left_alone(media: Path, disk: Path) -> None:
    assert (unused_in(media), kept_in(media)) == ([], {Kept.MOUNT: 1})


@can_mount
@pytest.mark.django_db
def test_known_file_system_has_a_trash_of_its_own(media: Path, disk: Path) -> None:
    Root.objects.update(mounts=["disk"])

    gone = clean("--force")

    place = disk / TRASH / str(run_of_ran(gone)) / "deep/a.bin"
    assert (gone.code, place.exists(), (media / TRASH).exists()) == (0, True, False)
    assert run_of(os.fsencode(place.relative_to(media))) == run_of_ran(gone)
    assert clean("--restore", str(run_of_ran(gone)), "--force").code == 0
    assert (disk / "deep/a.bin").exists()


@can_mount
@pytest.mark.django_db
def test_trash_on_another_file_system_is_refused(media: Path) -> None:
    """Nothing can be renamed into it."""
    make_used(media)
    make_file(media, "a.bin")
    (media / TRASH).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tests", media / TRASH], check=True)
    try:
        ran = clean("--force")
    finally:
        subprocess.run(["umount", "--lazy", media / TRASH], check=True)

    assert (ran.code, ran.log[-1]["message"]) == (
        5,
        f"The trash {real(media)}/{TRASH} cannot be used: it is on another file system than the files. "
        "Nothing was moved.",
    )
    assert (media / "a.bin").exists()


@can_mount
@pytest.mark.django_db
def test_folder_that_cannot_be_written_to_is_refused(media: Path, disk: Path) -> None:
    Root.objects.update(mounts=["disk"])
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    ran = clean("--force")

    assert (ran.code, "Read-only file system. Nothing was moved." in ran.log[-1]["message"]) == (5, True)
    assert (disk / "deep/a.bin").exists()


@pytest.fixture
def bound(media: Path) -> Iterator[Path]:
    """The folder of a used file, a second time."""
    make_used(media)
    make_file(media, "photos/left.jpg")
    (media / "again").mkdir()
    subprocess.run(["mount", "--bind", media / "photos", media / "again"], check=True)
    yield media
    subprocess.run(["umount", "--lazy", media / "again"], check=True)


@can_mount
@pytest.mark.django_db
def test_file_in_a_folder_that_is_mounted_twice_stays(bound: Path) -> None:
    """Under its second path no record names the used file, and moving it there takes it away here."""
    Root.objects.update(mounts=["again"])

    assert (unused_in(bound), kept_in(bound)) == ([], {Kept.TWICE: 3})
    assert clean("--force").code == 0
    assert (bound / "photos/used.jpg").exists()


@can_mount
@pytest.mark.django_db
def test_file_of_a_root_that_is_the_folder_of_another_one_stays(bound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = FileSystemStorage(location=str(bound / "again"))
    monkeypatch.setattr(Photo._meta.get_field("thumbnail"), "storage", second)

    assert (unused_in(bound), unused_in(bound / "again")) == ([], [])


@pytest.mark.django_db
def test_what_lies_where_a_file_system_should_be_stays(media: Path) -> None:
    make_used(media)
    make_file(media, "disk/a.bin")
    make_file(media, "b.bin")
    Root.objects.update(mounts=["disk"])

    root = looked(media)

    assert ([one.name for one in root.unused], root.kept, root.is_certain) == (
        [b"b.bin"],
        {Kept.UNMOUNTED: 1},
        False,
    )
    assert clean("--force").code == 4


@pytest.mark.django_db
def test_file_in_the_trash_is_never_proposed_for_a_record(media: Path) -> None:
    make_used(media)
    make_file(media, "old/a.bin")
    clean("--force")

    assert find_files(real(media), Wanted(frozenset({"a.bin"}), frozenset())) == []
