"""The page of a run: who ran it and how, what it did, and why."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from auditor.auditlog.events import DirectoryDeleted
from auditor.models import Event, Run, Tombstone
from tests.answers.happening import RUN, append, at, deleted, ran, root_of
from tests.makers import make_file, make_known, make_photo, real
from tests.pages.visiting import ADMIN, cells_of, cleaned, text_of, visitor
from tests.running import run as call

pytestmark = pytest.mark.django_db


def page_of(client: Client, run: Run) -> str:
    return text_of(client.get(f"{ADMIN}/run/{run.uid}/change/"))


def test_it_says_who_ran_it_with_which_options_and_what_it_did(admin_client: Client, media: Path) -> None:
    run = cleaned(media)

    text = page_of(admin_client, run)

    assert f"Command cleanup_orphaned_media --force --max-orphans 5 Run by {run.user}" in text
    assert "Of 8 rows, 8 wait to be brought back." in text
    assert "Deleted, as the file was gone gallery.Photo 2" in text
    assert "Along with them gallery.Photo.tags 2 gallery.Rendition 2" in text.replace("Photo_tags", "Photo.tags")
    assert "Keys set anew gallery.Album.cover 2" in text


def test_evidence_of_each_record_is_what_the_log_had_heard(admin_client: Client, media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    root = root_of(media)
    names = ("photos/seen.jpg", "albums/2024/below.jpg", "photos/unheard.jpg")
    for key, name in enumerate(names, 1):
        make_photo(name, pk=key)
    append(deleted(root, "photos/seen.jpg", 131))
    append(DirectoryDeleted(root=root.pk, path="albums", occurred_at=at(140), cause="removed"))
    call("cleanup_orphaned_media", "--force")
    append(deleted(root, "photos/unheard.jpg", 150))

    rows = cells_of(admin_client.get(f"{ADMIN}/run/{Run.objects.get().uid}/change/"))

    assert sorted([row[2:] for row in rows if row[4]]) == [
        [
            "gallery.Photo:1",
            "photos/seen.jpg",
            "missing",
            "2026-03-01 10:02:11: It was seen vanishing.",
        ],
        [
            "gallery.Photo:2",
            "albums/2024/below.jpg",
            "missing",
            "2026-03-01 10:02:20: albums/ was removed, with all that was in it.",
        ],
        [
            "gallery.Photo:3",
            "photos/unheard.jpg",
            "missing",
            "A look at the disk found no such file; the log had not heard it vanish.",
        ],
    ]


def test_evidence_that_was_archived_is_not_called_unheard_of(
    admin_client: Client, media: Path, tmp_path: Path
) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    append(deleted(root_of(media), "photos/seen.jpg", 131))
    call("audit_log", "prune", "--before", "2100-01-01", "--into", str(tmp_path))
    make_photo("photos/seen.jpg")
    call("cleanup_orphaned_media", "--force")

    text = page_of(admin_client, Run.objects.get())

    assert "the log had not heard it vanish. Older events, up to position 1, are archived." in text


def test_an_undone_run_names_the_run_that_undid_it(admin_client: Client, media: Path) -> None:
    run = cleaned(media)
    call("restore_orphaned_media", str(run.uid), "--force")
    undoing = Run.objects.exclude(uid=run.uid).get()

    assert f"Undone by run {undoing.uid} at" in page_of(admin_client, run)
    assert "Of 8 rows, 4 wait to be brought back, 4 were brought back." in page_of(admin_client, run)
    assert f"Brought back from run {str(run.uid)[:8]}." in page_of(admin_client, undoing)


def test_a_run_without_an_end_says_so(admin_client: Client) -> None:
    ran(RUN, "cleanup_unused_files", 0)

    text = page_of(admin_client, Run.objects.get())

    assert "It has not written that it reached its end." in text
    assert "The audit log has nothing of it: it wrote nothing, or that was archived." in text
    assert "Nothing: it has deleted and changed no record." in text


def test_only_the_first_rows_of_a_large_run_are_looked_at(
    admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.pages.run.MOST_STONES", 5)

    assert "Of the first 5 rows, 5 wait to be brought back." in page_of(admin_client, cleaned(media))


def test_evidence_is_paged(admin_client: Client, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.pages.run.ROWS", 2)
    run = cleaned(media)
    last = Event.objects.filter(run_id=run.uid).order_by("-position")[1].position

    first = admin_client.get(f"{ADMIN}/run/{run.uid}/change/")

    assert (len(cells_of(first)), f"?before={last}" in first.content.decode()) == (2, True)
    assert len(cells_of(admin_client.get(f"{ADMIN}/run/{run.uid}/change/", {"before": str(last)}))) == 1


def test_the_restore_is_offered_to_those_who_may(media: Path) -> None:
    run = cleaned(media)
    may, may_not = visitor("view_run", "restore_run", name="may"), visitor("view_run", name="may-not")

    assert "Restore what it deleted" in page_of(may, run)
    assert "You may not restore it" in page_of(may_not, run)


def test_a_tombstone_says_whether_it_was_changed(admin_client: Client, media: Path) -> None:
    cleaned(media)
    stone = Tombstone.objects.filter(model="gallery.Photo").earliest("id")
    address = f"{ADMIN}/tombstone/{stone.pk}/change/"
    honest = text_of(admin_client.get(address))
    Tombstone.objects.filter(pk=stone.pk).update(payload='{"forged": 1}')

    assert '"image": "photos/1.jpg"' in honest
    assert f"{stone.sha256} (fits)" in honest
    assert f"{stone.sha256} (does not fit: what is kept was changed)" in text_of(admin_client.get(address))


def test_an_event_of_a_refused_run_leads_to_what_that_run_wrote(admin_client: Client, media: Path) -> None:
    run = uuid4()
    append(deleted(root_of(media), "a.jpg", run=run), deleted(root_of(media), "b.jpg", run=RUN))
    ran(RUN, "cleanup_unused_files", 0)

    pages = [admin_client.get(f"{ADMIN}/event/{number}/change/").content.decode() for number in (1, 2)]

    assert f'href="{ADMIN}/event/?q={run}"' in pages[0]
    assert f'href="{ADMIN}/run/{RUN}/change/"' in pages[1]


def test_evidence_is_found_by_the_index_of_names(admin_client: Client, media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    make_photo("photos/2024/gone.jpg")
    call("cleanup_orphaned_media", "--force")
    address = f"{ADMIN}/run/{Run.objects.get().uid}/change/"

    with CaptureQueriesContext(connection) as asked:
        admin_client.get(address)

    # A database that is given their types as well may go through all events of these.
    of_names = [one["sql"] for one in asked if '"auditor_event"."path" = ' in one["sql"]]
    assert (len(of_names), [sql for sql in of_names if '"type" ' in sql.partition("WHERE")[2]]) == (3, [])


def test_an_event_says_with_which_batch_it_was_sealed(admin_client: Client, media: Path) -> None:
    batch = append(deleted(root_of(media), "a.jpg", run=uuid4()))

    text = text_of(admin_client.get(f"{ADMIN}/event/1/change/"))

    assert f"seal {batch.seal}" in text
    assert real(media) in text
    assert '"cause": "unlinked"' in text
