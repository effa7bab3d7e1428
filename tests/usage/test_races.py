"""Whatever is saved while the clean-up is at work is not lost."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from auditor.usage import cleaning, finder, moving, registry
from deploy.gallery.models import Photo
from tests.makers import make_album, make_file, make_photo
from tests.usage.worlds import clean, files_below, in_trash, make_used

UPLOADS = 1_000


def before_the_move(monkeypatch: pytest.MonkeyPatch, happens: Callable[[bytes], object]) -> None:
    """Lets something happen after the question to the database, just before a file is moved."""
    honest = moving.into_trash

    def into_trash(one: Any, seen: Any) -> str:
        happens(one.path)
        return honest(one, seen)

    monkeypatch.setattr(cleaning.moving, "into_trash", into_trash)


@pytest.mark.django_db
def test_file_that_is_named_between_the_question_and_the_move_comes_back(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_used(media)
    make_file(media, "photos/a.jpg")
    make_file(media, "photos/b.jpg")
    before_the_move(monkeypatch, lambda path: make_photo("photos/a.jpg") if path.endswith(b"a.jpg") else None)

    ran = clean("--force")

    assert (ran.code, "- photos/a.jpg (a record names it by now)" in ran.stdout) == (4, True)
    assert sorted(files_below(media)) == ["photos/a.jpg", "photos/used.jpg"]
    assert list(in_trash(media)) == ["photos/b.jpg"]


@pytest.mark.django_db
@pytest.mark.parametrize("flags", [(), ("--delete",)])
def test_file_that_is_named_oddly_meanwhile_comes_back(
    media: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    make_used(media)
    make_file(media, "photos/a.jpg")
    before_the_move(monkeypatch, lambda _: make_photo("photos//x/../a.jpg"))

    ran = clean("--force", *flags)

    assert (ran.code, sorted(files_below(media))) == (4, ["photos/a.jpg", "photos/used.jpg"])


@pytest.mark.django_db
def test_file_that_a_hook_names_meanwhile_comes_back(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_used(media)
    make_file(media, "photos/a.jpg")
    named: list[str] = []
    monkeypatch.setattr(registry, "_hooks", [lambda: named])
    before_the_move(monkeypatch, lambda _: named.append("photos/a.jpg"))

    assert (clean("--force").code, sorted(files_below(media))) == (4, ["photos/a.jpg", "photos/used.jpg"])


@pytest.mark.django_db
def test_file_that_is_named_while_a_person_thinks_stays(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_used(media)
    make_file(media, "photos/a.jpg")

    def answer() -> str:
        make_photo("./photos/a.jpg")
        return "yes\n"

    monkeypatch.setattr("sys.stdin", type("Person", (), {"readline": lambda _: answer(), "isatty": lambda _: False})())

    ran = clean()

    assert (ran.code, "- photos/a.jpg (a record names it by now)" in ran.stdout) == (4, True)
    assert in_trash(media) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["written", "replaced", "gone", "linked"])
def test_file_that_changes_before_the_move_stays(media: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    make_used(media)
    file = make_file(media, "old/a.bin")
    outside = media.with_name("outside")

    def happens(_: bytes) -> None:
        match change:
            case "written":
                file.write_bytes(b"an upload of that name")
            case "replaced":
                other = make_file(media, "old/.b.bin")
                other.rename(file)
            case "gone":
                file.unlink()
            case "linked":
                file.parent.rename(outside)
                file.parent.symlink_to(outside)

    before_the_move(monkeypatch, happens)

    ran = clean("--force")

    assert (ran.code, in_trash(media)) == (4, {})
    assert (outside / "a.bin").exists() == (change == "linked")


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_no_upload_is_lost_beside_a_clean_up_that_runs_all_the_time(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old files that nobody names are given records, and new ones are uploaded, while the clean-up goes round."""
    make_used(media)
    album, stop, faults = make_album(), threading.Event(), list[BaseException]()
    for number in range(UPLOADS // 2):
        make_file(media, f"inbox/{number}.jpg", str(number).encode())
    begun = finder.now_ns()
    monkeypatch.setattr(finder, "now_ns", lambda: begun)  # what is saved from now on is young, and all else is old

    def upload() -> None:
        try:
            for number in range(UPLOADS // 2):
                Photo.objects.create(album=album, image=ContentFile(str(number).encode(), name=f"up{number}.jpg"))
                if os.path.exists(media / f"inbox/{number}.jpg"):
                    Photo.objects.create(album=album, image=f"inbox/{number}.jpg")
        except BaseException as error:
            faults.append(error)
        finally:
            stop.set()
            connection.close()

    uploading = threading.Thread(target=upload)
    uploading.start()
    rounds = 0
    try:
        while not stop.is_set() or rounds < 2:
            clean("--force")
            rounds += 1
    finally:
        uploading.join()  # else it would go on in the folder of another test

    assert faults == []
    names = list(Photo.objects.values_list("image", flat=True))
    away = [name for name in names if not (media / name).exists()]
    # Whoever has seen an old file before it went, and names it after all has ended, finds it in the trash.
    assert [name for name in away if name not in in_trash(media)] == []
    assert [name for name in away if name.startswith("photos/")] == []
    assert len(names) > UPLOADS // 2
