"""A person says which media folders are meant: what the command does, what it says, and what it refuses."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage, InMemoryStorage

from auditor import marker, mounts
from auditor.marker import read_marker, write_marker
from auditor.models import Root
from auditor.orphans import registry
from tests.makers import make_file, make_photo
from tests.running import Ran, manage, run
from tests.shapes.models import Archived

NAME = "register_media_root"
OURS = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")
OTHERS = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
EMPTY = "There is not a single file in {}: this is what an unmounted volume looks like."
REPLACE = "If this folder is meant, run: python manage.py register_media_root --replace {}"


@pytest.fixture
def archive(media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other media folder of the site, with a file in it."""
    folder = media.with_name("archive")
    make_file(folder, "old.zip")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=folder))
    return folder


def register(*arguments: object) -> Ran:
    return run(NAME, *(str(argument) for argument in arguments))


def known() -> dict[str, tuple[UUID | None, list[str]]]:
    """{path: (marker, mounts)} of what the database knows."""
    return {root.path: (root.marker, root.mounts) for root in Root.objects.all()}


def registered(media: Path, registration: str, marker: UUID | None, **more: Any) -> dict[str, Any]:
    facts = {"event": "root.registered", "root": str(media), "registration": registration}
    return {**facts, "mounts": [], "forgotten": [], **({"marker": str(marker)} if marker else {}), **more}


def failed(message: str, hint: str, exit_code: int = 5) -> dict[str, Any]:
    return {"event": "run.failed", "command": NAME, "message": message, "hint": hint, "exit_code": exit_code}


def log_of(ran: Ran) -> list[dict[str, Any]]:
    envelope = ("timestamp", "level", "schema", "run_id")
    return [{key: value for key, value in line.items() if key not in envelope} for line in ran.log]


def pretend_mounted(monkeypatch: pytest.MonkeyPatch, listed: Path, *places: Path) -> None:
    lines = [f"{number} 26 254:{number} / {place} rw - ext4 /dev/vdb rw\n" for number, place in enumerate(places, 27)]
    listed.write_text("".join(["26 1 254:0 / / rw - ext4 /dev/vda rw\n", *lines]))
    monkeypatch.setattr(mounts, "LIST", str(listed))


@pytest.mark.django_db
def test_all_media_folders_are_registered(media: Path, archive: Path) -> None:
    make_file(media, "photos/a.jpg")

    ran = register()

    ours, others = read_marker(str(media)), read_marker(str(archive))
    assert (ran.code, ran.stdout) == (
        0,
        f"registered {media} (marker {ours})\nregistered {archive} (marker {others})\n",
    )
    assert log_of(ran) == [registered(media, "written", ours), registered(archive, "written", others)]
    assert known() == {str(media): (ours, []), str(archive): (others, [])}
    assert ours != others


