"""What stays although no file field of a record holds its name."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.db.models import FilePathField, Value

from auditor.auditlog import store
from auditor.auditlog.events import DirectoryMoved, FileMoved
from auditor.conf import PRESET_NAMES
from auditor.errors import AuditorError
from auditor.models import Root, Run, Tombstone
from auditor.orphans import references
from auditor.usage import finder, keeping, registry
from auditor.usage.keeping import Place
from auditor.usage.plan import Kept
from auditor.usage.presets import PRESETS
from auditor.usage.registry import register_names
from deploy.gallery.models import Photo
from tests.makers import make_file, make_photo, real
from tests.running import run
from tests.shapes.models import Contract, Document, Page, Profile
from tests.usage.worlds import kept_in, looked, make_used, unused_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def used(media: Path) -> None:
    make_used(media)


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_hooks", [])
    return


def no_default() -> str:
    raise LookupError("no picture of the day")


@pytest.mark.parametrize("given", ["photos/none.png", lambda: "photos/none.png"])
@pytest.mark.parametrize("kind", ["default", "db_default"])
def test_file_that_the_next_record_will_name_is_used(
    media: Path, monkeypatch: pytest.MonkeyPatch, given: object, kind: str
) -> None:
    """Nobody has the default picture now, and tomorrow somebody may."""
    make_file(media, "photos/none.png")
    value = Value("photos/none.png") if kind == "db_default" else given
    monkeypatch.setattr(Photo._meta.get_field("image"), kind, value)

    assert unused_in(media) == []


def test_default_that_cannot_be_asked_ends_the_run(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Photo._meta.get_field("image"), "default", no_default)

    with pytest.raises(AuditorError, match=r"The default of gallery\.Photo\.image cannot be asked: LookupError"):
        looked(media)


def test_file_that_nothing_names_is_unused(media: Path) -> None:
    make_file(media, "photos/left.jpg", b"12345")

    root = looked(media)

    assert [(one.name, one.size, one.frees) for one in root.unused] == [(b"photos/left.jpg", 5, 5)]
    assert (root.files, root.named, root.kept) == (2, 1, {})


def test_files_of_every_model_are_used_audited_or_not(media: Path) -> None:
    for name in ("avatars/a.jpg", "documents/b.pdf", "pages/c.pdf", "thumbnails/d.jpg"):
        make_file(media, name)
    Profile.objects.create(name="p", avatar="avatars/a.jpg")
    Contract.objects.create(title="c", file="documents/b.pdf")
    Page.objects.create(book=1, number=1, file="pages/c.pdf")
    Photo.objects.update(thumbnail="thumbnails/d.jpg")

    assert unused_in(media) == []


def test_model_whose_table_is_nowhere_ends_the_run(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Profile._meta, "db_table", "shapes_profile_of_tomorrow")

    with pytest.raises(AuditorError, match="so nobody knows which files") as raised:
        looked(media)

    assert raised.value.hint == "Run: python manage.py migrate --database default"


def test_every_row_counts_of_a_table_of_the_hosts_that_has_a_key_twice(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in "abc":
        make_file(media, f"avatars/{letter}.jpg")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shapes_profile RENAME TO shapes_profile_before")
        cursor.execute("CREATE TABLE shapes_profile (id integer, avatar varchar(100))")
        cursor.executemany("INSERT INTO shapes_profile VALUES (1, %s)", [(f"avatars/{one}.jpg",) for one in "abc"])
    monkeypatch.setattr(references, "READ_CHUNK", 2)
    monkeypatch.setattr(Profile._meta, "managed", False)

    assert unused_in(media) == []


@pytest.mark.sqlite
def test_table_is_found_whatever_its_letters(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "avatars/a.jpg")
    Profile.objects.create(name="p", avatar="avatars/a.jpg")
    monkeypatch.setattr(Profile._meta, "db_table", "Shapes_Profile")

    assert unused_in(media) == []


@pytest.mark.parametrize(
    "name", ["./photos/a.jpg", "photos//a.jpg", "photos/x/../a.jpg", "{media}/photos/a.jpg", "linked/a.jpg"]
)
def test_file_is_used_by_a_record_that_names_it_oddly(media: Path, name: str) -> None:
    make_file(media, "photos/a.jpg")
    (media / "linked").symlink_to("photos")
    make_photo(name.format(media=real(media)))

    assert "photos/a.jpg" not in unused_in(media)


def test_file_in_other_letters_than_a_missing_one_stays(media: Path) -> None:
    make_photo("photos/Ärger.JPG")
    make_file(media, "photos/a\u0308rger.jpg")

    assert (unused_in(media), kept_in(media)) == ([], {Kept.MISSED: 1})


def test_file_in_other_letters_than_one_that_is_there_is_unused(media: Path) -> None:
    make_file(media, "photos/USED.jpg")

    assert unused_in(media) == ["photos/USED.jpg"]


def test_file_that_could_be_the_one_a_record_misses_stays(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "archive/gone.jpg")

    assert (unused_in(media), kept_in(media)) == ([], {Kept.MISSED: 1})


def test_file_that_was_seen_moving_from_a_name_in_use_stays(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_photo("albums/2024/b.jpg")
    make_file(media, "archive/renamed.jpg")
    make_file(media, "attic/2024/c.jpg")
    root, now = Root.objects.get(), store.database_time("default")
    moves = [("photos/gone.jpg", "tmp/renamed.jpg"), ("tmp/renamed.jpg", "archive/renamed.jpg")]
    store.append(
        [
            *(FileMoved(root=root.pk, path=path, to=to, occurred_at=now) for path, to in moves),
            DirectoryMoved(root=root.pk, path="albums", to="attic", occurred_at=now),
        ],
        using="default",
    )

    assert (unused_in(media), kept_in(media)) == ([], {Kept.MOVED: 2})


def test_file_that_was_seen_moving_from_a_name_that_nobody_uses_is_unused(media: Path) -> None:
    make_file(media, "archive/b.jpg")
    root = Root.objects.get()
    moved = FileMoved(
        root=root.pk, path="photos/x.jpg", to="archive/b.jpg", occurred_at=store.database_time("default")
    )
    store.append([moved], using="default")

    assert unused_in(media) == ["archive/b.jpg"]


def test_young_file_stays_until_it_is_old(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "photos/a.jpg")
    assert looked(media, min_age_seconds=86_400).kept == {Kept.YOUNG: 1}

    now = finder.now_ns()
    monkeypatch.setattr(finder, "now_ns", lambda: now + 86_401 * 10**9)

    assert [one.name for one in looked(media, min_age_seconds=86_400).unused] == [b"photos/a.jpg"]


def test_unpacked_file_with_an_old_time_is_young(media: Path) -> None:
    os.utime(make_file(media, "photos/a.jpg"), (1_000_000_000, 1_000_000_000))

    assert looked(media, min_age_seconds=86_400).kept == {Kept.YOUNG: 1}


def test_file_of_the_future_is_young(media: Path) -> None:
    os.utime(make_file(media, "photos/a.jpg"), (9_000_000_000, 9_000_000_000))

    assert looked(media).kept == {Kept.YOUNG: 1}


def test_file_of_a_record_that_a_clean_up_deleted_stays(media: Path) -> None:
    lost = make_photo("photos/lost.jpg", thumbnail="thumbnails/lost.jpg")
    make_file(media, "thumbnails/lost.jpg")
    run("cleanup_orphaned_media", "--force", "--route", "scan")
    make_file(media, "photos/lost.jpg")

    assert not Photo.objects.filter(pk=lost.pk).exists()
    assert (unused_in(media), kept_in(media)) == ([], {Kept.UNDO: 2})


def test_file_in_the_text_of_a_record_that_a_clean_up_deleted_stays(media: Path) -> None:
    """When the record comes back, its text needs the file."""
    Document.objects.create(title="<img src='/media/a (1).jpg'> and so on", file="documents/lost.pdf")
    make_file(media, "texts/a (1).jpg")
    assert run("cleanup_orphaned_media", "--force", "--route", "scan", "--model", "shapes.Document").code == 0

    assert not Document.objects.exists()
    assert (unused_in(media), kept_in(media)) == ([], {Kept.MENTIONED: 1})


@pytest.mark.parametrize("array", ['{photos/x.jpg,"photos/a (1).jpg"}', '["photos/x.jpg", "photos/a (1).jpg"]'])
def test_file_in_an_array_of_a_row_that_a_clean_up_deleted_stays(
    media: Path, settings: LazySettings, array: str
) -> None:
    settings.AUDITOR_SEARCH_TEXTS = False
    make_file(media, "photos/a (1).jpg")
    now = store.database_time("default")
    gone = Run.objects.create(uid=uuid4(), command="cleanup_orphaned_media", started_at=now, finished_at=now)
    Tombstone.objects.create(run=gone, model="x.Y", key="1", payload=json.dumps({"files": array}))

    assert (unused_in(media), kept_in(media)) == ([], {Kept.UNDO: 1})


def test_file_to_which_a_symlink_leads_stays(media: Path) -> None:
    make_file(media, "originals/a.jpg")
    make_file(media, "shared/deep/b.jpg")
    (media / "photos/link.jpg").symlink_to("../originals/a.jpg")
    (media / "latest").symlink_to("shared")

    assert (unused_in(media), kept_in(media)) == ([], {Kept.LINKED: 2})


def test_symlink_to_the_folder_itself_keeps_nothing(media: Path) -> None:
    make_file(media, "photos/a.jpg")
    (media / "self").symlink_to(".")
    (media / "above").symlink_to("..")

    assert unused_in(media) == ["photos/a.jpg"]


def test_symlink_is_neither_followed_nor_moved(media: Path, tmp_path: Path) -> None:
    make_file(tmp_path, "outside/a.jpg")
    (media / "outside").symlink_to(tmp_path / "outside")

    assert unused_in(media) == []


def test_second_name_of_a_file_frees_nothing(media: Path) -> None:
    os.link(media / "photos/used.jpg", media / "photos/second.jpg")

    root = looked(media)

    assert ([one.name for one in root.unused], root.bytes) == ([b"photos/second.jpg"], 0)


def test_hidden_files_stay(media: Path) -> None:
    for name in (".htaccess", "photos/.gitkeep", ".cache/a.jpg", "photos/.tmp/deep/b.jpg"):
        make_file(media, name)

    assert (unused_in(media), kept_in(media)) == ([], {Kept.HIDDEN: 4})


def test_socket_stays(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(media)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("a.sock")

        assert (unused_in(media), kept_in(media)) == ([], {Kept.SPECIAL: 1})


@pytest.mark.parametrize("pattern", ["press/*", "press/", "*.pdf", "press/kit.pdf"])
def test_patterns_keep_files(media: Path, settings: LazySettings, pattern: str) -> None:
    make_file(media, "press/kit.pdf")
    settings.AUDITOR_KEEP = [pattern]

    assert (unused_in(media), kept_in(media)) == ([], {Kept.PATTERN: 1})


def test_patterns_of_the_command_line_keep_files_too(media: Path, settings: LazySettings) -> None:
    make_file(media, "press/kit.pdf")
    make_file(media, "b.txt")
    settings.AUDITOR_KEEP = ["*.txt"]

    assert looked(media, keep=["press/"]).kept == {Kept.PATTERN: 2}


@pytest.mark.parametrize(
    ("preset", "name"),
    [
        ("easy_thumbnails", "photos/used.jpg.100x100_q85_crop.jpg"),
        ("sorl", "cache/1a/2b/3c4d.jpg"),
        ("imagekit", "CACHE/images/photos/used/abc.jpg"),
        ("versatileimagefield", "__sized__/photos/used-thumbnail-100x100-70.jpg"),
        ("filer", "filer_public_thumbnails/x/y.png"),
        ("stdimage", "photos/used.thumbnail.jpg"),
        ("compressor", "CACHE/css/output.css"),
    ],
)
def test_files_that_other_apps_derive_stay(media: Path, settings: LazySettings, preset: str, name: str) -> None:
    make_file(media, name)
    assert unused_in(media) == [name]

    settings.AUDITOR_PRESETS = [preset]

    assert (unused_in(media), kept_in(media)) == ([], {Kept.PRESET: 1})


def test_every_preset_has_its_name_in_the_settings() -> None:
    assert set(PRESET_NAMES) == set(PRESETS)


def test_places_that_a_setting_names_stay(media: Path, settings: LazySettings) -> None:
    for name in ("static/app.css", "db/site.sqlite3", "db/site.sqlite3-wal", "cache/x.djcache", "db/other.bin"):
        make_file(media, name)
    settings.STATIC_ROOT = media / "static"
    settings.CACHES = {"default": {"BACKEND": "x", "LOCATION": str(media / "cache")}}
    settings.OTHER = [{"NAME": str(media / "db/site.sqlite3")}]

    root = looked(media)

    assert [one.name for one in root.unused] == [b"db/other.bin"]
    assert (root.kept, root.settings) == ({Kept.SETTING: 4}, ["CACHES", "OTHER", "STATIC_ROOT"])


@pytest.mark.parametrize("name", ["media/db/site.sqlite3", "file:media/db/site.sqlite3?mode=ro", "./media/db"])
def test_places_that_a_setting_names_from_where_the_command_runs_stay(
    media: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make_file(media, "db/site.sqlite3")
    monkeypatch.chdir(media.parent)
    settings.OTHER = {"NAME": name}

    assert (unused_in(media), kept_in(media)) == ([], {Kept.SETTING: 1})


@pytest.mark.parametrize("is_function", [False, True])
def test_files_that_a_field_offers_to_choose_from_stay(
    media: Path, monkeypatch: pytest.MonkeyPatch, is_function: bool
) -> None:
    make_file(media, "icons/sun.svg")
    path = str(media / "icons")
    field = FilePathField(path=(lambda: path) if is_function else path)
    field.set_attributes_from_name("icon")
    monkeypatch.setattr(field, "model", Profile, raising=False)
    monkeypatch.setattr(Profile._meta, "local_concrete_fields", [*Profile._meta.local_concrete_fields, field])

    places = keeping.places_in(real(media))

    assert places == [Place(path=os.fsencode(real(media / "icons")), setting="shapes.Profile.icon", is_folder=True)]


def test_files_in_a_folder_that_a_record_names_stay(media: Path) -> None:
    make_file(media, "bundles/one/deep/a.html")
    make_photo("bundles/one")

    assert (unused_in(media), kept_in(media)) == ([], {Kept.FOLDER: 1})


def test_files_that_a_hook_names_are_used(media: Path, settings: LazySettings, hooks: None) -> None:
    settings.MEDIA_URL = "/files/"
    for name in ("texts/a.jpg", "texts/b c.jpg", "texts/c.jpg"):
        make_file(media, name)

    @register_names
    def in_texts() -> Iterator[str]:
        yield "texts/a.jpg"
        yield "/files/texts/b%20c.jpg?size=2#top"
        yield f"{real(media)}/texts/c.jpg"

    assert unused_in(media) == []


def test_hook_that_fails_ends_the_run(media: Path, hooks: None) -> None:
    def broken() -> list[str]:
        raise KeyError("body")

    register_names(broken)

    with pytest.raises(AuditorError, match=r"broken cannot say which files are in use: KeyError: 'body'\."):
        looked(media)


def test_hook_that_names_letters_ends_the_run(media: Path, hooks: None) -> None:
    register_names(lambda: "covers/a.jpg")

    with pytest.raises(AuditorError, match="TypeError: it gave one name, not many"):
        looked(media)


def test_folder_of_another_storage_is_its_own(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records are named by their place in it, and its files by nobody else."""
    inner = make_file(media, "inner/a.jpg").parent
    field = Photo._meta.get_field("thumbnail")
    monkeypatch.setattr(field, "storage", FileSystemStorage(location=str(inner)))
    Photo.objects.update(thumbnail="a.jpg")
    make_file(media, "inner/b.jpg")

    assert unused_in(media) == []
    assert unused_in(inner) == ["b.jpg"]


def test_folder_in_which_a_storage_names_files_otherwise_is_left_out(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hashed(FileSystemStorage):
        def path(self, name: str) -> str:
            return super().path(str(hash(name)))

    monkeypatch.setattr(Photo._meta.get_field("thumbnail"), "storage", Hashed(location=str(media)))

    with pytest.raises(AuditorError, match="can be called unused: Hashed may keep a file elsewhere than its name"):
        looked(media)


@pytest.mark.parametrize("name", ["STATIC_ROOT", "STATICFILES_DIRS"])
def test_folder_that_holds_the_static_files_as_well_is_left_out(
    media: Path, settings: LazySettings, name: str
) -> None:
    setattr(settings, name, str(media.parent) if name == "STATIC_ROOT" else [str(media)])

    with pytest.raises(AuditorError, match=f"{name} is the same folder, or one above it"):
        looked(media)


def test_folder_that_holds_the_code_is_left_out(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps.get_app_config("gallery"), "path", str(media / "gallery"))

    with pytest.raises(AuditorError, match="the app gallery lies in it"):
        looked(media)
