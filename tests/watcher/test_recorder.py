"""What is recorded, in one transaction, and kept until the database has taken it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from auditor.auditlog import append_only, clocks, store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.elapsed import Clocks
from auditor.auditlog.events import (
    DirectoryDeleted,
    Event,
    FileCreated,
    FileDeleted,
    FileMoved,
    SpanClosed,
    SpanOpened,
    from_stored,
)
from auditor.machine import uptime
from auditor.models import Absence, Batch, ClockReading, Head, MissingFile, Root, Span
from auditor.models import Event as Event_
from tests.watcher.captured import CapturedLog
from watcher.fence import Watermark
from watcher.notices import GapError
from watcher.recorder import Recorder
from watcher.spool import Spool

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, 10, 2, 11, tzinfo=UTC)


@pytest.fixture
def root() -> Root:
    return store.register_root("/srv/media", using="default")


@pytest.fixture
def log() -> CapturedLog:
    return CapturedLog()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(str(tmp_path / "spool.sqlite3"), limit_bytes=10_000_000)) as spool:
        yield spool


@pytest.fixture
def recorder(root: Root, spool: Spool, log: CapturedLog, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr("watcher.recorder.RETRY_SECONDS", 0.0)
    return Recorder(root, spool, using="default", log=log)


def deleted(root: Root, path: str) -> FileDeleted:
    return FileDeleted(root=root.pk, path=path, occurred_at=NOW, cause="unlinked")


def created(root: Root, path: str) -> FileCreated:
    return FileCreated(root=root.pk, path=path, occurred_at=NOW)


def moved(root: Root, path: str, to: str) -> FileMoved:
    return FileMoved(root=root.pk, path=path, occurred_at=NOW, to=to)


def events() -> list[Event | None]:
    return [from_stored(stored) for _, stored in store.read(using="default")]


def open_span(recorder: Recorder) -> Watermark:
    """An open span, and the proof that would move its watermark."""
    uid = uuid4()
    recorder.open_span(uid, "8:1", NOW)
    return Watermark(span=uid, covered_until=NOW + timedelta(seconds=5))


def fail(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception, *, after: bool = False) -> None:
    """Makes a function of the store fail, before or after it has done its work."""
    real = getattr(store, name)

    def failing(*arguments: Any, **options: Any) -> None:
        if after:
            real(*arguments, **options)
        raise error

    monkeypatch.setattr(store, name, failing)


def test_events_are_committed_with_a_line_that_keeps_their_seal(
    recorder: Recorder, root: Root, log: CapturedLog
) -> None:
    assert recorder.record([deleted(root, "a.jpg"), deleted(root, "b.jpg")])

    assert events() == [deleted(root, "a.jpg"), deleted(root, "b.jpg")]
    assert (recorder.committed, recorder.position) == (2, 2)
    assert log.lines() == [
        {
            "event": "batch.appended",
            "root": "/srv/media",
            "batch": 1,
            "first_position": 1,
            "count": 2,
            "seal": Batch.objects.get().seal,
        }
    ]


def test_a_long_list_is_appended_in_batches(recorder: Recorder, root: Root) -> None:
    recorder.record([deleted(root, f"{number}.jpg") for number in range(4_500)])

    assert list(Batch.objects.order_by("number").values_list("count", flat=True)) == [2_000, 2_000, 500]
    assert recorder.position == 4_500


def test_nothing_heard_writes_nothing(recorder: Recorder, log: CapturedLog) -> None:
    assert recorder.record([])

    assert (events(), log.lines()) == ([], [])


def test_a_new_file_is_recorded_only_where_its_name_was_missing(recorder: Recorder, root: Root) -> None:
    recorder.record([deleted(root, "a.jpg")])

    recorder.record([created(root, "a.jpg"), created(root, "upload.jpg")])

    assert events() == [deleted(root, "a.jpg"), created(root, "a.jpg")]


def test_a_new_file_is_recorded_where_a_run_has_seen_its_name_missing(recorder: Recorder, root: Root) -> None:
    Absence.objects.create(root=root, path="a.jpg", seen_at=NOW, reading=1)

    recorder.record([created(root, "a.jpg"), created(root, "upload.jpg")])

    assert events() == [created(root, "a.jpg")]
    assert not Absence.objects.exists()


def test_clocks_are_read_beside_the_watermark_at_the_end_of_what_is_committed(recorder: Recorder, root: Root) -> None:
    watermark = open_span(recorder)

    recorder.record([deleted(root, f"{number}.jpg") for number in range(2_500)], watermark)

    boot, uptime_ms = uptime()
    [reading] = ClockReading.objects.all()
    assert (reading.position, reading.boot) == (2_501, boot)
    assert 0 <= uptime_ms - reading.uptime_ms < 60_000


def test_clocks_are_not_read_without_a_watermark(recorder: Recorder, root: Root) -> None:
    open_span(recorder)

    recorder.record([deleted(root, "a.jpg")])

    assert not ClockReading.objects.exists()


def test_clocks_are_read_once_a_minute(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    watermark = open_span(recorder)

    recorder.record([], watermark)
    recorder.record([], watermark)
    once = ClockReading.objects.count()
    monkeypatch.setattr("auditor.auditlog.clocks.READING_SECONDS", 0.0)
    recorder._next_reading = 0.0
    recorder.record([], watermark)
    recorder.record([], watermark)

    assert (once, ClockReading.objects.count()) == (1, 3)


def test_reading_goes_with_the_transaction_that_failed(
    recorder: Recorder, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    watermark = open_span(recorder)
    keep = clocks.keep_reading

    def keep_and_fail(*arguments: Any, **options: Any) -> None:
        keep(*arguments, **options)
        raise OperationalError("the disk is full")

    monkeypatch.setattr(clocks, "keep_reading", keep_and_fail)
    assert not recorder.record([deleted(root, "a.jpg")], watermark)
    assert not ClockReading.objects.exists()

    assert recorder.retry()
    assert events()[1:] == [deleted(root, "a.jpg")]


def test_many_readings_are_thinned(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    watermark, up = open_span(recorder), iter(range(0, 10**9, 60_000))

    def read_clocks(using: str) -> Clocks:
        uptime_ms = next(up)
        return Clocks(read_at=NOW + timedelta(milliseconds=uptime_ms), boot="start", uptime_ms=uptime_ms)

    monkeypatch.setattr(clocks, "read_clocks", read_clocks)
    monkeypatch.setattr(clocks, "READING_SECONDS", 0.0)
    for _ in range(1_000):
        recorder.record([], watermark)

    assert 300 < ClockReading.objects.count() < 500
    left = clocks.elapsed(using="default", read=read_clocks)
    assert left.seconds_since(1) == 1_000 * 60


def test_a_new_file_is_recorded_if_its_name_went_missing_just_before(recorder: Recorder, root: Root) -> None:
    heard = [
        created(root, "a.jpg"),
        deleted(root, "a.jpg"),
        created(root, "a.jpg"),
        created(root, "a.jpg"),
        moved(root, "b.jpg", "c.jpg"),
        created(root, "b.jpg"),
        created(root, "c.jpg"),
    ]

    recorder.record(heard)

    assert events() == [heard[1], heard[2], heard[4], heard[5]]


def test_a_new_file_below_a_missing_directory_changes_nothing(recorder: Recorder, root: Root) -> None:
    gone = DirectoryDeleted(root=root.pk, path="d", occurred_at=NOW, cause="removed")

    recorder.record([deleted(root, "d/a.jpg"), gone])
    recorder.record([created(root, "d/a.jpg")])

    assert events() == [deleted(root, "d/a.jpg"), gone]


def test_a_new_file_whose_name_is_not_utf_8_is_not_recorded(recorder: Recorder, root: Root) -> None:
    recorder.record([deleted(root, "\\xe4")])

    recorder.record([FileCreated(root=root.pk, path="\\xe4", path_bytes=b"\xe4", occurred_at=NOW)])

    assert events() == [deleted(root, "\\xe4")]


def test_names_missing_in_another_root_are_not_looked_at(recorder: Recorder, root: Root) -> None:
    other = store.register_root("/srv/other", using="default")
    store.append([deleted(other, "a.jpg")], using="default")

    recorder.record([created(root, "a.jpg")])

    assert events() == [deleted(other, "a.jpg")]


def test_the_watermark_moves_with_the_events_before_it(recorder: Recorder, root: Root) -> None:
    proof = open_span(recorder)

    assert recorder.record([deleted(root, "a.jpg")], proof)

    assert events()[-1] == deleted(root, "a.jpg")
    assert Span.objects.get().covered_until == proof.covered_until


def test_a_watermark_that_cannot_be_committed_is_dropped_and_its_events_are_kept(
    recorder: Recorder, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = open_span(recorder)
    with monkeypatch.context() as patch:
        fail(patch, "move_watermark", OperationalError("connection lost"), after=True)
        assert not recorder.record([deleted(root, "a.jpg")], proof)

        assert (len(events()), Span.objects.get().covered_until) == (1, NOW)

    assert recorder.retry()
    assert (len(events()), Span.objects.get().covered_until) == (2, NOW)


def test_what_the_database_does_not_take_is_kept_in_order(
    recorder: Recorder, root: Root, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail(patch, "append", OperationalError("connection refused\nIs the server running?"))
        assert not recorder.record([deleted(root, "a.jpg")])
        assert not recorder.record([created(root, "a.jpg"), deleted(root, "b.jpg")])
        assert not recorder.retry()
        assert recorder.is_waiting

    assert recorder.retry()

    assert not recorder.is_waiting
    assert events() == [deleted(root, "a.jpg"), created(root, "a.jpg"), deleted(root, "b.jpg")]
    assert log.lines("append.retried") == [
        {
            "event": "append.retried",
            "root": "/srv/media",
            "count": 0,
            "error": "connection refused",
        }
    ]
    assert log.lines("spool.replayed") == [{"event": "spool.replayed", "root": "/srv/media", "count": 3}]


def test_a_commit_whose_answer_was_lost_is_not_doubled(
    recorder: Recorder, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = recorder._commit

    def commit_unheard(*arguments: Any) -> None:
        commit(*arguments)
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "_commit", commit_unheard)
        assert not recorder.record([deleted(root, "a.jpg"), created(root, "a.jpg")])

    assert recorder.retry()
    assert events() == [deleted(root, "a.jpg"), created(root, "a.jpg")]


def test_what_waits_outlives_the_process(
    recorder: Recorder, root: Root, spool: Spool, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail(patch, "append", OperationalError("connection refused"))
        recorder.record([deleted(root, f"{number}.jpg") for number in range(4_500)])
    recorder.close()

    again = Recorder(root, Spool(spool.path, limit_bytes=10_000_000), using="default", log=log)

    assert again.spooled == 4_500
    assert again.retry()
    again.close()
    assert [event.path for event in events() if event] == [f"{number}.jpg" for number in range(4_500)]


def test_what_waits_is_recorded_for_the_root_as_the_database_knows_it_now(
    recorder: Recorder, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail(patch, "append", OperationalError("connection refused"))
        recorder.record([deleted(root, "a.jpg")])
    restored = store.register_root("/srv/restored", using="default")

    recorder.root = restored

    assert recorder.retry()
    assert events() == [replace(deleted(root, "a.jpg"), root=restored.pk)]


def test_what_not_even_the_spool_can_take_is_a_gap_and_stays_in_memory(
    recorder: Recorder, root: Root, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise GapError(GapReason.SPOOL_FAILED, "No space left on device.")

    with monkeypatch.context() as patch:
        fail(patch, "append", OperationalError("connection refused"))
        patch.setattr(spool, "append", full)
        with pytest.raises(GapError) as raised:
            recorder.record([deleted(root, "a.jpg")])
        assert (raised.value.reason, recorder.spooled) == (GapReason.SPOOL_FAILED, 1)

    assert recorder.retry()
    assert events() == [deleted(root, "a.jpg")]


def test_a_database_that_lost_what_was_written_is_told_and_the_events_are_kept(recorder: Recorder, root: Root) -> None:
    open_span(recorder)
    recorder.record([deleted(root, "a.jpg")])
    with append_only.lifted("default"):
        Event_.objects.filter(position=2).delete()
        Batch.objects.filter(number=2).delete()
    Head.objects.update(position=1, batch=1, seal=Batch.objects.get().seal)

    with pytest.raises(GapError) as raised:
        recorder.record([deleted(root, "b.jpg")])

    assert (raised.value.reason, raised.value.detail) == (
        GapReason.REWOUND,
        "The database was restored from a backup under the watcher. It ends at position 1, and 2 had been written.",
    )
    assert recorder.retry()
    assert events()[1:] == [deleted(root, "b.jpg")]


def test_a_database_that_went_back_and_on_again_is_told_by_its_seals(recorder: Recorder, root: Root) -> None:
    open_span(recorder)
    recorder.record([deleted(root, "a.jpg")])
    with append_only.lifted("default"):
        Batch.objects.filter(number=2).update(seal="0" * 64)

    with pytest.raises(GapError) as raised:
        recorder.record([deleted(root, "b.jpg")])

    assert raised.value.detail == "The database was restored from a backup under the watcher. Batch 2 is another one."


def test_a_watermark_that_went_back_is_a_gap(recorder: Recorder) -> None:
    proof = open_span(recorder)
    recorder.record([], proof)
    Span.objects.update(covered_until=NOW)

    with pytest.raises(GapError) as raised:
        recorder.record([], replace(proof, covered_until=proof.covered_until + timedelta(seconds=2)))

    assert raised.value.reason is GapReason.REWOUND


def test_a_root_that_is_not_in_the_table_any_more_is_a_gap(recorder: Recorder, root: Root) -> None:
    Root.objects.all().delete()

    with pytest.raises(GapError) as raised:
        recorder.record([deleted(root, "a.jpg")])

    assert (raised.value.reason, recorder.spooled) == (GapReason.REWOUND, 1)


def test_beside_another_watcher_nothing_is_written_and_the_facts_are_kept(recorder: Recorder, root: Root) -> None:
    proof = open_span(recorder)
    Span.objects.update(closed_at=NOW)
    before = events()

    with pytest.raises(GapError) as raised:
        recorder.record([deleted(root, "a.jpg")], proof)

    assert (raised.value.reason, events(), recorder.spooled) == (GapReason.TAKEN_OVER, before, 1)


def test_without_a_span_nothing_is_written_unless_the_root_is_ours(root: Root, spool: Spool, log: CapturedLog) -> None:
    stranger = Recorder(root, spool, using="default", log=log, is_ours=lambda: False)

    with pytest.raises(GapError) as raised:
        stranger.record([deleted(root, "a.jpg")])

    assert (raised.value.reason, events(), stranger.spooled) == (GapReason.TAKEN_OVER, [], 1)


def test_what_was_heard_before_another_watcher_looked_takes_no_name_out_of_the_missing_set(
    recorder: Recorder, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_span(recorder)
    late = [created(root, "a.jpg"), moved(root, "b.jpg", "c.jpg"), deleted(root, "d.jpg")]
    with monkeypatch.context() as patch:
        fail(patch, "append", OperationalError("connection refused"))
        recorder.record(late)
    other = Span.objects.get()
    Span.objects.update(closed_at=NOW)
    Span.objects.create(uid=uuid4(), root=root, opened_at=NOW, opened_position=99, covered_until=other.covered_until)
    store.append([deleted(root, "a.jpg"), deleted(root, "c.jpg")], using="default")
    recorder._fence.closed()  # as after the gap that the other watcher is

    assert recorder.retry()

    assert set(MissingFile.objects.values_list("path", flat=True)) == {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}
    assert events()[-2:] == [
        FileDeleted(root=root.pk, path="b.jpg", occurred_at=NOW, cause="renamed"),
        deleted(root, "d.jpg"),
    ]


def test_a_span_that_a_crash_left_open_is_closed_at_its_own_watermark(recorder: Recorder, root: Root) -> None:
    left = open_span(recorder)
    later = NOW + timedelta(hours=1)
    uid = uuid4()

    closed = recorder.open_span(uid, "8:2", later)

    expected = SpanClosed(
        root=root.pk,
        occurred_at=later,
        span=str(left.span),
        covered_until=NOW.isoformat(),
        reason="crashed",
        detail="Found open by the next start.",
    )
    assert closed == [expected]
    assert events()[1:] == [
        expected,
        SpanOpened(root=root.pk, occurred_at=later, span=str(uid), identity="8:2"),
    ]
    assert list(Span.objects.order_by("opened_at").values_list("closed_reason", "covered_until")) == [
        ("crashed", NOW),
        ("", later),
    ]
