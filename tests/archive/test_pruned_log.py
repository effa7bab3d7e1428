"""A log that was pruned: every question is answered as before, or says what it does not know any more."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db.models import F

from auditor.archive import exporting, pruning
from auditor.auditlog import append_only, pruned, store
from auditor.auditlog.events import LogPruned
from auditor.models import Batch, Event, MissingFile
from tests.answers.happening import append, at, deleted, watched
from tests.answers.test_verify import carried_away
from tests.archive.pruning import HELD, LOST, ask, lines_in, make_log, moved, prune, segments, there
from tests.makers import make_photo, real
from tests.running import Ran

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(media: Path, tmp_path: Path) -> Path:
    """The archive of a log that was pruned, with one event behind it."""
    root = make_log(media)
    make_photo(HELD)
    archive = tmp_path / "archive"
    archive.mkdir()
    assert prune(archive).code == 0
    append(deleted(root, "late.jpg", 20))
    return archive


def segment_in(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def verify(*flags: str) -> Ran:
    return ask("verify", "--full", *flags)


def archived(folder: Path) -> str:
    recorded = Batch.objects.get(number=3).recorded_at.astimezone()
    return (
        f"Events up to position 9, recorded until {recorded:%Y-%m-%d %H:%M:%S}, are archived, the last of them in "
        f"{segment_in(folder).name}: what no record needed any more is told only there."
    )


def test_file_that_a_record_names_is_told_of_as_before(folder: Path, media: Path) -> None:
    answer = ask("why", HELD).stdout.splitlines()

    assert answer[2] == "2026-03-01 10:00:01  It was seen vanishing."
    assert answer[-1] == archived(folder)


def test_name_of_which_only_the_archive_knows_is_not_called_unheard_of(folder: Path, media: Path) -> None:
    answer = ask("why", LOST).stdout.splitlines()

    assert answer[2] == "The log has never heard of this name, in its events behind position 9."
    assert answer[-1] == archived(folder)


def test_time_before_the_prune_is_not_called_watched(folder: Path, media: Path) -> None:
    recorded = Batch.objects.get(number=3).recorded_at
    seconds = (recorded - at(0)).total_seconds()
    watched(store.register_root(real(media), using="default"), seconds - 60, seconds + 60, reason="stopped")

    answer = ask("why", LOST).stdout

    assert (
        f"So it did not vanish while the watcher looked, first at {recorded.astimezone():%Y-%m-%d %H:%M:%S}" in answer
    )


def test_company_that_may_have_been_archived_is_told_as_more(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_log(media)
    append(deleted(root, "later.jpg", 7.5))
    monkeypatch.setattr(pruning, "prunable_until", lambda using: 7)
    prune(tmp_path)

    assert "with more than 1 other within" in ask("why", "later.jpg").stdout


def test_list_says_that_there_is_an_archive(folder: Path, media: Path) -> None:
    lines = ask("show", "--type", "file.deleted").stdout.splitlines()

    assert lines[-1] == archived(folder)
    assert [line.split()[0] for line in lines[:-1]] == ["11", "7", "6", "3", "2"]
    assert ask("show", "--limit", "2").stdout.splitlines()[-1] == "There are more: --before 10"


def test_runs_are_what_they_were(folder: Path) -> None:
    assert "3 deleted" in ask("runs").stdout


def test_figures_count_what_is_there(folder: Path) -> None:
    lines = ask("stats").stdout.splitlines()

    assert lines[:4] == [
        f"{Event.objects.count()} events in 5 batches",
        "  oldest: position 2, of 2026-03-01 10:00:01",
        "  newest: position 11, of 2026-03-01 10:00:20",
        "  archived: up to position 9; 7 of these are still here",
    ]


def test_export_begins_where_the_archive_ends(folder: Path) -> None:
    first, *rest = [json.loads(line) for line in ask("export").stdout.splitlines()]

    assert first["log"]["begins_after"] == 9
    assert first["log"]["segments"] == [segment_in(folder).name]
    assert [one["event"]["position"] for one in rest if "event" in one] == [10, 11]
    last_archived = lines_in(segment_in(folder))[-1][1]
    assert rest[0]["batch"]["previous_seal"] == last_archived["seal"]


def test_export_that_is_pruned_meanwhile_says_so(folder: Path) -> None:
    lines = exporting.exported(0, using="default")
    next(lines)
    prune(folder)

    with pytest.raises(Exception, match="The log was pruned while it was read"):
        list(lines)


def test_verification_says_what_it_read(folder: Path, media: Path) -> None:
    alone, whole = verify(), verify("--segments", str(folder))

    assert (alone.code, whole.code) == (0, 0)
    assert alone.stdout.splitlines()[:2] == [
        "Verified: 2 events in 5 batches, up to position 11, batch 5.",
        "Up to position 9, where it was pruned, the seals and 7 events were: --segments reads the others.",
    ]
    assert whole.stdout.splitlines()[1] == "1 segment of the archive fit, up to position 9."


def test_verification_that_goes_on_goes_over_a_prune(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    assert ask("verify").code == 0
    append(deleted(root, "more.jpg"))
    prune(tmp_path)

    assert ask("verify").code == 0
    assert ask("verify").stdout.startswith("Verified: 0 events in 0 batches, up to position 11")


def test_anchors_from_before_the_prune_are_compared_with_all_batches(folder: Path, tmp_path: Path) -> None:
    anchors = carried_away(tmp_path)
    assert verify("--anchors", anchors).code == 0
    Path(anchors).write_text(Path(anchors).read_text().replace(Batch.objects.get(number=2).seal, "0" * 64))

    assert "position 3, batch 2: its batch has another seal" in verify("--anchors", anchors).stdout


def edit_kept() -> None:
    Event.objects.filter(position=4).update(data={"to": "elsewhere.jpg"})


def delete_kept() -> None:
    Event.objects.filter(position=4).delete()


def move_kept() -> None:
    Event.objects.filter(position=7).update(position=8)


def insert_where_it_was_pruned() -> None:
    event = Event.objects.get(position=2)
    event.position = 1
    event.save(force_insert=True)


def edit_the_prune() -> None:
    row = Event.objects.get(type=LogPruned.type)
    row.data["kept"] = 3
    row.save()


def spoil_the_prune() -> None:
    Event.objects.filter(type=LogPruned.type).update(data={})


def feign_a_prune() -> None:
    """Says of an event that more was pruned than was."""
    row = Event.objects.get(type=LogPruned.type)
    Event.objects.filter(position=11).update(type=LogPruned.type, data=row.data | {"until": 11, "batch": 5})


def edit_an_archived_batch() -> None:
    Batch.objects.filter(number=2).update(events_hash="0" * 64)


def delete_an_archived_batch() -> None:
    Batch.objects.filter(number=2).delete()


@pytest.mark.parametrize(
    "tamper",
    [
        edit_kept,
        delete_kept,
        move_kept,
        insert_where_it_was_pruned,
        edit_the_prune,
        spoil_the_prune,
        feign_a_prune,
        edit_an_archived_batch,
        delete_an_archived_batch,
    ],
    ids=lambda one: one.__name__,
)
def test_change_to_what_a_prune_has_left_shows(tamper: Callable[[], None], folder: Path) -> None:
    with append_only.lifted("default"):
        tamper()

    answer = verify()

    assert answer.code == 8
    assert answer.stdout.startswith("CommandError: The audit log is not as it was written: position ")


def test_every_byte_of_a_segment_is_needed(folder: Path) -> None:
    file = segment_in(folder)
    whole = file.read_bytes()
    for at_byte in range(0, len(whole), 97):
        file.write_bytes(whole[:at_byte] + bytes([whole[at_byte] ^ 1]) + whole[at_byte + 1 :])

        answer = verify("--segments", str(folder))

        assert (answer.code, f"The segment {file} is not as it was written" in answer.stdout) == (8, True)


def test_segment_that_was_written_anew_shows(folder: Path) -> None:
    file = segment_in(folder)
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), mtime=5))

    assert "it has another SHA-256 than the log says" in verify("--segments", str(folder)).stdout


def test_archive_that_lacks_a_segment_is_refused(folder: Path, tmp_path: Path) -> None:
    answer = verify("--segments", str(tmp_path))

    assert answer.code == 2
    assert answer.stdout == (
        f"CommandError: {tmp_path} lacks 1 of 1 segments of the archive, {segment_in(folder).name} first.\n"
        "Give --segments a folder with all of them.\n"
    )


def test_projections_are_rebuilt_from_segments_and_log(folder: Path) -> None:
    missing = sorted(MissingFile.objects.values_list("path", flat=True))
    assert ask("rebuild", "--dry-run", "--segments", str(folder)).stdout.count("as the events say") == 3
    MissingFile.objects.all().delete()

    answer = ask("rebuild", "--segments", str(folder))

    assert answer.code == 0
    assert sorted(MissingFile.objects.values_list("path", flat=True)) == missing


def test_segment_that_is_sealed_with_a_key_asks_for_it(media: Path, tmp_path: Path, settings: LazySettings) -> None:
    key, folder = tmp_path / "key", tmp_path / "archive"
    key.write_text("secret")
    folder.mkdir()
    settings.AUDITOR_SEAL_KEY_FILE = str(key)
    make_log(media)
    prune(folder)
    settings.AUDITOR_SEAL_KEY_FILE = ""

    answer = ask("rebuild", "--segments", str(folder))

    assert answer.code == 8
    assert answer.stdout == (
        f"CommandError: The segment {segment_in(folder)} is not as it was written: "
        "batch 1 does not fit its seal, or the key is another one.\n"
        "Take it from a backup; if batches are sealed with a key, set AUDITOR_SEAL_KEY_FILE.\n"
    )


def test_nothing_is_rebuilt_without_the_segments(folder: Path) -> None:
    answer = ask("rebuild")

    assert answer.code == 2
    assert answer.stdout == (
        "CommandError: The events up to position 9 are archived, and nothing can be rebuilt without them.\n"
        "Give --segments the folder with the segments.\n"
    )


def test_batch_that_waits_in_a_spool_is_not_appended_again(media: Path, tmp_path: Path) -> None:
    root, uid = make_log(media), uuid4()
    event = deleted(root, "spooled.jpg")
    store.append([event], using="default", uid=uid)
    prune(tmp_path)
    head = store.head_position("default")

    again = store.append([event], using="default", uid=uid)

    assert (again.first_position if again else None, store.head_position("default")) == (10, head)


def test_moment_before_the_prune_is_still_found(folder: Path) -> None:
    with append_only.lifted("default"):
        Batch.objects.filter(number=1).update(recorded_at=F("recorded_at") - (at(86_400) - at(0)))

    shown = ask("show", "--since", "1h").stdout.splitlines()

    assert [line.split()[0] for line in shown[:-1]] == ["11", "10", "9", "7", "6", "5", "4", "3"]


def test_every_prune_is_known_in_its_order(folder: Path, media: Path) -> None:
    root = store.register_root(real(media), using="default")
    append(moved(root, "x.jpg", "y.jpg", 30))
    prune(folder)

    assert [one.until for one in pruned.prunes("default")] == [9, 12]
    assert verify("--segments", str(folder)).code == 0
    assert len(segments(folder)) == 2
    assert 10 in there()
