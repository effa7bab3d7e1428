"""Records wait until their file has been missing for long enough."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from auditor.auditlog import clocks
from auditor.models import Absence, ClockReading
from deploy.gallery.models import Photo
from tests.commands.library import Person, make_library, shell
from tests.makers import make_file
from tests.removal.rows import dump

pytestmark = pytest.mark.django_db
WAITING = "Waiting: 2 records whose file has not been missing for long enough\n"


@pytest.fixture(autouse=True)
def week_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets eight days pass by all clocks."""
    up = [1_000]
    monkeypatch.setattr(clocks, "uptime", lambda: ("one start", up[0]))

    def let_pass() -> None:
        up[0] += 8 * 86_400_000
        ClockReading.objects.update(read_at=F("read_at") - timedelta(days=8))

    return let_pass


def test_what_nobody_saw_missing_before_waits_and_goes_a_week_later(
    media: Path, week_passes: Callable[[], None]
) -> None:
    make_library(media, photos=2, videos=0)

    first = shell("--force", "--min-age", "7d")
    left = Photo.objects.count()
    week_passes()
    second = shell("--force", "--min-age", "7d")

    assert (first.code, left, second.code, Photo.objects.count()) == (0, 2, 0, 0)
    assert f"\n{WAITING}  - photos/1000004108.jpg, missing for at least 0 s, 7 d are asked for\n" in first.stdout
    assert {line["fate"] for line in first.log if line["event"] == "orphan.found"} == {"waiting"}


def test_a_run_without_a_minimum_remembers_for_one_that_has_it_what_it_leaves(media: Path) -> None:
    make_library(media, photos=3, videos=0)

    shell("--force", "--limit", "1")

    assert sorted(Absence.objects.values_list("path", flat=True)) == [
        "photos/1000004102.jpg",
        "photos/1000004105.jpg",
    ]


@pytest.mark.parametrize("flags", [["--force", "--max-orphans", "1"], []], ids=["refused", "answered no"])
def test_a_run_that_deletes_nothing_remembers_what_is_missing(
    media: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    make_library(media, photos=2, videos=0)
    monkeypatch.setattr("sys.stdin", Person("no\n"))

    ran = shell(*flags)

    assert (ran.code, Absence.objects.count()) == (6 if flags else 1, 2)


def test_a_selection_does_not_make_the_others_young_again(media: Path, week_passes: Callable[[], None]) -> None:
    make_library(media, photos=2, videos=0)
    shell("--force", "--min-age", "7d")
    week_passes()

    shell("--force", "--min-age", "7d", "--path", "photos/1000004108")
    second = shell("--force", "--min-age", "7d")

    assert (second.code, Photo.objects.count()) == (0, 0)


def test_a_file_that_came_back_begins_anew(media: Path, week_passes: Callable[[], None]) -> None:
    make_library(media, photos=1, videos=0)
    shell("--force", "--min-age", "7d")
    back = make_file(media, "photos/1000004108.jpg")
    shell("--force", "--min-age", "7d")
    back.unlink()
    week_passes()

    ran = shell("--force", "--min-age", "7d")

    assert (ran.code, Photo.objects.count()) == (0, 1)


def test_a_dry_run_remembers_nothing(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    before = dump()

    ran = shell("--dry-run", "--min-age", "7d")

    assert (ran.code, dump()) == (0, before)


def test_waiting_records_are_no_alarm(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    assert shell("--check", "--min-age", "7d").code == 0


def test_what_is_no_length_of_time_is_wrong_usage(media: Path) -> None:
    ran = shell("--dry-run", "--min-age", "a week")

    assert (ran.code, ran.log[-1]["message"]) == (
        2,
        "--min-age must be a length of time such as 90s, 30m, 12h, 7d or 2w, not 'a week'.",
    )
