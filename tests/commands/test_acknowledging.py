"""A loss that is known is not reported again, until somebody takes that back or the record names another file."""

from pathlib import Path

import pytest

from auditor.auditlog import store
from auditor.auditlog.events import LossAcknowledged, from_stored
from auditor.models import Acknowledgement
from deploy.gallery.models import Photo
from tests.commands.library import make_library, shell
from tests.makers import make_file, make_photo

pytestmark = pytest.mark.django_db


def found(*flags: str) -> list[str]:
    """The names that a dry run reports."""
    return [line["path"] for line in shell("--dry-run", *flags).log if line["event"] == "orphan.found"]


def test_acknowledged_losses_are_not_reported_and_their_records_stay(media: Path) -> None:
    make_library(media, photos=3, videos=0)

    ran = shell("--acknowledge", "--path", "photos/1000004108")
    after = shell("--force")

    assert ran.stdout.endswith("\nAcknowledged: 1 record will not be reported again. Nothing was deleted.\n")
    assert (ran.code, after.code) == (0, 0)
    assert "Photos: 2 orphaned out of 3 total\n" in after.stdout
    assert "\nAcknowledged: 1 known loss (--acknowledged lists them)\n" in after.stdout
    assert list(Photo.objects.values_list("image", flat=True)) == ["photos/1000004108.jpg"]
    assert after.log[-1]["acknowledged_total"] == 1


def test_an_acknowledged_loss_does_not_alarm_anybody(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    shell("--acknowledge")

    ran = shell("--check")

    assert (ran.code, ran.log[-1]["orphans_total"]) == (0, 0)
    assert "Database is clean" not in ran.stdout
    assert ran.stdout.endswith("\nAcknowledged: 1 known loss (--acknowledged lists them)\n")


def test_acknowledged_losses_are_listed(media: Path) -> None:
    make_library(media, photos=2, videos=0)
    shell("--acknowledge")

    ran = shell("--acknowledged")

    rows = Acknowledgement.objects.order_by("pk")
    lines = [
        f"  - {row.name} (gallery.Photo:{row.key}, {row.acknowledged_at:%Y-%m-%d %H:%M} UTC, {row.user})"
        for row in rows
    ]
    assert ran.stdout == "\n".join(["Acknowledged: 2 known losses", *lines]) + "\n"
    assert [line["path"] for line in ran.log if line["event"] == "loss.acknowledged"] == [row.name for row in rows]


def test_acknowledging_is_an_event(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    ran = shell("--acknowledge")

    [event] = [from_stored(stored) for _, stored in store.read(using="default")]
    assert isinstance(event, LossAcknowledged)
    assert (event.path, event.model, event.field) == ("photos/1000004108.jpg", "gallery.Photo", "image")
    assert (str(event.run_id), event.root is not None) == (ran.log[0]["run_id"], True)


def test_what_is_taken_back_is_reported_again(media: Path) -> None:
    make_library(media, photos=3, videos=0)
    shell("--acknowledge")

    ran = shell("--unacknowledge", "--path", "photos/1000004105")

    assert (ran.code, ran.stdout) == (0, "1 record will be reported again.\n")
    assert found() == ["photos/1000004105.jpg"]


def test_a_record_that_names_another_missing_file_is_reported_again(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    shell("--acknowledge")
    Photo.objects.update(image="photos/other.jpg")

    assert found() == ["photos/other.jpg"]


def test_acknowledging_twice_is_once(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    shell("--acknowledge")
    Photo.objects.update(image="photos/other.jpg")

    ran = shell("--acknowledge")

    assert ran.code == 0
    assert list(Acknowledgement.objects.values_list("name", flat=True)) == ["photos/other.jpg"]


def test_a_file_that_came_back_is_no_loss(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    shell("--acknowledge")
    make_file(media, "photos/1000004108.jpg")

    ran = shell("--dry-run")

    assert "Acknowledged" not in ran.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--acknowledge", "--force"], "--acknowledge and --force contradict each other."),
        (["--acknowledge", "--dry-run"], "--dry-run and --acknowledge contradict each other."),
        (["--acknowledged", "--unacknowledge"], "--acknowledged and --unacknowledge contradict each other."),
    ],
    ids=str,
)
def test_flags_of_two_minds_are_refused(media: Path, flags: list[str], message: str) -> None:
    ran = shell(*flags)

    assert (ran.code, ran.log[-1]["message"]) == (2, message)


def test_an_empty_folder_is_no_loss_that_could_be_known(media: Path) -> None:
    make_photo("photos/gone.jpg")

    ran = shell("--acknowledge")

    assert (ran.code, Acknowledgement.objects.count()) == (5, 0)


def test_an_acknowledgement_ends_when_the_file_is_back(media: Path) -> None:
    make_library(media, photos=1, videos=0)
    shell("--acknowledge")
    back = make_file(media, "photos/1000004108.jpg")
    shell("--force")
    back.unlink()

    assert found() == ["photos/1000004108.jpg"]


def test_what_waits_is_not_acknowledged(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    ran = shell("--acknowledge", "--min-age", "7d")

    assert (ran.code, Acknowledgement.objects.count()) == (0, 0)


def test_acknowledgements_of_one_model_are_taken_back_alone(media: Path) -> None:
    make_library(media, photos=2, videos=1)
    shell("--acknowledge")

    ran = shell("--unacknowledge", "--model", "gallery.Video")

    assert ran.stdout == "1 record will be reported again.\n"
    assert set(Acknowledgement.objects.values_list("model", flat=True)) == {"gallery.Photo"}
