"""Both sister commands always say the same of which files are unused: a check asks the one that knows."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage

from auditor.auditlog import store
from auditor.auditlog.events import FileMoved
from auditor.models import Root
from auditor.usage import registry
from deploy.gallery.models import Album, Photo
from tests.integrity.checking import check, found, kinds, lines, make_sound
from tests.makers import make_file, make_known, make_photo
from tests.running import run
from tests.shapes.models import Archived

pytestmark = pytest.mark.django_db
Site = tuple[Path, LazySettings, pytest.MonkeyPatch]
Shape = Callable[[Path, LazySettings, pytest.MonkeyPatch], object]
SHAPES: dict[str, Shape] = {}


def shape(make: Shape) -> Shape:
    SHAPES[make.__name__] = make
    return make


@shape
def odd_spellings(media: Path, *_: object) -> None:
    (media / "linked").symlink_to("photos")
    for number, name in enumerate(("./a.jpg", "b//c.jpg", "x/../d.jpg", "linked/e.jpg", "f\\g.jpg")):
        make_photo(name)
        make_file(media, ("a.jpg", "b/c.jpg", "d.jpg", "photos/e.jpg", "f/g.jpg")[number])


@shape
def odd_entries(media: Path, *_: object) -> None:
    make_file(media, "photos/left.jpg", b"12345")
    make_file(media, "photos/empty", b"")
    make_file(media, ".hidden/a.jpg")
    make_file(media, "lost+found/a.jpg")
    make_file(media, ".media-trash/x/photos/a.jpg")
    make_file(media, "deep/.media-trash/x/photos/a.jpg")
    os.link(media / "photos/kept.jpg", media / "photos/second.jpg")
    os.mkfifo(media / "photos/pipe")
    (media / "circle").symlink_to("circle")
    (media / "nowhere.jpg").symlink_to("nothing")
    (media / "link.jpg").symlink_to("photos/left.jpg")
    with open(os.fsencode(media) + b"/\xff.bin", "wb") as file:
        file.write(b"x")


@shape
def record_deleted_by_a_clean_up(media: Path, *_: object) -> None:
    make_photo("photos/lost.jpg")
    run("cleanup_orphaned_media", "--force", "--route", "scan")
    make_file(media, "photos/lost.jpg")


@shape
def names_in_settings(media: Path, settings: LazySettings, _: pytest.MonkeyPatch) -> None:
    for name in ("press/kit.pdf", "cache/1a/b.jpg", "db/site.sqlite3", "db/left.bin"):
        make_file(media, name)
    settings.AUDITOR_KEEP = ["press/"]
    settings.AUDITOR_PRESETS = ["sorl"]
    settings.OTHER = {"NAME": str(media / "db/site.sqlite3")}


@shape
def names_in_texts_and_hooks(media: Path, _: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("texts/mentioned.jpg", "texts/hooked.jpg", "texts/left.jpg"):
        make_file(media, name)
    Album.objects.create(name="<img src='mentioned.jpg'>")
    monkeypatch.setattr(registry, "_hooks", [lambda: ["texts/hooked.jpg"]])


@shape
def moved_and_missed(media: Path, *_: object) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "archive/GONE.jpg")
    make_file(media, "archive/renamed.jpg")
    moved = FileMoved(
        root=Root.objects.get().pk,
        path="photos/gone.jpg",
        to="archive/renamed.jpg",
        occurred_at=store.database_time("default"),
    )
    store.append([moved], using="default")


@shape
def young_and_old(media: Path, settings: LazySettings, _: pytest.MonkeyPatch) -> None:
    settings.AUDITOR_UNUSED_MIN_AGE = "24h"
    os.utime(make_file(media, "photos/unpacked.jpg"), (1, 1))


@shape
def folder_inside_a_folder(media: Path, _: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = media / "private"
    make_file(inner, "here.txt")
    make_file(inner, "left.txt")
    make_file(media, "here.txt")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=inner))
    Archived._base_manager.create(file="here.txt")
    make_known(inner)


@shape
def folder_of_a_model_without_a_record(media: Path, _: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = media.with_name("archive")
    make_file(folder, "left.txt")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=folder))


@shape
def folder_that_nobody_uses(media: Path, *_: object) -> None:
    Photo.objects.all().delete()


@shape
def static_files_in_the_folder(media: Path, settings: LazySettings, _: pytest.MonkeyPatch) -> None:
    settings.STATIC_ROOT = str(media)


@shape
def hook_that_fails(media: Path, _: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_hooks", [lambda: 1 / 0])


@pytest.mark.parametrize("name", SHAPES)
def test_sister_commands_agree_on_every_shape(
    media: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make_sound(media)
    make_file(media, "tmp/left.bin")
    SHAPES[name](media, settings, monkeypatch)

    clean_up, ran = run("cleanup_unused_files", "--dry-run"), check("--list")

    planned, last = lines(clean_up, "unused.planned"), ran.log[-1]
    unused = [(line["root"], line["path"]) for line in lines(clean_up, "file.unused")]
    assert unused == [(line["root"], line["path"]) for line in lines(ran, "finding.found") if line["kind"] == "unused"]
    assert last.get("unused") == (len(unused) if planned else None)
    assert last.get("unused_bytes") == (sum(line["bytes"] for line in planned) if planned else None)
    kept = {reason: count for line in planned for reason, count in line["kept"].items()}
    assert last.get("kept") == (kept if planned else None)
    assert last["files"] == sum(line["files"] for line in planned) or not planned


def test_what_stays_is_told_as_the_clean_up_tells_it(media: Path, settings: LazySettings) -> None:
    make_sound(media)
    make_file(media, ".htaccess")
    make_file(media, "press/kit.pdf")
    settings.AUDITOR_KEEP = ["press/"]
    block = (
        "\nKept, though no record names them: 2 files\n"
        "  - 1 matched by AUDITOR_KEEP or --keep\n"
        "  - 1 hidden: its name, or that of its folder, begins with a dot\n"
    )

    assert (block in check().stdout, block in run("cleanup_unused_files", "--dry-run").stdout) == (True, True)


def test_folder_in_which_no_record_names_a_file_is_told_as_the_clean_up_tells_it(media: Path) -> None:
    make_known(media)
    make_file(media, "photos/a.jpg")

    ran = check()

    assert kinds(ran) == {"unused": 1}
    assert "is named by a record: this is what a wrong database or a wrong media folder looks like.\n" in ran.stdout


def test_path_narrows_the_unused_files(media: Path) -> None:
    make_sound(media)
    make_file(media, "tmp/a.bin")
    make_file(media, "photos/b.bin")

    ran = check("--list", "--path", "tmp/")

    assert (found(ran), ran.log[-1]["unused"]) == ([("unused", "tmp/a.bin", "7 bytes")], 1)


def test_what_nobody_can_say_is_not_looked_at(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media)
    make_file(media, "tmp/a.bin")
    monkeypatch.setattr(registry, "_hooks", [lambda: 1 / 0])

    ran = check("--list")

    assert (ran.code, found(ran), "unused" in ran.log[-1]) == (0, [], False)
    assert "Not looked at:\n  - unused files: " in ran.stdout
    assert "cannot say which files are in use: ZeroDivisionError: division by zero\n" in ran.stdout
