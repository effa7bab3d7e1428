"""Every kind of finding, made really on the disk or in the records."""

import os
import shutil
import socket
from base64 import b64decode
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from auditor.auditlog import store
from auditor.integrity import walk
from auditor.models import Acknowledgement
from auditor.orphans import registry
from auditor.orphans.registry import Registration
from tests.integrity.checking import check, found, kinds, lines, make_sound
from tests.makers import make_file, make_known, make_photo, make_video, real
from tests.shapes.models import Archived, Contract, Pair, Part, Profile

pytestmark = pytest.mark.django_db


def test_sound_library_has_no_finding(media: Path) -> None:
    make_sound(media)

    ran = check("--check")

    assert (ran.code, found(ran), kinds(ran)) == (0, [], {})


def test_record_whose_file_is_missing_is_an_error_and_one_whose_thumbnail_is_missing_a_warning(media: Path) -> None:
    make_sound(media)
    make_photo("photos/gone.jpg")
    make_video("videos/here.mp4", media=media, thumbnail="thumbnails/gone.jpg")

    ran = check("--check")

    assert ran.code == 3
    assert [
        (line["kind"], line["severity"], line["path"], line["model"], line["field"])
        for line in lines(ran, "finding.found")
    ] == [
        ("missing", "error", "photos/gone.jpg", "gallery.Photo", "image"),
        ("derived_missing", "warning", "thumbnails/gone.jpg", "gallery.Video", "thumbnail"),
    ]


def test_name_that_cannot_be_judged_is_unknown_and_not_missing(media: Path) -> None:
    make_sound(media)
    make_photo("../x.jpg")

    ran = check("--check")

    assert (ran.code, found(ran)) == (3, [("unknown", "../x.jpg", "the name leaves the media root")])


def test_empty_file_is_an_error_only_where_a_record_names_it(media: Path) -> None:
    make_sound(media)
    make_photo("photos/empty.jpg")
    make_file(media, "photos/empty.jpg", b"")
    make_file(media, ".gitkeep", b"")

    assert found(check()) == [("empty", "photos/empty.jpg", "")]


def test_directory_pipe_and_socket_at_a_files_name_are_no_files(media: Path) -> None:
    make_sound(media)
    for name in ("directory", "pipe", "socket", "link"):
        make_photo(f"photos/{name}")
    (media / "photos/directory").mkdir()
    (media / "photos/link").symlink_to("directory")
    os.mkfifo(media / "photos/pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(media / "photos", os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{folder}/socket")  # a socket's path has to be short
        os.close(folder)

    assert found(check("--checksums")) == [
        ("not_a_file", "photos/directory", "a directory"),
        ("not_a_file", "photos/link", "a directory"),
        ("not_a_file", "photos/pipe", "a named pipe"),
        ("not_a_file", "photos/socket", "a socket"),
    ]


def test_symlink_that_leads_to_nothing_is_an_error_with_and_without_a_record(media: Path) -> None:
    make_sound(media)
    photo = make_photo("photos/dangling.jpg")
    (media / "photos/dangling.jpg").symlink_to("nowhere.jpg")
    (media / "circle").symlink_to("circle")

    ran = check()

    assert found(ran) == [
        ("dangling_symlink", "circle", "to circle"),
        ("dangling_symlink", "photos/dangling.jpg", "to nowhere.jpg"),
    ]
    assert [line.get("key") for line in lines(ran, "finding.found")] == [None, str(photo.pk)]


def test_symlink_to_a_file_is_that_file(media: Path) -> None:
    make_sound(media)
    make_file(media, "store/blob", b"12345")
    make_photo("photos/linked.jpg")
    (media / "photos/linked.jpg").symlink_to("../store/blob")

    ran = check("--list")

    assert found(ran) == []
    assert [line["bytes"] for line in lines(ran, "model.measured") if line["model"] == "gallery.Photo"] == [12]


