"""From a real directory to the audit log, one tick at a time."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError

from auditor.auditlog import store
from auditor.auditlog.events import FileDeleted
from auditor.errors import AuditorError
from auditor.models import Candidate, Checkpoint, Event, MissingFile, Span
from tests.makers import make_file, make_photo, real
from tests.watcher.captured import CapturedLog
from tests.watcher.waiting import wait_until
from watcher import census, listener, observation, open_span, recorder, root_watch
from watcher.daemon import Daemon
from watcher.hearing import Hearing
from watcher.inotify import InotifySource
from watcher.shutdown import StopFlag
from watcher.site import Site
from watcher.sources import Observer
from watcher.status import State

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
MakeDaemon = Callable[..., Daemon]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def impatient(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDITOR_WATERMARK_SECONDS = 0.1
    monkeypatch.setattr(root_watch, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(root_watch, "RETRY_UNWATCHED_SECONDS", 0.01)


@pytest.fixture
def log() -> CapturedLog:
    return CapturedLog()


@pytest.fixture
def make_daemon(media: Path, log: CapturedLog) -> Iterator[MakeDaemon]:
    with ExitStack() as stopping:

        def make(*roots: Path) -> Daemon:
            daemon = Daemon([real(root) for root in roots or (media,)], Site(using="default", log=log))
            stopping.callback(daemon.stop, "the test is over")
            return daemon

        yield make


def tick_until(daemon: Daemon, is_so: Callable[[], object]) -> None:
    wait_until(lambda: (daemon.tick(), is_so())[1])


def proven(daemon: Daemon) -> None:
    """Ticks until all that has happened until now is in the log."""
    asked = store.database_time("default")
    tick_until(daemon, lambda: covered_until() > asked)


def covered_until() -> datetime:
    return Span.objects.get(closed_at__isnull=True).covered_until


def crash(daemon: Daemon) -> None:
    """Leaves all as kill -9 does: nothing is told to the database."""
    for watch in daemon._watches:
        watch._observation.listener.source.close()  # type: ignore[union-attr]
        watch._leave()
        watch._span = watch._observation = watch._recorder = None


def recorded() -> list[tuple[str, str]]:
    """The events that are not about the watch itself."""
    about_the_watch = ("span.opened", "span.closed", "checkpoint.completed")
    events = Event.objects.exclude(type__in=about_the_watch).order_by("position")
    return list(events.values_list("type", "path"))


def spans() -> list[tuple[str, str]]:
    """How each span ended, in the order they were opened."""
    return list(Span.objects.order_by("opened_position").values_list("closed_reason", "closed_detail"))


def has_healed() -> bool:
    opened = Span.objects.filter(closed_at__isnull=True).first()
    return Span.objects.count() > 1 and opened is not None and opened.checkpoints.exists()


def test_a_deletion_travels_from_the_disk_into_the_missing_set(media: Path, make_daemon: MakeDaemon) -> None:
    make_photo("photos/a.jpg", media=media)
    daemon = make_daemon()
    daemon.tick()

    (media / "photos/a.jpg").unlink()
    proven(daemon)

    assert recorded() == [("file.deleted", "photos/a.jpg")]
    assert list(MissingFile.objects.values_list("path", flat=True)) == ["photos/a.jpg"]


def test_a_span_opens_when_every_directory_is_watched_and_a_census_runs_inside_it(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "photos/there.jpg")
    make_photo("photos/gone.jpg")
    watched_at: list[datetime] = []

    class Noting(InotifySource):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            assert not Span.objects.exists()
            watched_at.append(store.database_time("default"))

    monkeypatch.setattr(observation, "InotifySource", Noting)
    make_daemon().tick()

    span, found = Span.objects.get(), os.stat(media)
    assert span.opened_at >= watched_at[0]
    assert span.identity == f"{found.st_dev}:{found.st_ino}"
    assert list(Event.objects.order_by("position").values_list("type", "path")) == [
        ("span.opened", ""),
        ("file.deleted", "photos/gone.jpg"),
        ("checkpoint.completed", ""),
    ]
    made = log.lines("checkpoint.completed")[0]
    assert log.lines("span.opened") == [
        {"event": "span.opened", "root": real(media), "span": str(span.uid), "directories": 2}
    ]
    assert made == {
        "event": "checkpoint.completed",
        "root": real(media),
        "span": str(span.uid),
        "position": 3,
        "references": 1,
        "missing": 1,
        "duration_ms": made["duration_ms"],
    }


def test_the_watermark_moves_only_on_an_answered_call(
    media: Path, make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    unanswered: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(InotifySource, "call", lambda _, token: unanswered.append(token))
        daemon.tick()
        opened_at = covered_until()
        (media / "a.jpg").touch()
        (media / "a.jpg").unlink()
        tick_until(daemon, lambda: len(unanswered) > 3)

        assert recorded() == [("file.deleted", "a.jpg")]
        assert covered_until() == opened_at

    proven(daemon)
    assert covered_until() > opened_at


def test_a_call_that_is_never_answered_ends_the_span_and_the_watcher(
    media: Path, make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InotifySource, "answers_within", 0.0)
    daemon = make_daemon()
    monkeypatch.setattr(InotifySource, "call", lambda *_: None)
    with pytest.raises(AuditorError) as raised:
        tick_until(daemon, lambda: False)

    assert raised.value.message == f"{real(media)} is not heard any more: A call was not heard for 0 s."
    assert spans() == [("thread_died", "A call was not heard for 0 s.")]


def test_a_call_that_cannot_be_made_ends_the_span_and_is_tried_again(
    make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/state/calls/1")

    daemon = make_daemon()
    daemon.tick()
    with monkeypatch.context() as patch:
        patch.setattr(InotifySource, "call", full)
        tick_until(daemon, lambda: daemon.status().state is State.BLIND)

    hint = "AUDITOR_STATE_DIR must name a folder that can be written."
    assert spans() == [("spool_failed", f"/state/calls/1 cannot be made: No space left on device. {hint}")]
    tick_until(daemon, has_healed)


def test_no_span_is_opened_that_cannot_be_proved(make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/state/calls/1")

    daemon = make_daemon()
    monkeypatch.setattr(InotifySource, "call", full)
    for _ in range(3):
        tick_until(daemon, lambda: daemon.status().roots[0].reason == "spool_failed")

    assert not Span.objects.exists()


def test_a_replaced_root_ends_the_span_and_the_new_one_is_watched(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog, tmp_path: Path
) -> None:
    make_photo("photos/a.jpg", media=media)
    daemon = make_daemon()
    daemon.tick()

    media.rename(tmp_path / "elsewhere")
    tick_until(daemon, lambda: log.lines("root.waiting"))
    for _ in range(5):
        daemon.tick()
    shutil.copytree(tmp_path / "elsewhere", media)
    tick_until(daemon, has_healed)

    assert [reason for reason, _ in spans()] in (["root_replaced", ""], ["root_gone", ""])  # whoever is first
    assert recorded() == []
    gone = f"{real(media)} is not there."
    assert log.lines("root.waiting") == [
        {"event": "root.waiting", "root": real(media), "reason": "root_gone", "detail": gone}
    ]


def test_a_removed_root_ends_the_span_with_its_deletions_recorded(
    media: Path, make_daemon: MakeDaemon, settings: LazySettings
) -> None:
    settings.AUDITOR_WATERMARK_SECONDS = 60  # else the next proof may find it gone before the kernel's word is read
    make_photo("a.jpg", media=media)
    daemon = make_daemon()
    daemon.tick()

    shutil.rmtree(media)
    tick_until(daemon, lambda: spans()[0][0])

    assert sorted(recorded()) == [("file.deleted", ".media-root"), ("file.deleted", "a.jpg")]
    assert spans() == [("root_gone", "The media folder was removed.")]


def test_a_root_whose_parent_is_renamed_is_noticed_by_the_next_proof(tmp_path: Path, make_daemon: MakeDaemon) -> None:
    root = tmp_path / "srv/media"
    root.mkdir(parents=True)
    daemon = make_daemon(root)
    daemon.tick()

    (tmp_path / "srv").rename(tmp_path / "old")
    tick_until(daemon, lambda: spans()[0][0])

    assert spans() == [("root_gone", f"{root} is not there.")]


def test_a_dead_reader_ends_the_span_and_the_watcher(
    media: Path, make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    daemon.tick()
    monkeypatch.setattr(Hearing, "_appeared", lambda *_: 1 / 0)
    (media / "d").mkdir()
    with pytest.raises(AuditorError) as raised:
        tick_until(daemon, lambda: False)

    assert raised.value.message.startswith(f"{real(media)} is not heard any more: ZeroDivisionError")
    assert spans() == [("thread_died", "ZeroDivisionError: division by zero")]


def test_what_vanished_in_a_gap_is_found_by_the_next_census_with_the_time_in_which_it_must_have_been(
    media: Path, make_daemon: MakeDaemon
) -> None:
    make_photo("photos/a.jpg", media=media)
    daemon = make_daemon()
    proven(daemon)
    crash(daemon)
    (media / "photos/a.jpg").unlink()

    tick_until(make_daemon(), has_healed)

    assert recorded() == [("file.deleted", "photos/a.jpg")]
    found = Event.objects.get(type="file.deleted")
    until = Span.objects.order_by("opened_position")[0].covered_until
    assert found.data == {"cause": "census", "since": until.isoformat()}
    assert found.occurred_at > until


def test_a_span_that_a_crash_left_open_is_closed_by_the_next_start(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = make_daemon()
    proven(crashed)
    watermark = covered_until()
    first = Span.objects.get()
    crash(crashed)

    make_daemon().tick()

    assert spans() == [("crashed", "Found open by the next start."), ("", "")]
    assert log.lines("span.closed") == [
        {
            "event": "span.closed",
            "root": first.root.path,
            "span": str(first.uid),
            "covered_until": watermark.isoformat(),
            "reason": "crashed",
            "detail": "Found open by the next start.",
        }
    ]


def test_a_second_watcher_stands_by_until_the_first_one_leaves(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    first, second = make_daemon(), make_daemon()
    first.tick()
    second.tick()
    assert [root.state for root in second.status().roots] == [State.STANDBY]
    assert log.lines("root.waiting")[0]["reason"] == "standby"

    first.stop("SIGTERM")
    tick_until(second, has_healed)

    assert [reason for reason, _ in spans()] == ["stopped", ""]


def test_a_watcher_whose_place_was_taken_from_another_machine_stands_by(
    tmp_path: Path, make_daemon: MakeDaemon, log: CapturedLog, settings: LazySettings
) -> None:
    first, second = make_daemon(), make_daemon()
    first.tick()
    first._watches[0]._claim._lock.release()  # type: ignore[union-attr] # as a connection that breaks does
    settings.AUDITOR_STATE_DIR = str(tmp_path / "other machine")
    second.tick()

    tick_until(first, lambda: first.status().state is State.STANDBY)
    tick_until(second, has_healed)

    assert [reason for reason, _ in spans()] == ["crashed", ""]
    assert [line["reason"] for line in log.lines("span.closed")] == ["crashed", "taken_over"]


def test_a_watcher_that_lost_its_lock_takes_it_again(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    daemon.tick()
    claim = daemon._watches[0]._claim

    claim._lock.release()  # type: ignore[union-attr] # as a connection that breaks does

    tick_until(daemon, lambda: claim.is_held)
    assert spans() == [("", "")]


def test_a_database_that_takes_nothing_is_no_cover_although_nothing_is_deleted(
    make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    tick_until(daemon, lambda: daemon.status().state is State.COVERED)
    committed = covered_until()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("cannot execute UPDATE in a read-only transaction")

    with monkeypatch.context() as patch:
        patch.setattr(store, "move_watermark", refuse)
        tick_until(daemon, lambda: daemon.status().state is not State.COVERED)
        states = set()
        for _ in range(40):
            daemon.tick()
            time.sleep(0.01)  # some watermarks' worth of time
            states.add(daemon.status().state)
        told = daemon.status().roots[0].covered_until

    assert (states, told is not None and told <= committed) == ({State.CATCHING_UP}, True)
    tick_until(daemon, lambda: daemon.status().state is State.COVERED)


def test_stopping_records_and_proves_all_that_has_happened(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    make_file(media, "a.jpg")
    daemon = make_daemon()
    daemon.tick()
    (media / "a.jpg").unlink()
    asked = store.database_time("default")

    daemon.stop("SIGTERM")

    span = Span.objects.get()
    assert recorded() == [("file.deleted", "a.jpg")]
    assert (span.closed_reason, span.covered_until >= asked) == ("stopped", True)
    assert log.lines("watcher.stopped") == [{"event": "watcher.stopped", "reason": "SIGTERM", "events": 4}]
    assert [thread for thread in threading.enumerate() if isinstance(thread, InotifySource)] == []


def test_a_gap_that_shows_up_while_stopping_is_the_reason_of_the_end(media: Path, make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    daemon.tick()
    media.rmdir()

    daemon.stop("SIGTERM")

    assert spans() == [("root_gone", f"{real(media)} is not there.")]


def test_stopping_without_a_database_leaves_the_last_word_to_the_spool(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    daemon.tick()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", refuse)
        patch.setattr(store, "database_time", refuse)
        daemon.stop("SIGTERM")

    assert spans() == [("", "")]
    make_daemon().tick()
    assert [reason for reason, _ in spans()] == ["stopped", ""]


def test_a_database_that_is_away_holds_the_deletions_back_and_loses_none(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "a.jpg")
    make_file(media, "b.jpg")
    daemon = make_daemon()
    daemon.tick()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", refuse)
        patch.setattr(store, "database_time", refuse)
        (media / "a.jpg").unlink()
        tick_until(daemon, lambda: log.lines("append.retried"))
        (media / "b.jpg").unlink()
        for _ in range(5):
            daemon.tick()
    proven(daemon)

    assert recorded() == [("file.deleted", "a.jpg"), ("file.deleted", "b.jpg")]
    assert spans() == [("", "")]


def test_a_gap_without_a_database_is_written_down_later(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    daemon.tick()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", refuse)
        patch.setattr(store, "database_time", refuse)
        media.rmdir()
        tick_until(daemon, lambda: log.lines("span.closed"))
        assert spans() == [("", "")]
    media.mkdir()
    tick_until(daemon, has_healed)

    assert [reason for reason, _ in spans()] == ["root_gone", ""]


def test_a_census_that_fails_with_the_database_is_made_again(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_span, "CENSUS_RETRY_SECONDS", 0.0)
    daemon = make_daemon()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(census, "take_census", refuse)
        daemon.tick()
        assert not Checkpoint.objects.exists()
    tick_until(daemon, Checkpoint.objects.exists)

    assert spans() == [("", "")]
    assert log.lines("append.retried")[0]["error"] == "connection refused"


def test_a_census_of_a_root_that_goes_out_of_sight_invents_no_deletion(
    media: Path, tmp_path: Path, make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("photos/a.jpg", media=media)
    take_census = census.take_census

    def take_out_of_sight(*arguments: Any, **options: Any) -> Iterator[Any]:
        media.rename(tmp_path / "elsewhere")
        media.mkdir()
        yield from take_census(*arguments, **options)

    monkeypatch.setattr(census, "take_census", take_out_of_sight)
    make_daemon().tick()

    assert recorded() == []
    assert spans() == [("root_replaced", f"{real(media)} is another folder than before.")]


def test_a_file_that_is_there_and_not_heard_of_yet_is_looked_at_every_time(
    media: Path, log: CapturedLog, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDITOR_POLL_SECONDS = 1_000  # the first listing is the last
    make_photo("known.jpg", media=media)
    new = make_photo("new.jpg")
    take_census = census.take_census

    def take_a_little_later(*arguments: Any, **options: Any) -> Iterator[Any]:
        make_file(media, "new.jpg")
        yield from take_census(*arguments, **options)

    monkeypatch.setattr(census, "take_census", take_a_little_later)
    daemon = Daemon([real(media)], Site(using="default", log=log, observer=Observer.POLLING))
    tick_until(daemon, Checkpoint.objects.exists)
    daemon.stop("the test is over")

    assert list(Candidate.objects.values_list("field", "key")) == [("gallery.Photo.image", str(new.pk))]


def test_a_missing_name_whose_file_is_back_unheard_of_stays_in_the_missing_set(
    media: Path, log: CapturedLog, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDITOR_POLL_SECONDS = 1_000
    root = store.register_root(real(media), using="default")
    gone = [FileDeleted(root=root.pk, path=name, occurred_at=NOW, cause="unlinked") for name in ("a.jpg", "b.jpg")]
    store.append(gone, using="default")
    make_file(media, "a.jpg")
    take_census = census.take_census

    def take_a_little_later(*arguments: Any, **options: Any) -> Iterator[Any]:
        make_file(media, "b.jpg")
        yield from take_census(*arguments, **options)

    monkeypatch.setattr(census, "take_census", take_a_little_later)
    daemon = Daemon([real(media)], Site(using="default", log=log, observer=Observer.POLLING))
    tick_until(daemon, Checkpoint.objects.exists)
    daemon.stop("the test is over")

    assert list(MissingFile.objects.values_list("path", flat=True)) == ["b.jpg"]


def test_a_census_is_repeated_in_the_open_span(make_daemon: MakeDaemon, settings: LazySettings) -> None:
    settings.AUDITOR_CHECKPOINT_HOURS = 0.01
    daemon = make_daemon()
    daemon.tick()
    settings.AUDITOR_CHECKPOINT_HOURS = 1e-6
    daemon._watches[0]._span._next_census = 0.0  # type: ignore[union-attr] # the interval is over

    tick_until(daemon, lambda: Checkpoint.objects.count() > 2)

    assert spans() == [("", "")]


def test_each_root_has_its_own_span_and_its_own_gaps(media: Path, tmp_path: Path, make_daemon: MakeDaemon) -> None:
    other = tmp_path / "other"
    other.mkdir()
    daemon = make_daemon(media, other)
    daemon.tick()

    other.rmdir()
    tick_until(daemon, lambda: any(reason for reason, _ in spans()))

    assert list(Span.objects.filter(closed_at__isnull=True).values_list("root__path", flat=True)) == [real(media)]


def test_a_root_that_is_a_file_is_waited_for_and_said_once(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    media.rmdir()
    media.touch()
    daemon = make_daemon()
    for _ in range(5):
        tick_until(daemon, lambda: True)

    assert [(line["reason"], line["detail"]) for line in log.lines()] == [
        ("root_gone", f"{real(media)} is not a folder.")
    ]
    assert not Span.objects.exists()


def test_an_error_nobody_expected_closes_the_spans_and_leaves(
    make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    daemon.tick()
    monkeypatch.setattr(listener, "events_of", lambda *_: 1 / 0)

    with pytest.raises(AuditorError) as raised:
        daemon.run(StopFlag())

    message = "The watcher met an error it does not know: ZeroDivisionError: division by zero"
    assert (raised.value.message, raised.value.exit_code) == (message, 1)
    assert spans() == [("crashed", message)]


def test_more_than_is_taken_at_once_is_recorded_in_rounds(
    media: Path, make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "TAKEN_AT_ONCE", 10)
    for number in range(95):
        make_file(media, f"{number}.jpg")
    daemon = make_daemon()
    daemon.tick()
    for number in range(95):
        (media / f"{number}.jpg").unlink()

    proven(daemon)

    assert recorded() == [("file.deleted", f"{number}.jpg") for number in range(95)]