@pytest.mark.django_db
def test_only_the_folder_that_is_named_is_registered(media: Path, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(archive)

    ran = register(tmp_path / "link", archive)

    assert (ran.code, ran.stdout) == (0, f"registered {archive} (marker {read_marker(str(archive))})\n")
    assert (list(known()), os.listdir(media)) == ([str(archive)], [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "found", "flags", "registration", "now", "sentence"),
    [
        (None, OTHERS, [], "adopted", OTHERS, "registered {0} (marker {1}, which was there already)"),
        (OURS, OURS, [], "unchanged", OURS, "already registered: {0} (marker {1})"),
        (
            OURS,
            None,
            [],
            "restored",
            OURS,
            "registered {0}: it had lost its marker, which is written again (marker {1})",
        ),
        (
            OURS,
            OTHERS,
            ["--replace"],
            "replaced",
            OTHERS,
            "registered {0}: from now on it is known by another marker (marker {1})",
        ),
    ],
    ids=["adopted", "unchanged", "restored", "replaced"],
)
def test_what_was_done_is_said(
    media: Path,
    before: UUID | None,
    found: UUID | None,
    flags: list[str],
    registration: str,
    now: UUID,
    sentence: str,
) -> None:
    make_file(media, "a.jpg")
    if found:
        write_marker(str(media), found)
    Root.objects.create(path=str(media), marker=before)

    ran = register(*flags, media)

    assert (ran.code, ran.stdout) == (0, sentence.format(media, now) + "\n")
    assert log_of(ran) == [registered(media, registration, now)]
    assert (known(), read_marker(str(media))) == ({str(media): (now, [])}, now)


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_to_is_registered_without_a_marker(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "a.jpg")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(marker, "_create", refuse)

    ran = register(media)

    sentence = "registered {} without a marker, as it cannot be written to: device and inode stand in\n"
    assert (ran.code, ran.stdout) == (0, sentence.format(media))
    assert log_of(ran) == [registered(media, "unmarked", None)]
    assert (known(), os.listdir(media)) == ({str(media): (None, [])}, ["a.jpg"])


@pytest.mark.django_db
def test_mounts_that_are_gone_are_forgotten_and_named(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_marker(str(media), OURS)
    Root.objects.create(path=str(media), marker=OURS, mounts=["films", "videos"])
    pretend_mounted(monkeypatch, tmp_path / "mountinfo", media / "films", media / "music")

    ran = register(media)

    assert (ran.code, ran.stdout) == (
        0,
        f"already registered: {media} (marker {OURS})\n"
        "  mounted in it: films, music\n"
        "  not mounted any more, and forgotten: videos\n",
    )
    mounted = ["films", "music"]
    assert log_of(ran) == [registered(media, "unchanged", OURS, mounts=mounted, forgotten=["videos"])]
    assert known() == {str(media): (OURS, mounted)}


@pytest.mark.django_db
def test_another_marker_is_refused(media: Path) -> None:
    write_marker(str(media), OTHERS)
    Root.objects.create(path=str(media), marker=OURS, mounts=["videos"])

    ran = register(media)

    message = f"The marker in {media} is not the one this database knows: it is {OTHERS}, and was {OURS}."
    hint = REPLACE.format(media)
    assert (ran.code, ran.stdout) == (5, f"CommandError: {message}\n{hint}\n")
    assert log_of(ran) == [failed(message, hint)]
    assert (known(), read_marker(str(media))) == ({str(media): (OURS, ["videos"])}, OTHERS)


@pytest.mark.django_db
def test_an_empty_folder_is_refused_unless_it_is_meant(media: Path) -> None:
    refused = register(media)
    before = os.listdir(media)
    replaced = register("--replace", media)

    message, hint = EMPTY.format(media), REPLACE.format(media)
    assert (refused.code, refused.stdout, before) == (5, f"CommandError: {message}\n{hint}\n", [])
    assert (replaced.code, replaced.stdout) == (0, f"registered {media} (marker {read_marker(str(media))})\n")


@pytest.mark.django_db
@pytest.mark.parametrize("flags", [[], ["--replace"]], ids=["plainly", "replacing"])
def test_an_absent_folder_is_refused(media: Path, flags: list[str]) -> None:
    media.rmdir()

    ran = register(*flags, media)

    message = f"The media root {media} cannot be read: No such file or directory."
    hint = "This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting."
    assert (ran.code, ran.stdout) == (5, f"CommandError: {message}\n{hint}\n")
    assert (known(), media.exists()) == ({}, False)


@pytest.mark.django_db
def test_a_refused_folder_does_not_keep_the_others_from_being_registered(media: Path, archive: Path) -> None:
    ran = register()

    uid = read_marker(str(archive))
    message, hint = EMPTY.format(media), REPLACE.format(media)
    assert (ran.code, ran.stdout) == (5, f"registered {archive} (marker {uid})\nCommandError: {message}\n{hint}\n")
    assert log_of(ran) == [registered(archive, "written", uid), failed(message, hint)]
    assert known() == {str(media): (None, []), str(archive): (uid, [])}


@pytest.mark.django_db
def test_several_refusals_are_said_in_one(media: Path, archive: Path) -> None:
    (archive / "old.zip").unlink()

    ran = register()

    message = f"{EMPTY.format(media)} {EMPTY.format(archive)}"
    hint = f"{REPLACE.format(media)}\n{REPLACE.format(archive)}"
    assert (ran.code, ran.stdout) == (5, f"CommandError: {message}\n{hint}\n")


@pytest.mark.django_db
def test_a_path_that_is_no_media_folder_is_wrong_usage(media: Path, archive: Path, tmp_path: Path) -> None:
    make_file(media, "a.jpg")

    ran = register(media, tmp_path)

    message, hint = f"{tmp_path} is no media folder of this site.", f"Its media folders: {media}, {archive}"
    assert (ran.code, ran.stdout) == (2, f"CommandError: {message}\n{hint}\n")
    assert log_of(ran) == [failed(message, hint, exit_code=2)]
    assert (known(), os.listdir(media)) == ({}, ["a.jpg"])


@pytest.mark.django_db
def test_a_site_without_a_folder_has_nothing_to_register(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [one for one in registry.audited_models() if one.id == "gallery.Photo"]
    for field in ("image", "thumbnail"):
        monkeypatch.setattr(photos[0].model._meta.get_field(field), "storage", InMemoryStorage())
    in_memory = [one for one in registry.audited_models() if one.id == "gallery.Photo"]
    monkeypatch.setattr(registry, "audited_models", lambda: in_memory)

    ran = register()

    message = "No model keeps files in a folder of this machine, so there is nothing to register."
    hint = "Install an app that has a model with a file field, stored by FileSystemStorage."
    assert (ran.code, ran.stdout) == (5, f"CommandError: {message}\n{hint}\n")


@pytest.mark.django_db
def test_an_unknown_database_is_wrong_usage(media: Path) -> None:
    ran = register("--database", "elsewhere", media)

    assert (ran.code, ran.stdout) == (
        2,
        "CommandError: There is no database 'elsewhere' in DATABASES.\nChoose one of: default.\n",
    )


@pytest.mark.django_db
def test_a_name_that_a_terminal_would_obey_is_written_out(media: Path, settings: LazySettings) -> None:
    folder = media / "a\x1b[2Jb"
    make_file(folder, "a.jpg")
    settings.MEDIA_ROOT = str(folder)

    ran = register(folder)

    assert ran.stdout == f"registered {media}/a\\x1b[2Jb (marker {read_marker(str(folder))})\n"


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_a_real_program_registers_once_and_then_says_so(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)

    first, second = manage(NAME, str(media)), manage(NAME, str(media))

    uid = read_marker(str(media))
    assert (first.code, first.stdout) == (0, f"registered {media} (marker {uid})\n")
    assert (second.code, second.stdout) == (0, f"already registered: {media} (marker {uid})\n")
    assert (log_of(first), log_of(second)) == (
        [registered(media, "written", uid)],
        [registered(media, "unchanged", uid)],
    )


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.django_db
def test_a_volume_that_is_not_mounted_is_told_from_the_one_that_is(media: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "tests", media], check=True)
    try:
        make_file(media, "a.jpg")
        mounted = register(media)
    finally:
        subprocess.run(["umount", media], check=True)

    unmounted = register(media)

    assert re.fullmatch(r"registered \S+ \(marker \S+\)\n", mounted.stdout)
    assert (unmounted.code, unmounted.stdout) == (
        5,
        f"CommandError: {EMPTY.format(media)}\n{REPLACE.format(media)}\n",
    )
    assert os.listdir(media) == []