def test_file_that_may_not_be_read_is_found_by_its_permissions(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is feigned, because permissions do not stop root, who may run the tests."""
    make_sound(media)
    make_photo("photos/locked.jpg", media=media)
    (media / "photos/locked.jpg").chmod(0)
    honest, locked = os.open, real(media / "photos/locked.jpg")

    def refusing(path: Any, *rest: Any, **options: Any) -> int:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return honest(path, *rest, **options)

    monkeypatch.setattr(os, "open", refusing)  # also to root, as in a container without its capabilities

    assert found(check()) == [("unreadable", "photos/locked.jpg", "EACCES: Permission denied")]


def test_file_that_only_its_owner_may_read_is_opened_by_others_alone(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media, "photos/a.jpg")
    (media / "photos/a.jpg").chmod(0o600)
    opened: list[Any] = []
    monkeypatch.setattr(walk, "why_unreadable", lambda path: opened.append(path) or "")

    check()
    by_owner = list(opened)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    check()

    assert (by_owner, opened) == ([], [real(media / "photos/a.jpg")])


def test_directory_that_cannot_be_listed_is_an_error_and_its_names_are_looked_at_one_by_one(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media)
    make_video("videos/here.mp4", media=media)
    make_video("videos/gone.mp4")
    honest, closed = os.scandir, f"{real(media)}/videos/"

    def refusing(path: Any = ".") -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return honest(path)

    monkeypatch.setattr(os, "scandir", refusing)

    assert found(check()) == [
        ("unreadable", "videos/", "EACCES: Permission denied"),
        ("missing", "videos/gone.mp4", ""),
    ]


def test_what_goes_while_it_is_looked_at_is_no_finding(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media)
    for name in ("tmp/upload.part", "tmp/deep/a.bin", "tmp/link"):
        make_file(media, name)
    (media / "tmp/link").unlink()
    (media / "tmp/link").symlink_to("upload.part")
    honest, tmp = os.scandir, f"{real(media)}/tmp/"

    def scandir(path: Any = ".") -> Any:
        listed = honest(path)
        if path != tmp:
            return listed
        entries = list(listed)
        shutil.rmtree(tmp)
        return nullcontext(entries)

    monkeypatch.setattr(os, "scandir", scandir)

    assert (kinds(check("--list", "--checksums")), (media / "tmp").exists()) == ({"first_seen": 1}, False)


def test_names_that_differ_by_case_are_twins_on_disk_in_records_and_between_them(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/A.jpg")
    make_photo("photos/KEPT.jpg")
    make_photo("photos/kept.jpg", media=media)
    make_file(media, "Photos/a.jpg")

    twins = {path: detail for kind, path, detail in found(check()) if kind == "twins"}

    both = "on disk and in a record"
    assert twins == {
        "Photos/a.jpg": f"on disk, beside photos/A.jpg ({both}), photos/a.jpg ({both})",
        "photos/A.jpg": f"{both}, beside Photos/a.jpg (on disk), photos/a.jpg ({both})",
        "photos/a.jpg": f"{both}, beside Photos/a.jpg (on disk), photos/A.jpg ({both})",
        "photos/KEPT.jpg": f"in a record, beside photos/kept.jpg ({both})",
        "photos/kept.jpg": f"{both}, beside photos/KEPT.jpg (in a record)",
    }


def test_names_of_different_unicode_form_are_twins(media: Path) -> None:
    composed, decomposed = "photos/caf\u00e9.jpg", "photos/cafe\u0301.jpg"
    make_sound(media)
    make_photo(composed)
    make_file(media, decomposed)

    assert {(kind, path) for kind, path, _ in found(check())} == {
        ("missing", composed),
        ("twins", composed),
        ("twins", decomposed),
    }


def test_name_that_two_records_hold_is_shared_and_their_records_are_told(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    make_photo("photos/a.jpg")
    make_video("videos/here.mp4", media=media, thumbnail="photos/a.jpg")

    assert found(check()) == [
        (
            "shared",
            "photos/a.jpg",
            "gallery.Photo:KEY image, gallery.Photo:KEY image, gallery.Video:KEY thumbnail",
        )
    ]


def test_name_that_is_missing_is_shared_as_well(media: Path) -> None:
    make_sound(media)
    make_photo("photos/gone.jpg")
    make_photo("photos/gone.jpg")

    assert kinds(check()) == {"missing": 2, "shared": 1}


def test_record_that_names_one_file_twice_shares_it_with_nobody(media: Path) -> None:
    make_sound(media)
    make_file(media, "pairs/a.txt")
    Pair.objects.create(left="pairs/a.txt", right="pairs/a.txt")

    assert found(check()) == []


def test_default_name_of_a_field_may_be_held_by_many(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media)
    make_file(media, "avatars/nobody.png")
    avatar = Profile._meta.get_field("avatar")
    monkeypatch.setattr(avatar, "_get_default", lambda: "avatars/nobody.png")  # which Django asks once, and keeps
    monkeypatch.setattr(avatar, "default", "avatars/nobody.png")
    Profile.objects.bulk_create([Profile(name="A"), Profile(name="B")])

    assert found(check()) == []


def test_child_model_does_not_share_its_parents_file(media: Path) -> None:
    make_sound(media)
    make_file(media, "documents/a.pdf")
    Contract.objects.create(title="A", file="documents/a.pdf")

    ran = check()

    assert (found(ran), [line["records"] for line in lines(ran, "model.measured") if line["files"] == 1]) == (
        [],
        [1, 1],
    )


def test_unused_files_are_counted_and_listed_only_if_asked_for(media: Path) -> None:
    make_sound(media)
    make_file(media, "tmp/a.bin", b"12345")

    counting, listing = check("--check"), check("--list")

    assert (counting.code, found(counting), kinds(counting)) == (0, [], {"unused": 1})
    assert (counting.log[-1]["unused_bytes"], counting.log[-1]["files"]) == (5, 2)
    assert found(listing) == [("unused", "tmp/a.bin", "5 bytes")]


@pytest.mark.parametrize("name", ["./photos/a.jpg", "photos//a.jpg", "photos/../photos/a.jpg", "link/a.jpg"])
def test_file_that_is_named_oddly_is_used(media: Path, name: str) -> None:
    make_sound(media)
    make_file(media, "photos/a.jpg")
    (media / "link").symlink_to("photos")
    make_photo(name)

    assert (found(check("--list")), kinds(check())) == ([], {})


def test_names_that_a_registration_leaves_out_are_used_and_not_judged(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media)
    make_file(media, "videos/a.mp4")
    make_file(media, "thumbnails/a.jpg")
    monkeypatch.setitem(
        registry._registrations, "gallery.Video", Registration(model="gallery.Video", primary=("video",))
    )
    make_video("videos/a.mp4", thumbnail="thumbnails/a.jpg")
    make_video("videos/b.mp4", media=media, thumbnail="thumbnails/gone.jpg")

    assert found(check("--list")) == []


def test_marker_and_trash_are_no_files_of_anybody(media: Path) -> None:
    make_sound(media)
    make_file(media, ".media-trash/0b7c/photos/x.jpg")

    assert found(check("--list")) == []


def test_name_that_is_no_text_is_shown_with_its_bytes(media: Path) -> None:
    make_sound(media)
    path = os.fsencode(media) + b"/\xff.bin"
    with open(path, "wb") as file:
        file.write(b"x")

    (media / "\udcff.link").symlink_to("nowhere")

    first, second = check("--list"), check("--list")

    assert (
        found(first)
        == found(second)
        == [
            ("dangling_symlink", "\\xff.link", "to nowhere"),
            ("unused", "\\xff.bin", "1 byte"),
        ]
    )
    assert "  - \\xff.bin: 1 byte\n" in first.stdout
    assert [b64decode(line["path_b64"]) for line in lines(first, "finding.found")] == [b"\xff.link", b"\xff.bin"]
    assert lines(second, "finding.found")[0]["state"] == "open"


def test_acknowledged_loss_is_no_finding(media: Path) -> None:
    make_sound(media)
    photo = make_photo("photos/gone.jpg")
    Acknowledgement.objects.create(
        model="gallery.Photo",
        key=str(photo.pk),
        field="image",
        name="photos/gone.jpg",
        acknowledged_at=store.database_time("default"),
    )

    ran = check("--check")

    assert (ran.code, found(ran), ran.log[-1]["acknowledged"]) == (0, [], 1)


def test_media_folder_inside_another_is_walked_once(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = media / "private"
    inner.mkdir()
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=inner))
    make_sound(media)
    make_file(inner, "here.txt")
    make_file(inner, "unused.txt")
    Archived._base_manager.bulk_create([Archived(file="here.txt"), Archived(file="gone.txt")])
    make_known(inner)

    assert [(kind, path) for kind, path, _ in found(check("--list"))] == [
        ("missing", "gone.txt"),
        ("unused", "unused.txt"),
    ]


def test_every_model_counts_for_the_files_that_it_names(media: Path) -> None:
    make_sound(media)
    make_file(media, "parts/a.txt")
    Part.objects.create(file="parts/a.txt")

    assert found(check("--list")) == []
