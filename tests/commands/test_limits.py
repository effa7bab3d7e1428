"""Above a limit nothing at all is deleted, and everybody hears of it."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from deploy.gallery.models import Photo, Video
from tests.commands.library import make_library, shell
from tests.makers import make_file
from tests.shapes.models import Lock, Locked

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(media: Path) -> Path:
    """Ten photos of which four are gone, ten videos of which one is."""
    make_library(media, photos=10, videos=10, with_files=True)
    for number in range(4):
        (media / f"photos/{1000004108 - 3 * number}.jpg").unlink()
    (media / "videos/1000004108.mp4").unlink()
    return media


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        (["5"], []),
        (["4"], [("", 5, 20, "4")]),
        (["40%"], []),
        (["39.9%"], [("gallery.Photo", 4, 10, "39.9%")]),
        (["0"], [("gallery.Photo", 4, 10, "0"), ("gallery.Video", 1, 10, "0"), ("", 5, 20, "0")]),
        (["gallery.Video=0"], [("gallery.Video", 1, 10, "0")]),
        (["run=24%"], [("", 5, 20, "24%")]),
        (["3", "gallery.Photo=4", "run=10"], []),
    ],
    ids=str,
)
def test_a_run_above_its_limit_is_refused_loudly(
    library: Path, limits: list[str], exceeded: list[tuple[str, int, int, str]]
) -> None:
    ran = shell("--force", *(f"--max-orphans={limit}" for limit in limits))

    told = [
        (line["model"], line["orphans"], line["total"], line["limit"])
        for line in ran.log
        if line["event"] == "limit.exceeded"
    ]
    assert told == exceeded
    assert (ran.code, Photo.objects.count(), Video.objects.count()) == ((6, 10, 10) if exceeded else (0, 6, 9))
    assert "Photos: 4 orphaned out of 10 total\nVideos: 1 orphaned out of 10 total\n" in ran.stdout
    assert ran.stdout.count("Limit: ") == len(exceeded)


def test_the_refusal_names_the_next_command_and_that_command_goes_through(library: Path) -> None:
    refused = shell("--force", "--max-orphans", "10%")
    allowed = shell("--force", "--max-orphans", "4", "--max-orphans", "run=5")

    assert refused.log[-1]["hint"] == (
        "If the report above is right, run: python manage.py cleanup_orphaned_media --force --max-orphans 5"
    )
    assert (refused.code, allowed.code, Photo.objects.count()) == (6, 0, 6)


def test_the_setting_is_the_limit_where_no_flag_is_given(library: Path, settings: LazySettings) -> None:
    settings.AUDITOR_MAX_ORPHANS = "20%"

    by_setting, by_flag = shell("--force"), shell("--force", "--max-orphans", "100%")

    assert (by_setting.code, by_flag.code) == (6, 0)


def test_a_dry_run_tells_of_the_limit_and_ends_well(library: Path) -> None:
    ran = shell("--dry-run", "--max-orphans", "1")

    assert (ran.code, ran.log[-1]["limit_exceeded"]) == (0, True)
    assert "\nLimit: 4 of 10 photos would be deleted, more than 1.\n" in ran.stdout


def test_batches_do_not_get_round_the_limit(library: Path) -> None:
    ran = shell("--force", "--limit", "1", "--max-orphans", "4")

    assert (ran.code, Photo.objects.count()) == (6, 10)


def test_a_batch_deletes_so_many_and_says_what_is_left(library: Path) -> None:
    ran = shell("--force", "--limit", "3")

    assert (ran.code, Photo.objects.count(), Video.objects.count()) == (0, 7, 10)
    assert "\nNot now: 2 records beyond --limit\n" in ran.stdout


@pytest.mark.parametrize("text", ["many", "-1", "gallery.Photo=x", "5%%"])
def test_what_is_no_limit_is_wrong_usage(media: Path, text: str) -> None:
    ran = shell("--dry-run", f"--max-orphans={text}")

    wrong = text.rpartition("=")[2]
    assert (ran.code, ran.log[-1]["message"]) == (
        2,
        f"--max-orphans: {wrong!r} is neither a number of records nor a percentage such as '5%'.",
    )


def test_a_selection_says_what_it_leaves_out(library: Path) -> None:
    make_file(library, "photos/1000004108.jpg")

    ran = shell("--force", "--path", "videos/")

    assert (ran.code, Photo.objects.count(), Video.objects.count()) == (0, 10, 9)
    assert "\nNot selected: 3 orphaned records\n" in ran.stdout
    assert ran.log[-1]["unselected_total"] == 3


def test_a_limit_for_a_model_that_is_none_is_wrong_usage(media: Path) -> None:
    ran = shell("--dry-run", "--max-orphans", "gallery.Foto=5%")

    assert (ran.code, ran.log[-1]["message"]) == (2, "--max-orphans: No installed app has a model 'gallery.Foto'.")


def test_a_limit_is_for_the_model_however_it_is_written(library: Path) -> None:
    ran = shell("--force", "--max-orphans", "gallery.photo=0")

    assert (ran.code, Photo.objects.count()) == (6, 10)


def test_a_limit_for_one_model_leaves_those_of_the_settings(library: Path, settings: LazySettings) -> None:
    settings.AUDITOR_MAX_ORPHANS = 2

    ran = shell("--force", "--max-orphans", "gallery.Video=99")

    assert (ran.code, Photo.objects.count()) == (6, 10)


@pytest.mark.parametrize("flag", ["--max-orphans=", "--path=", "--exclude=", "--album="])
def test_an_empty_variable_of_a_shell_is_wrong_usage(library: Path, flag: str) -> None:
    ran = shell("--force", flag)

    assert (ran.code, Photo.objects.count()) == (2, 10)


def test_protected_records_do_not_use_a_batch_up(media: Path) -> None:
    make_library(media, photos=0, videos=0)
    locked = [Locked.objects.create(file=f"locked/{number}") for number in range(5)]
    for one in locked[:3]:
        Lock.objects.create(target=one)

    ran = shell("--force", "--limit", "2", "--model", "shapes.Locked")

    assert (ran.code, list(Locked.objects.all())) == (4, locked[:3])
