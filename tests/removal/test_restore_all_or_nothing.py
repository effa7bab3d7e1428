"""A restore is all or nothing, keeps the counters right, and leaves its mark in the audit log."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.utils import OperationalError

from auditor.auditlog import store
from auditor.auditlog.events import RecordRestored, RunCompleted, from_stored
from auditor.models import Run, Tombstone
from auditor.removal.restore import restore
from auditor.removal.restore_plan import Wish
from auditor.removal.runs import one_run_at_a_time, restorable_runs
from deploy.gallery.models import Photo, Rendition, Tag, Video
from tests.commands.programs import NAME
from tests.makers import make_file, make_photo, real
from tests.removal.interrupting import Interruption, interrupted_at
from tests.removal.killing import PATIENCE, Killer
from tests.removal.removing import RUN, planned
from tests.removal.restoring import AGAIN, EVERYTHING, restored, site_rows
from tests.removal.rows import dump
from tests.removal.test_all_or_nothing import make_gallery, until_nobody_is_connected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("disk full"), Interruption()], ids=["error", "interrupt"])
def test_error_at_any_statement_leaves_every_table_as_it_was(media: Path, error: BaseException) -> None:
    make_gallery(media, photos=2)
    whole = site_rows()
    planned().execute()
    before, statement = dump(), 0

    while interrupted_at(statement, error, restored):
        assert dump() == before, f"statement {statement}"
        statement += 1

    assert statement > 30
    assert site_rows() == whole


@pytest.mark.django_db(transaction=True)
def test_error_at_the_commit_leaves_every_table_as_it_was(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_gallery(media, photos=2)
    planned().execute()
    before = dump()

    def fail() -> None:
        raise OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", fail)
        with pytest.raises(OperationalError):
            restored()

    assert dump() == before


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_restore_that_is_killed_at_a_random_moment_is_whole_or_never_was(media: Path) -> None:
    chance, ends = random.Random(3), Counter[str]()
    make_gallery(media, photos=20)
    whole = site_rows()

    with Killer("restore") as killer:
        clean_again()
        undisturbed = killer.run()
        assert is_restored(whole)
        for moment in [0.0, *(chance.uniform(0, 1.5 * undisturbed) for _ in range(8)), PATIENCE]:
            clean_again()
            before = dump()
            killer.run(kill_after=moment)
            until_nobody_is_connected()
            end = "before" if dump() == before else "after"
            ends[end] += 1
            with one_run_at_a_time("default"):  # its lock died with it
                if end == "before":
                    restore_the_rest()
            assert is_restored(whole)

    assert min(ends["before"], ends["after"]) > 0


def clean_again() -> None:
    planned().execute(run=replace(RUN, uid=uuid4()))


def restore_the_rest() -> None:
    for run in restorable_runs("default"):
        restore(run.uid, EVERYTHING, replace(AGAIN, uid=uuid4()), using="default")


def is_restored(whole: dict[str, list[tuple[Any, ...]]]) -> bool:
    """Whether every row is as it was, and every run that deleted was undone by one other, and the log says so."""
    runs = Counter(Run.objects.values_list("command", flat=True))
    told = Counter(event.type for _, event in store.read(using="default"))
    return (
        site_rows() == whole
        and not Tombstone.objects.filter(restored_at=None).exists()
        and runs[NAME] == runs["restore_orphaned_media"]
        and told["record.deleted"] == told["record.restored"] == 40 * runs[NAME]
    )


@pytest.mark.django_db(transaction=True)
def test_keys_that_were_brought_back_are_not_given_out_again(media: Path) -> None:
    make_gallery(media, photos=3)
    highest = max(Rendition.objects.values_list("pk", flat=True))
    planned().execute()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as if the database had been loaded anew
            cursor.execute("SELECT setval(pg_get_serial_sequence('gallery_rendition', 'id'), 1)")

    restored()

    new = Rendition.objects.create(photo=Photo.objects.all()[0], width=1, file="x")
    assert new.pk > highest


@pytest.mark.django_db(transaction=True)
def test_counter_that_is_ahead_stays_there(media: Path) -> None:
    make_gallery(media, photos=1)
    planned().execute()
    ahead = [make_photo(f"photos/later-{number}.jpg") for number in range(3)]
    latest = ahead[-1].pk
    for photo in ahead:
        photo.delete()

    restored()

    assert make_photo("photos/new.jpg").pk > latest


@pytest.mark.django_db
def test_log_and_run_tell_what_came_back(media: Path) -> None:
    make_file(media, "kept.bin")
    tag = Tag.objects.create(name="sea")
    for number in (1, 2):
        make_photo(f"photos/{number}.jpg", pk=number).tags.add(tag)
    planned("gallery.Photo").execute()
    make_file(media, "photos/1.jpg")
    removed = store.head_position("default")

    done = restored(Wish())

    root = store.register_root(real(media), using="default")
    run = Run.objects.get(uid=AGAIN.uid)
    told = [from_stored(stored) for _, stored in store.read(after=removed, using="default")]
    assert told == [
        RecordRestored(
            root=root.pk,
            path="photos/1.jpg",
            occurred_at=run.finished_at,
            run_id=AGAIN.uid,
            model="gallery.Photo",
            key="1",
            field="image",
            deleted_by=str(RUN.uid),
        ),
        RunCompleted(
            occurred_at=run.finished_at,
            run_id=AGAIN.uid,
            command="restore_orphaned_media",
            deleted={},
            cascade={"gallery.Photo_tags": 1},
            kept={"gallery.Photo": 1},
            restored={"gallery.Photo": 1},
        ),
    ]
    assert [one.position for one in done.restored] == [removed + 1]
    assert (run.command, run.user, run.kept) == (AGAIN.command, "ben", 1)
    assert set(Tombstone.objects.exclude(restored_at=None).values_list("restored_at", flat=True)) == {run.finished_at}


@pytest.mark.django_db
def test_link_between_two_records_comes_back_with_the_second(media: Path) -> None:
    make_gallery(media, photos=1)
    photo, video = Photo.objects.get(), Video.objects.get()
    before = site_rows()
    planned().execute()

    restored(Wish(only=(f"gallery.Video:{video.pk}",), with_missing_files=True), number=2)
    assert (Photo.objects.count(), Video.objects.count(), Rendition.objects.count()) == (0, 1, 0)
    [run] = restorable_runs("default")
    assert (run.uid, run.records) == (RUN.uid, 1)
    restored(Wish(only=(f"gallery.Photo:{photo.pk}",), with_missing_files=True), number=3)

    assert site_rows() == before
    assert restorable_runs("default") == []
