"""The clean-up believes only the folder that the database knows, and only what is mounted in it."""

import os
from pathlib import Path

import pytest
from django.core.files.storage import InMemoryStorage

from auditor import mounts
from auditor.marker import MARKER
from auditor.models import Root
from deploy.gallery.models import Photo, Video
from tests.commands.library import Person, make_library, shell
from tests.commands.test_refusals import BY_HAND, ends_alike_everywhere
from tests.makers import make_file, make_known, make_photo, real
from tests.marking import OTHERS, put_marker, refuse_writing
from tests.removal.rows import untold

pytestmark = pytest.mark.django_db
LOST = "The media root {0} has lost its marker: this is what an unmounted volume looks like."
REGISTER = "Mount what belongs there. If this folder is meant, run: python manage.py register_media_root {0}"
MODES = ["--dry-run", "--check", "--force"]


def test_a_new_folder_with_files_is_registered_by_the_first_deletion_and_it_is_said_once(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_photo("photos/here.jpg", media=media)

    first, second = shell("--force"), shell("--force")

    root = Root.objects.get()
    line = f"Media folder: registered {media} (marker {root.marker})\n"
    assert (media / MARKER).read_text().startswith(str(root.marker))
    assert (first.stdout.count(line), second.stdout.count(line)) == (1, 0)
    assert (first.events[1], "root.registered" in second.events) == ("root.registered", False)


def test_a_folder_that_is_none_of_ours_is_not_registered_and_deletes_nothing(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "css/site.css")

    message = f"Not one file that a record names is in {media}, so nothing was deleted."
    ends_alike_everywhere("--force", code=5, message=message, hint=BY_HAND)

    assert (Photo.objects.count(), Root.objects.filter(marker=None).count(), os.listdir(media)) == (1, 0, ["css"])


def test_the_marker_of_another_site_does_not_prove_a_new_folder(media: Path) -> None:
    make_photo("photos/gone.jpg")
    put_marker(media, OTHERS)

    ran = shell("--force")

    assert (ran.code, Photo.objects.count()) == (5, 1)


def test_what_is_mounted_in_a_known_folder_is_noted_by_every_run_that_may_delete(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("photos/here.jpg", media=media)
    make_photo("videos/away.jpg")
    make_known(media)
    listed = tmp_path / "mountinfo"
    plain = "26 1 254:0 / / rw - ext4 /dev/vda rw\n"
    listed.write_text(f"{plain}27 26 254:1 / {media}/videos rw - ext4 /dev/vdb rw\n")
    monkeypatch.setattr(mounts, "LIST", str(listed))
    make_file(media, "videos/away.jpg")

    while_mounted = shell("--force")
    listed.write_text(plain)
    (media / "videos/away.jpg").unlink()
    afterwards = shell("--force")

    assert (while_mounted.code, afterwards.code, Photo.objects.count()) == (0, 4, 2)
    assert Root.objects.get().mounts == ["videos"]


def test_a_dry_run_registers_nothing(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "kept.jpg")

    ran = shell("--dry-run")

    assert (ran.code, os.listdir(media), Root.objects.count()) == (0, ["kept.jpg"], 0)


def test_a_read_only_folder_is_known_by_device_and_inode_and_it_is_said_once(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("photos/gone.jpg")
    make_photo("photos/here.jpg", media=media)
    refuse_writing(monkeypatch, 30)

    first, second = shell("--force"), shell("--force")

    said = (
        f"Media folder: registered {media} without a marker, as it cannot be written to: device and inode stand in\n"
    )
    assert (first.stdout.count(said), second.stdout.count(said)) == (1, 0)
    assert (first.code, second.code, Photo.objects.count()) == (0, 0, 1)


@pytest.mark.parametrize("mode", MODES)
def test_another_folder_in_place_of_a_read_only_one_deletes_nothing(
    media: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "kept.jpg")
    refuse_writing(monkeypatch, 30)
    make_known(media)
    media.rename(media.with_name("elsewhere"))
    make_file(media, "stranger.jpg")

    fault = "has another device or inode than the one that is known: this is what another volume looks like."
    ends_alike_everywhere(mode, code=5, message=f"The media root {media} {fault}", hint=REGISTER.format(media))

    assert Photo.objects.count() == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_folder_that_lost_its_marker_deletes_nothing(media: Path, mode: str) -> None:
    make_library(media, photos=3, videos=1)
    (media / MARKER).unlink()

    ends_alike_everywhere(mode, code=5, message=LOST.format(media), hint=REGISTER.format(media))

    assert (Photo.objects.count(), (media / MARKER).exists()) == (3, False)


@pytest.mark.parametrize("mode", MODES)
def test_the_marker_of_another_folder_deletes_nothing(media: Path, mode: str) -> None:
    make_library(media, photos=3, videos=1)
    put_marker(media, OTHERS)

    message = f"The media root {media} has the marker of another folder: this is what a wrong mount looks like."
    hint = REGISTER.format(media).replace("root /", "root --replace /")
    ends_alike_everywhere(mode, code=5, message=message, hint=hint)

    assert Photo.objects.count() == 3


def test_a_person_at_the_prompt_is_told_the_same_and_is_not_asked(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_library(media, photos=3, videos=1)
    (media / MARKER).unlink()
    monkeypatch.setattr("sys.stdin", Person("yes\n", meanwhile=lambda: pytest.fail("nobody is to be asked")))

    ran = shell()

    assert (ran.code, Photo.objects.count()) == (5, 3)
    assert LOST.format(media) in ran.stdout


def test_everything_gone_from_a_registered_folder_is_deleted_all_of_it(media: Path) -> None:
    make_library(media, photos=414, videos=157)
    (media / "photos/kept.jpg").unlink()

    ran = shell("--force")

    assert (ran.code, Photo.objects.count(), Video.objects.count()) == (0, 0, 0)
    assert "Photos: 414 orphaned out of 414 total\nVideos: 157 orphaned out of 157 total\n" in ran.stdout
    assert "Total deleted: 571\n" in ran.stdout


@pytest.mark.parametrize(("state", "is_known"), [("marker gone", False), ("marker foreign", False), ("nothing", True)])
def test_the_root_is_looked_at_again_before_the_commit(
    media: Path, monkeypatch: pytest.MonkeyPatch, state: str, is_known: bool
) -> None:
    make_library(media, photos=3, videos=0)

    def meanwhile() -> None:
        if state == "marker gone":
            (media / MARKER).unlink()
        elif state == "marker foreign":
            put_marker(media, OTHERS)

    monkeypatch.setattr("sys.stdin", Person("yes\n", meanwhile=meanwhile))
    before = untold()

    ran = shell()

    assert (ran.code, Photo.objects.count()) == ((0, 0) if is_known else (5, 3))
    assert is_known or untold() == before


def test_names_below_a_file_system_that_is_not_mounted_are_unknown_and_the_others_go(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_photo("videos/away.jpg")
    make_photo("videos/2024/away.jpg")
    make_photo("./videos/odd.jpg")
    make_photo("films/linked.jpg")
    (media / "videos").mkdir()
    (media / "films").symlink_to("videos")
    make_known(media)
    Root.objects.update(mounts=["videos"])

    ran = shell("--force")

    left = set(Photo.objects.values_list("image", flat=True))
    told = {line["path"]: line["reason"] for line in ran.log if line["event"] == "name.unknown"}
    assert left == {"videos/away.jpg", "videos/2024/away.jpg", "./videos/odd.jpg", "films/linked.jpg"}
    assert told == dict.fromkeys(left, "the file system at videos is not mounted")
    assert ran.code == 4


def test_no_media_folder_at_all_deletes_nothing(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photo("photos/gone.jpg")
    monkeypatch.setattr(Photo._meta.get_field("image"), "storage", InMemoryStorage())
    monkeypatch.setattr(Photo._meta.get_field("thumbnail"), "storage", InMemoryStorage())

    ran = shell("--force", "--model", "gallery.Photo")

    assert (ran.code, Photo.objects.count()) == (5, 1)
    assert "There is no media folder in which the files of gallery.Photo could be looked for: " in ran.stdout


def test_the_folder_that_is_known_is_the_real_one(media: Path) -> None:
    make_known(media)

    assert Root.objects.get().path == real(media)
