"""A folder that cannot be believed is said to be so, and nothing in it is called missing."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage

from auditor.integrity.reading import Reader
from auditor.marker import MARKER
from auditor.models import OpenFinding, Root
from tests.integrity.checking import check, found, kinds, lines, make_sound
from tests.makers import make_file, make_known, make_photo, real
from tests.marking import OTHERS, put_marker
from tests.shapes.models import Archived

pytestmark = pytest.mark.django_db


def ends_with(message: str, media: Path) -> None:
    ran = check("--check")
    assert (ran.code, ran.log[-1]["message"]) == (5, message.format(real(media)))
    assert (found(ran), OpenFinding.objects.count()) == ([], 0)


def test_folder_that_is_absent_is_refused(media: Path) -> None:
    make_photo("photos/a.jpg")
    media.rmdir()

    ends_with("The media root {} cannot be read: No such file or directory.", media)


def test_folder_without_its_marker_is_refused(media: Path) -> None:
    make_sound(media)
    make_photo("photos/gone.jpg")
    (media / MARKER).unlink()

    ends_with("The media root {} has lost its marker: this is what an unmounted volume looks like.", media)


def test_folder_with_a_foreign_marker_is_refused(media: Path) -> None:
    make_sound(media)
    (media / MARKER).unlink()
    put_marker(media, OTHERS)

    ends_with("The media root {} has the marker of another folder: this is what a wrong mount looks like.", media)


def test_new_folder_with_not_one_file_of_a_record_is_not_read_as_everything_missing(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "css/site.css")

    ends_with(
        "Not one file that a record names is in {}: "
        "this is what an unmounted volume or a wrong MEDIA_ROOT looks like.",
        media,
    )


def test_new_folder_with_one_file_of_a_record_is_believed(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_photo("photos/here.jpg", media=media)

    ran = check("--check")

    assert (ran.code, [path for _, path, _ in found(ran)]) == (3, ["photos/gone.jpg"])
    assert Root.objects.filter(marker__isnull=False).count() == 0


def test_one_folder_of_two_that_is_away_is_said_and_the_other_is_checked(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = media.with_name("away")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=away))
    Archived._base_manager.bulk_create([Archived(file="a.txt")])
    make_sound(media)
    make_photo("photos/gone.jpg")

    ran = check()

    assert (ran.code, [path for _, path, _ in found(ran)]) == (5, ["photos/gone.jpg"])
    assert [(line["what"], line["reason"]) for line in lines(ran, "check.omitted")] == [
        (real(away), f"The media root {real(away)} cannot be read: No such file or directory")
    ]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_folder_that_goes_while_the_records_are_read_is_refused(
    media: Path, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    make_sound(media, "photos/a.jpg")
    make_file(media, "tmp/left.bin")
    honest = Reader.read

    def read_once_it_has_gone(reader: Reader, *rest: Any) -> Any:
        if media.exists() and not (media / "new").exists():
            media.rename(media.with_name("elsewhere"))
            if is_replaced:
                (media / "new").mkdir(parents=True)
        return honest(reader, *rest)

    monkeypatch.setattr(Reader, "read", read_once_it_has_gone)

    ran = check("--check")

    assert (ran.code, found(ran), OpenFinding.objects.count()) == (5, [], 0)


def test_one_folder_of_two_that_goes_leaves_open_which_files_are_unused(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = media.with_name("other")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=other))
    Archived._base_manager.bulk_create([Archived(file="a.txt")])
    make_file(other, "a.txt")
    make_sound(media)
    make_file(media, "tmp/left.bin")
    honest = Reader.read

    def read_once_it_has_gone(reader: Reader, *rest: Any) -> Any:
        if other.exists():
            other.rename(media.with_name("elsewhere"))
        return honest(reader, *rest)

    monkeypatch.setattr(Reader, "read", read_once_it_has_gone)

    ran = check()

    assert (ran.code, kinds(ran), "unused" in ran.log[-1]) == (5, {}, False)
    assert [line["what"] for line in lines(ran, "check.omitted")] == [real(other), "unused files"]


def test_folder_that_goes_is_left_out_of_the_figures(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = media.with_name("other")
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=other))
    Archived._base_manager.bulk_create([Archived(file="a.txt")])
    other.mkdir()
    make_sound(media)

    ran = check()

    assert (ran.code, kinds(ran)) == (5, {})
    assert {line["model"] for line in lines(ran, "model.measured") if line["records"]} == {"gallery.Photo"}


def test_volume_that_is_not_mounted_makes_its_names_unknown(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "volume/b.jpg")
    Root.objects.update(mounts=["volume"])

    assert found(check()) == [("unknown", "volume/b.jpg", "the file system at volume is not mounted")]


def test_field_whose_storage_nobody_can_judge_is_said_to_be_left_out(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere(FileSystemStorage):
        def path(self, name: str) -> str:
            return super().path(f"x/{name}")

    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", Elsewhere(location=media))
    Archived._base_manager.bulk_create([Archived(file="photos/unused.jpg")])
    make_sound(media)
    make_file(media, "photos/unused.jpg")

    ran = check("--list")

    assert found(ran) == []
    assert [line["what"] for line in lines(ran, "check.omitted")] == ["unused files", "shapes.Archived.file"]


def test_library_without_a_record_is_fine(media: Path, settings: LazySettings) -> None:
    make_known(media)

    assert check("--check").code == 0
