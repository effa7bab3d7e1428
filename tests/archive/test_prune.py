"""`audit_log prune`: what goes, what stays, what is refused, and what it leaves where it was held up."""

import gzip
import os
from datetime import timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db.models import F

from auditor.archive import pruning, segment
from auditor.auditlog import append_only, store
from auditor.auditlog.events import CheckpointCompleted, FileTrashed, LogPruned
from auditor.models import Batch, Event, Head, MissingFile, Root
from tests.answers import tampering
from tests.answers.happening import NAME, RUN, SPAN, UNDONE, append, at, deleted, ran, watched
from tests.archive.pruning import HELD, LOST, ask, lines_in, make_log, moved, prune, segments, there
from tests.makers import make_photo
from tests.running import run

pytestmark = pytest.mark.django_db


def name(first: int, last: int) -> str:
    return f"audit-log-{Head.objects.get().log_id.hex[:8]}-{first:012}-{last:012}.jsonl.gz"


def test_old_events_are_archived_and_removed_but_for_those_that_are_still_needed(media: Path, tmp_path: Path) -> None:
    make_log(media)
    make_photo(HELD)
    missing = list(MissingFile.objects.order_by("pk").values_list())

    answer = prune(tmp_path)

    assert (answer.code, answer.stdout) == (
        0,
        f"Positions 1 to 9: 9 events archived in {name(1, 9)}, 2 removed, 7 kept up to there\n",
    )
    assert there() == [2, 3, 4, 5, 6, 7, 9, 10]
    assert list(MissingFile.objects.order_by("pk").values_list()) == missing
    assert segments(tmp_path) == [name(1, 9)]
    lines = lines_in(tmp_path / name(1, 9))
    assert [kind for kind, _ in lines] == [
        *["log", "batch", "event", "event", "batch", "event", "event", "event", "event", "event"],
        *["batch", "event", "event", "end"],
    ]
    assert lines[-1][1] == {"position": 9, "batch": 3, "seal": Batch.objects.get(number=3).seal}
    assert os.stat(tmp_path / name(1, 9)).st_mode & 0o777 == 0o600


def test_dry_run_says_what_would_go_and_writes_nothing(media: Path, tmp_path: Path) -> None:
    make_log(media)

    answer = prune(tmp_path, "--dry-run")

    assert (answer.code, answer.stdout) == (
        0,
        "Positions 1 to 9: 9 events would be archived, 3 would be removed, 6 kept up to there\n",
    )
    assert there() == list(range(1, 10))
    assert segments(tmp_path) == []


def test_second_prune_has_nothing_to_do(media: Path, tmp_path: Path) -> None:
    make_log(media)
    prune(tmp_path)
    before = there()

    answer = prune(tmp_path)

    assert answer.code == 0
    assert answer.stdout.startswith("Nothing to prune: no event was recorded before 2100-01-01 ")
    assert there() == before


