"""`audit_log verify`: every way to change the log, and whether it shows."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.db import connection

from auditor import conf
from auditor.auditlog import append_only
from auditor.auditlog.events import FileCreated, FileDeleted, FileMoved, RunCompleted
from auditor.auditlog.seal import events_hash
from auditor.auditlog.store import seal_of
from auditor.auditlog.verifying import Fault, Place, verify
from auditor.checks import check_settings
from auditor.errors import AuditorError
from auditor.models import Batch, Event, Head, Verified
from tests.answers import tampering
from tests.answers.happening import NAME, RUN, append, at, deleted, root_of
from tests.answers.tampering import Tampering, stored
from tests.running import Ran, run

pytestmark = pytest.mark.django_db

HASH = "29839ec05e1e89c724500af67adc801cd1ec3b3b21f0a66a34e2ef379c603585"
SEAL = "17b50fed47b0b0b31d0f57b2cd1bfb7a200aafd72320ba92f56edc1e825c8be4"
BAD_SEAL = "its batch does not fit its seal: it or the id of the log was edited, or the key is another one"
UNSEEN_WITHOUT_ANCHORS = "A cut tail or a log written anew does not show without --anchors."
SHOWN: list[tuple[Tampering, int, int, str]] = [
    (tampering.edit, 4, 2, "an event from here to 6 was edited"),
    (tampering.swap, 4, 2, "the event was exchanged with the one at 5"),
    (tampering.delete_inside, 5, 2, "the event is missing"),
    (tampering.delete_batch, 4, 2, "its batch is missing"),
    (tampering.insert, 5, 2, "the event was inserted"),
    (tampering.insert_behind_the_head, 10, 3, "an event was inserted behind the head"),
    (tampering.edit_a_batch, 4, 2, BAD_SEAL),
    (tampering.move_the_head, 9, 3, "the head does not fit this last batch"),
    (tampering.remove_the_head, 1, 1, "there are events, and no head"),
    (tampering.cut_the_tail_clumsily, 7, 3, "its batch and all later ones are missing"),
]
SHOWN_BY_ANCHORS: list[tuple[Tampering, int, int, str]] = [
    (
        tampering.cut_the_tail,
        7,
        3,
        "an anchor has this batch, and the log ends before it: its tail was cut, or it was written anew",
    ),
    (
        tampering.write_anew,
        4,
        2,
        "its batch has another seal than its anchor: the log was written anew from here, or from before",
    ),
]


def check(*flags: str) -> Ran:
    return run(NAME, "verify", *flags, "--log-format", "none")


def make_log(media: Path) -> None:
    """Three batches of three events."""
    for letter in "abc":
        append(*(deleted(root_of(media), f"photos/{letter}{number}.jpg") for number in range(3)))


def carried_away(folder: Path) -> str:
    """The seals of the log as it is now, among other lines of the JSON log."""
    lines = [
        json.dumps({"event": "batch.appended", "batch": one.number, "first_position": one.first_position,
                    "seal": one.seal})
        for one in Batch.objects.order_by("number")
    ]  # fmt: skip
    file = folder / "watcher.jsonl"
    file.write_text("\n".join(['{"event": "watcher.started"}', "batch.appended in words", *lines, ""]))
    return str(file)


def refused(position: int, batch: int, what: str) -> str:
    return (
        f"CommandError: The audit log is not as it was written: position {position}, batch {batch}: {what}.\n"
        "Keep a copy of the database as it is now, then compare it with a backup.\n"
    )


def test_untouched_log_is_verified(media: Path, tmp_path: Path) -> None:
    make_log(media)

    alone, with_anchors = check(), check("--full", "--anchors", carried_away(tmp_path))

    assert (alone.code, with_anchors.code) == (0, 0)
    assert alone.stdout == (
        "Verified: 9 events in 3 batches, up to position 9, batch 3.\n"
        "A cut tail or a log written anew does not show without --anchors.\n"
    )
    assert with_anchors.stdout == (
        "Verified: 9 events in 3 batches, up to position 9, batch 3.\n"
        "3 anchors fit, up to batch 3: a tail cut behind it would not show.\n"
    )


@pytest.mark.parametrize(("tamper", "position", "batch", "what"), SHOWN, ids=lambda one: getattr(one, "__name__", ""))
def test_tampering_shows_without_anchors(tamper: Tampering, position: int, batch: int, what: str, media: Path) -> None:
    make_log(media)
    tamper()

    answer = check()

    assert (answer.code, answer.stdout) == (8, refused(position, batch, what))
    assert not Verified.objects.exists()


@pytest.mark.parametrize(
    ("tamper", "position", "batch", "what"), SHOWN_BY_ANCHORS, ids=lambda one: getattr(one, "__name__", "")
)
def test_cut_tail_and_rewrite_show_only_with_anchors(
    tamper: Tampering, position: int, batch: int, what: str, media: Path, tmp_path: Path
) -> None:
    make_log(media)
    anchors = carried_away(tmp_path)
    tamper()

    alone, with_anchors = check(), check("--anchors", anchors)

    assert alone.code == 0
    assert UNSEEN_WITHOUT_ANCHORS in alone.stdout
    assert (with_anchors.code, with_anchors.stdout) == (8, refused(position, batch, what))


def test_next_verification_goes_on_where_the_last_one_ended(media: Path) -> None:
    make_log(media)
    check()
    append(deleted(root_of(media), "late.jpg"))

    assert check().stdout.splitlines()[:2] == [
        "Verified: 1 event in 1 batch, up to position 10, batch 4.",
        "Up to position 9 the log was verified before: --full reads that again.",
    ]


def test_what_was_verified_before_is_read_again_only_in_full(media: Path) -> None:
    make_log(media)
    check()
    tampering.edit()

    assert [check().code, check("--full").code] == [0, 8]


@pytest.mark.parametrize("tamper", [tampering.cut_the_tail, tampering.write_anew])
def test_place_of_the_last_verification_is_an_anchor_of_its_own(tamper: Tampering, media: Path) -> None:
    make_log(media)
    check()
    tamper()

    assert check().code == 8


def test_empty_log_is_verified(media: Path) -> None:
    assert check().stdout.startswith("Verified: 0 events in 0 batches")


@pytest.mark.parametrize("content", [None, "", "no json: batch.appended\n"])
def test_file_without_anchors_is_refused(content: str | None, media: Path, tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    if content is not None:
        file.write_text(content)

    assert check("--anchors", str(file)).code == 2


def test_odd_lines_among_the_anchors_are_passed_over(media: Path, tmp_path: Path) -> None:
    make_log(media)
    anchors = carried_away(tmp_path)
    odd = ['{"event": "batch.appended", "batch": 1e40}', '{"event": "batch.appended", "batch": "' + "9" * 40 + '"}']
    odd += ['{"event": "batch.appended", "batch": ' + "[" * 100_000, '2026 {"event": "batch.appended"']
    odd += [f'{{"event": "batch.appended", "batch": {10**30}, "first_position": 1, "seal": "x"}}']
    with open(anchors, "a", encoding="utf-8") as file:
        file.write("\n".join(odd))

    assert "3 anchors fit" in check("--anchors", anchors).stdout


def test_events_of_every_shape_are_read_as_they_were_written(media: Path) -> None:
    root = root_of(media).pk
    append(
        FileDeleted(root=root, path='ä "q" \\ \n\t\x7f\u2028😀.jpg', occurred_at=at(0), cause="census", since="x"),
        FileDeleted(root=root, path="x", path_bytes=b"\xff", occurred_at=at(0.000001), cause="unlinked"),
        FileMoved(root=root, path="a" * 3_000, to="ü/'", occurred_at=at(-1e9), run_id=RUN),
        FileCreated(root=None, path="", occurred_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        RunCompleted(
            occurred_at=at(1), run_id=uuid4(), command="c", deleted={"b": 2**60, "a": 1}, cascade={}, kept={"é": 0}
        ),
    )

    end = verify(Place(), key=None, using="default")

    assert not isinstance(end, Fault)
    assert (end.batch, end.position) == (1, 5)


def test_hashes_and_seals_are_the_same_on_every_database(media: Path) -> None:
    append(
        FileDeleted(root=None, path="photos/ä.jpg", occurred_at=at(0.5), cause="unlinked", run_id=RUN),
        FileMoved(root=None, path="a", to="b", occurred_at=at(1)),
    )
    batch = Batch.objects.get()
    with append_only.lifted("default"):
        Batch.objects.update(uid=UUID(int=2), recorded_at=at(2))
    again = Batch.objects.get()

    assert events_hash(stored(again)) == batch.events_hash == HASH
    assert (again.number, seal_of(UUID(int=1), again, None)) == (1, SEAL)


@pytest.mark.sqlite
def test_what_cannot_be_read_was_edited(media: Path) -> None:
    make_log(media)
    with append_only.lifted("default"), connection.cursor() as cursor:
        cursor.execute("UPDATE auditor_event SET occurred_at = 'never' WHERE position = 4")

    assert check().stdout == refused(4, 2, "an event from here to 6 was edited")


@pytest.fixture
def key(tmp_path: Path, settings: LazySettings) -> Path:
    """A file with a key, which the settings name."""
    file = tmp_path / "key"
    file.write_text("secret\n")
    settings.AUDITOR_SEAL_KEY_FILE = str(file)
    return file


def test_log_is_sealed_with_the_key_from_the_first_batch_after_it_was_set(
    media: Path, key: Path, settings: LazySettings
) -> None:
    settings.AUDITOR_SEAL_KEY_FILE = ""
    make_log(media)
    settings.AUDITOR_SEAL_KEY_FILE = str(key)
    append(deleted(root_of(media), "late.jpg"))

    assert check().stdout.splitlines()[1:] == [
        "Sealed with a key from batch 4 on: a log written anew without it would not be.",
        "A cut tail does not show without --anchors.",
    ]


def test_log_that_was_written_anew_without_the_key_shows(media: Path, key: Path, settings: LazySettings) -> None:
    make_log(media)
    tampering.write_anew()
    append(deleted(root_of(media), "late.jpg"))

    assert "from batch 4 on" in check().stdout
    Verified.objects.all().delete()
    settings.AUDITOR_SEAL_KEY_FILE = ""
    assert check().stdout == refused(10, 4, BAD_SEAL)


def test_batch_that_is_sealed_without_the_key_shows_behind_one_with_it(
    media: Path, key: Path, settings: LazySettings
) -> None:
    make_log(media)
    settings.AUDITOR_SEAL_KEY_FILE = ""
    append(deleted(root_of(media), "late.jpg"))
    settings.AUDITOR_SEAL_KEY_FILE = str(key)

    expected = refused(10, 4, "its batch is sealed without the key, and one before it is sealed with it")
    assert check().stdout == expected
    with append_only.lifted("default"):
        Batch.objects.filter(number=4).delete()
        Event.objects.filter(position=10).delete()
    Head.objects.update(position=9, batch=3, seal=Batch.objects.get(number=3).seal)
    assert check().code == 0
    settings.AUDITOR_SEAL_KEY_FILE = ""
    append(deleted(root_of(media), "late.jpg"))
    settings.AUDITOR_SEAL_KEY_FILE = str(key)
    assert check().stdout == expected


def test_another_key_does_not_fit(media: Path, key: Path) -> None:
    make_log(media)
    key.write_text("another")

    assert check().stdout == refused(1, 1, BAD_SEAL)


@pytest.mark.parametrize("content", [None, " \n"])
def test_key_that_cannot_be_read_is_told_before_anything_is_done(content: str | None, key: Path) -> None:
    key.unlink() if content is None else key.write_text(content)

    (fault,) = [one.msg for one in check_settings()]

    assert fault == f"AUDITOR_SEAL_KEY_FILE must be the path of a file that holds a key, not {str(key)!r}"
    with pytest.raises(AuditorError):
        conf.seal_key()
