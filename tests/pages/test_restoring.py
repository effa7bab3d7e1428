"""The restore in the admin: the plan first, and then the very command."""

import json
from pathlib import Path

import pytest
from django.db import connections

from auditor.locks import Lock
from auditor.models import Run, Tombstone
from auditor.removal.runs import CLEAN_UP
from deploy.gallery.models import Album, Photo
from tests.pages.visiting import ADMIN, cleaned, text_of, visitor
from tests.removal.restoring import site_rows

pytestmark = pytest.mark.django_db
MAY = ("view_run", "restore_run")


def address(run: Run) -> str:
    return f"{ADMIN}/run/{run.uid}/restore/"


def test_the_page_shows_the_plan_and_changes_nothing(media: Path) -> None:
    run, client = cleaned(media), visitor(*MAY)
    before = site_rows()

    text = text_of(client.get(address(run)))

    assert "To restore: 1 record photos/1.jpg (gallery.Photo:1)" in text
    assert "Stay away: 1 record gallery.Photo:2: photos/2.jpg: the file is missing" in text
    assert "With them: 1 rendition, 1 tag link Set again: 1 album cover" in text
    assert "Restore 1 record" in text
    assert (site_rows(), Run.objects.count()) == (before, 1)


def test_a_confirmed_restore_is_that_of_the_command(media: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = cleaned(media)

    answer = visitor(*MAY).post(address(run), follow=True)

    assert answer.redirect_chain == [(f"{ADMIN}/run/{run.uid}/change/", 302)]
    assert "The records are back, but for those that stay away." in text_of(answer)
    assert list(Photo.objects.values_list("pk", "image")) == [(1, "photos/1.jpg")]
    done = Run.objects.exclude(uid=run.uid).get()
    assert (done.command, done.user) == ("restore_orphaned_media", "anna in the admin")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines if line["run_id"] == str(done.uid)] == [
        "run.started",
        "restore.planned",
        "record.restorable",
        "restore.away",
        "record.restored",
        "restore.completed",
    ]


def test_everything_comes_back_with_its_missing_files(media: Path) -> None:
    run = cleaned(media)

    answer = visitor(*MAY).post(address(run), {"with_missing_files": "on"}, follow=True)

    assert "The records are back." in text_of(answer)
    assert Photo.objects.count() == 2
    assert not Tombstone.objects.filter(restored_at=None).exists()


def test_conflicts_are_shown_first_and_nothing_can_be_confirmed(media: Path) -> None:
    run = cleaned(media)
    Album.objects.get(name="Album 1").delete()
    client = visitor(*MAY)

    page, answer = client.get(address(run)), client.post(address(run))

    text = text_of(page)
    assert text.index("There are conflicts, so nothing would be restored.") < text.index("Conflicts: 1 row")
    assert "gallery.Photo:1: its album_id points to gallery.Album:" in text
    assert "Restore 1 record" not in text
    assert (answer.status_code, Photo.objects.count(), Run.objects.count()) == (409, 0, 1)
    assert "Nothing was restored: below is what stands in the way, and what stays away." in text_of(answer)


def test_a_restore_of_nothing_is_not_called_one(media: Path) -> None:
    run = cleaned(media)
    (media / "photos/1.jpg").unlink()
    client = visitor(*MAY)

    page, answer = client.get(address(run)), client.post(address(run))

    assert "Nothing can come back now. Stay away: 2 records" in text_of(page)
    assert (answer.status_code, Photo.objects.count(), Run.objects.count()) == (409, 0, 1)
    assert "Nothing was restored" in text_of(answer)


def test_long_lists_are_cut_and_say_so(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.pages.restoring.SHOWN", 1)
    run = cleaned(media)

    text = text_of(visitor(*MAY).get(address(run), {"with_missing_files": "on"}))

    assert "To restore: 2 records photos/1.jpg (gallery.Photo:1) … and 1 more" in text


def test_conflicts_can_be_left_out(media: Path) -> None:
    run = cleaned(media)
    Album.objects.get(name="Album 1").delete()
    wish = {"with_missing_files": "on", "skip_conflicts": "on"}
    client = visitor(*MAY)

    assert "Restore 1 record" in text_of(client.get(address(run), wish))
    client.post(address(run), wish)

    assert list(Photo.objects.values_list("pk", flat=True)) == [2]


def test_a_run_at_work_is_a_refusal_with_its_own_words(media: Path) -> None:
    run = cleaned(media)
    lock = Lock(CLEAN_UP, using="default")
    assert lock.acquire()

    answer = visitor(*MAY).post(address(run))
    lock.release()

    assert answer.status_code == 409
    assert "Another clean-up or restore is at work on this database:" in text_of(answer)
    assert Photo.objects.count() == 0


def test_a_run_without_anything_to_bring_back_says_so(media: Path) -> None:
    run = cleaned(media)
    client = visitor(*MAY)
    client.post(address(run), {"with_missing_files": "on"})

    again = client.post(address(run))

    assert "No runs with something to bring back have an id that begins with" in text_of(again)
    assert "Nothing can come back now." in text_of(client.get(address(run)))


def test_only_those_who_may_restore_see_the_page_or_restore(media: Path) -> None:
    run = cleaned(media)
    clients = [visitor("view_run", name="viewer"), visitor("restore_run", name="blind")]

    assert [client.get(address(run)).status_code for client in clients] == [403, 403]
    assert [client.post(address(run)).status_code for client in clients] == [403, 403]
    assert (Photo.objects.count(), Run.objects.count()) == (0, 1)


def test_a_post_from_elsewhere_is_refused(media: Path) -> None:
    run = cleaned(media)

    assert visitor(*MAY, checks=True).post(address(run)).status_code == 403
    assert (Photo.objects.count(), Run.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_site_with_atomic_requests_can_restore(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    run = cleaned(media)

    visitor(*MAY).post(address(run))

    assert Photo.objects.count() == 1