def test_later_prune_goes_on_behind_the_one_before(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    prune(tmp_path)
    append(deleted(root, "later.jpg"), moved(root, "c.jpg", "other.jpg", 9))

    answer = prune(tmp_path)

    assert answer.stdout == f"Positions 10 to 12: 3 events archived in {name(10, 12)}, 1 removed, 8 kept up to there\n"
    assert there() == [3, 4, 5, 6, 7, 9, 10, 12, 13]
    assert [row.data["archived"] for row in Event.objects.filter(type=LogPruned.type)] == [9, 3]


def test_what_is_kept_for_a_record_goes_when_the_record_has_gone(media: Path, tmp_path: Path) -> None:
    root, photo = make_log(media), make_photo(HELD)
    prune(tmp_path)
    photo.delete()
    append(deleted(root, "later.jpg"))

    answer = prune(tmp_path)

    assert "2 removed" in answer.stdout
    assert 2 not in there()


def test_events_of_the_folders_above_a_held_name_stay(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    make_photo("deep/er/x.jpg")
    for path in ("deep", "deep/er", "deep/other"):
        append(deleted(root, path))

    prune(tmp_path)

    assert set(there()) >= {10, 11}
    assert 12 not in there()


def test_events_of_a_run_that_did_not_reach_its_end_stay(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    ran(UNDONE, "cleanup_unused_files", 9)
    trashed = {"to": "trash/x.jpg", "size": 1, "cause": "unused"}
    append(
        *(FileTrashed(root=root.pk, path="x.jpg", occurred_at=at(9), run_id=one, **trashed) for one in (UNDONE, RUN))
    )

    prune(tmp_path)

    assert [10 in there(), 11 in there()] == [True, False]


def test_long_log_is_pruned_in_several_segments(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "EVENTS_IN_A_SEGMENT", 3)
    make_log(media)

    answer = prune(tmp_path)

    assert [line.partition(":")[0] for line in answer.stdout.splitlines()] == [
        "Positions 1 to 2",
        "Positions 3 to 7",
        "Positions 8 to 9",
    ]
    assert ask("verify", "--full", "--segments", str(tmp_path)).code == 0
    assert 8 not in there()


def test_only_what_was_recorded_before_the_moment_goes(media: Path, tmp_path: Path) -> None:
    make_log(media)
    with append_only.lifted("default"):
        Batch.objects.filter(number__lte=2).update(recorded_at=F("recorded_at") - timedelta(days=400))
        reseal()

    answer = prune(tmp_path, "--dry-run", before="365d")

    assert answer.stdout.startswith("Positions 1 to 7: ")


def reseal() -> None:
    """The log as if its batches had been recorded at the times that they have now."""
    head, previous = Head.objects.get(), "0" * 64
    for batch in Batch.objects.order_by("number"):
        batch.previous_seal = previous
        batch.seal = previous = store.seal_of(head.log_id, batch, None)
        batch.save()
    Head.objects.update(seal=previous)


def test_settings_say_how_long_and_where(media: Path, tmp_path: Path, settings: LazySettings) -> None:
    settings.AUDITOR_RETENTION_DAYS, settings.AUDITOR_ARCHIVE_DIR = 365, str(tmp_path)
    make_log(media)
    with append_only.lifted("default"):
        Batch.objects.update(recorded_at=F("recorded_at") - timedelta(days=400))
        reseal()

    answer = ask("prune")

    assert answer.stdout.startswith("Positions 1 to 9: 9 events archived")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([], "Nobody says how long events are to be kept. Nothing was pruned."),
        (["--before", "1d"], "Nobody says where the archive is. Nothing was pruned."),
        (
            ["--before", "1d", "--into", "/nowhere"],
            "/nowhere is no folder that can be written to. ",
        ),
        (["--before", "soon"], "--before must be a time such as 2026-03-01"),
    ],
)
def test_half_a_wish_is_refused(flags: list[str], sentence: str, media: Path) -> None:
    make_log(media)

    answer = ask("prune", *flags)

    assert answer.code == 2
    assert answer.stdout.startswith(f"CommandError: {sentence}")


def test_empty_log_has_nothing_to_prune(media: Path, tmp_path: Path) -> None:
    assert prune(tmp_path).stdout.startswith("Nothing to prune")


@pytest.mark.parametrize("tamper", [tampering.edit, tampering.edit_a_batch, tampering.delete_inside])
def test_log_that_is_not_as_it_was_written_is_not_pruned(
    tamper: tampering.Tampering, media: Path, tmp_path: Path
) -> None:
    make_log(media)
    tamper()
    before = there()

    answer = prune(tmp_path)

    assert answer.code == 8
    assert "Nothing was pruned.\n" in answer.stdout
    assert (there(), segments(tmp_path)) == (before, [])


def test_kept_events_that_were_edited_are_not_sealed_anew(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    prune(tmp_path)
    with append_only.lifted("default"):
        Event.objects.filter(position=4).update(data={"to": "elsewhere.jpg"})
    append(deleted(root, "later.jpg"))

    assert prune(tmp_path).code == 8


def test_what_a_killed_run_has_left_is_taken_or_written_over(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(media)
    part = tmp_path / f"{name(1, 9)}{segment.PART}"
    part.write_text("half of it")
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "_remove", mock.Mock(side_effect=InterruptedError))
        with pytest.raises(InterruptedError):
            prune(tmp_path)
    left = (tmp_path / name(1, 9)).stat()
    assert (there(), part.exists()) == (list(range(1, 10)), False)

    assert prune(tmp_path).code == 0
    assert (tmp_path / name(1, 9)).stat().st_mtime_ns == left.st_mtime_ns


def test_file_that_is_in_the_way_is_never_written_over(media: Path, tmp_path: Path) -> None:
    make_log(media)
    file = tmp_path / name(1, 9)
    file.write_text("somebody else's")

    answer = prune(tmp_path)

    assert answer.code == 2
    assert answer.stdout == (
        f"CommandError: {file} is there already, and is not what would be written: it cannot be read: "
        "Not a gzipped file (b'so'). What it was to hold is still in the log.\n"
        "Move it away, or give --into another folder.\n"
    )
    assert (file.read_text(), there()) == ("somebody else's", list(range(1, 10)))


def test_segment_that_cannot_be_written_is_told_in_a_sentence(media: Path, tmp_path: Path) -> None:
    make_log(media)
    (tmp_path / f"{name(1, 9)}{segment.PART}").symlink_to("/dev/null")

    answer = prune(tmp_path)

    assert answer.code == 1
    assert answer.stdout.startswith(f"CommandError: The segment {tmp_path / name(1, 9)} could not be written: ")
    assert there() == list(range(1, 10))


def test_segment_that_reads_back_wrong_removes_nothing(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(media)

    def write_half(path: str, lines: object) -> None:
        Path(path).write_bytes(gzip.compress(b'{"log": {"log_id": "0d9e6679-7425-40de-944b-e07fc1f90ae7"}}\n'))

    monkeypatch.setattr(segment, "_write", write_half)

    answer = prune(tmp_path)

    assert answer.code == 1
    assert "was not read back as it should be: it cannot be read: its end is missing." in answer.stdout
    assert there() == list(range(1, 10))


def test_watcher_keeps_what_lies_behind_its_last_checkpoint(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    watched(root, 10, 60)
    checkpoint = CheckpointCompleted(
        root=root.pk, occurred_at=at(20), span=str(SPAN), compared={}, references=1, missing=0
    )
    append(checkpoint)
    append(deleted(root, "later.jpg", 30))
    covered = store.coverage(root.path, using="default")

    Root.objects.update(resolved_until=9)
    before_the_records_are_known = prune(tmp_path, "--dry-run").stdout
    Root.objects.update(resolved_until=12)
    prune(tmp_path)

    assert before_the_records_are_known.startswith("Positions 1 to 9: ")
    assert [11 in there(), 12 in there()] == [False, True]
    assert store.coverage(root.path, using="default").deletions == covered.deletions == 1


def test_open_span_without_a_checkpoint_keeps_itself(media: Path, tmp_path: Path) -> None:
    root = make_log(media)
    watched(root, 10, 60, span=uuid4())
    append(deleted(root, "later.jpg", 30))
    Root.objects.update(resolved_until=11)

    assert prune(tmp_path, "--dry-run").stdout.startswith("Positions 1 to 10: ")


def test_what_was_done_is_a_line_of_the_json_log(media: Path, tmp_path: Path) -> None:
    make_log(media)

    (line,) = run(NAME, "prune", "--before", "2100-01-01", "--into", str(tmp_path)).log

    expected = {
        "event": "log.pruned",
        "until": 9,
        "batch": 3,
        "seal": Batch.objects.get(number=3).seal,
        "archived": 9,
        "removed": 3,
        "kept": 6,
        "segment": name(1, 9),
        "sha256": segment.sha256_of(str(tmp_path / name(1, 9))),
        "dry_run": False,
    }
    assert {key: line[key] for key in expected} == expected


def test_lost_name_is_still_missing(media: Path, tmp_path: Path) -> None:
    make_log(media)
    prune(tmp_path)

    assert MissingFile.objects.filter(path=LOST).exists()
