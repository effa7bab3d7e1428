"""What a running watcher does for the records: it tells of each loss, once, and keeps the journal short."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError

from auditor.errors import AuditorError
from auditor.journal import triggers
from auditor.models import Candidate, Checkpoint, UncheckedReference
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.makers import make_file, make_photo, real
from tests.shapes.models import Contract
from tests.watcher.captured import CapturedLog
from tests.watcher.conftest import Launch
from tests.watcher.finding import orphans_by
from tests.watcher.waiting import wait_until
from watcher import following, journaling, losses, recorder, root_watch
from watcher.daemon import Daemon
from watcher.site import Site

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
MakeDaemon = Callable[[], Daemon]


@pytest.fixture(autouse=True)
def impatient(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDITOR_WATERMARK_SECONDS = 0.1
    monkeypatch.setattr(root_watch, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(journaling, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(following, "REVIEW_SECONDS", 0.2)


@pytest.fixture
def log() -> CapturedLog:
    return CapturedLog()


@pytest.fixture
def make_daemon(media: Path, log: CapturedLog) -> Iterator[MakeDaemon]:
    with ExitStack() as stopping:

        def make() -> Daemon:
            daemon = Daemon([real(media)], Site(using="default", log=log))
            stopping.callback(daemon.stop, "the test is over")
            return daemon

        yield make


def tick_until(daemon: Daemon, is_so: Callable[[], object]) -> None:
    wait_until(lambda: (daemon.tick(), is_so())[1])


def settle(daemon: Daemon) -> None:
    """Ticks until there is nothing left to do."""
    tick_until(daemon, lambda: daemon._watches[0].is_settled)


def refuse(*_: Any, **__: Any) -> None:
    raise OperationalError("connection refused")


def break_off(*_: Any) -> None:
    """As where the watcher dies."""
    raise BrokenPipeError


def told(log: CapturedLog) -> list[tuple[str, str]]:
    return [(line["key"], line["path"]) for line in log.lines("record.orphaned")]


def test_a_loss_is_told_with_all_that_is_known_of_it(media: Path, make_daemon: MakeDaemon, log: CapturedLog) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    daemon = make_daemon()
    settle(daemon)

    (media / "photos/a.jpg").unlink()
    tick_until(daemon, lambda: told(log))

    assert log.lines("record.orphaned") == [
        {
            "event": "record.orphaned",
            "root": real(media),
            "model": "gallery.Photo",
            "key": str(photo.pk),
            "field": "image",
            "path": "photos/a.jpg",
            "group": f"Album: {photo.album}",
            "named": True,
            "candidate": Candidate.objects.get().pk,
        }
    ]


def test_a_file_that_was_moved_is_told_with_its_new_place(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    make_photo("photos/a.jpg", media=media)
    daemon = make_daemon()
    settle(daemon)

    (media / "photos/a.jpg").rename(media / "photos/b.jpg")
    tick_until(daemon, lambda: told(log))

    assert log.lines("record.orphaned")[0]["moved_to"] == "photos/b.jpg"


def test_a_missing_derived_file_is_no_loss(media: Path, make_daemon: MakeDaemon, log: CapturedLog) -> None:
    make_photo("a.jpg", media=media, thumbnail="never.jpg")
    daemon = make_daemon()

    settle(daemon)

    assert (told(log), Candidate.objects.count()) == ([], 1)


def test_records_that_are_written_or_changed_to_a_missing_name_are_told(
    make_daemon: MakeDaemon, media: Path, log: CapturedLog
) -> None:
    changed = make_photo("a.jpg", media=media)
    daemon = make_daemon()
    settle(daemon)

    new = make_photo("never.jpg")
    tick_until(daemon, lambda: len(told(log)) == 1)
    Photo.objects.filter(pk=changed.pk).update(image="elsewhere.jpg")
    tick_until(daemon, lambda: len(told(log)) == 2)
    Photo.objects.filter(pk=changed.pk).update(image="elsewhere again.jpg")
    tick_until(daemon, lambda: len(told(log)) == 3)

    assert told(log) == [
        (str(new.pk), "never.jpg"),
        (str(changed.pk), "elsewhere.jpg"),
        (str(changed.pk), "elsewhere again.jpg"),
    ]


def test_what_was_told_is_not_told_again_by_the_next_watcher(make_daemon: MakeDaemon, log: CapturedLog) -> None:
    make_photo("never.jpg")
    daemon = make_daemon()
    settle(daemon)
    daemon.stop("the test goes on")

    settle(make_daemon())

    assert len(told(log)) == 1


def test_a_loss_that_was_not_told_to_its_end_is_told_by_the_next_watcher(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("never.jpg")
    daemon = make_daemon()
    with monkeypatch.context() as patch:
        patch.setattr(log, "emit_all", break_off)
        with pytest.raises(BrokenPipeError):
            settle(daemon)
    daemon.stop("the test goes on")

    settle(make_daemon())

    assert [path for _, path in told(log)] == ["never.jpg"]


def test_a_loss_that_is_told_twice_has_the_same_number_twice(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("never.jpg")
    daemon = make_daemon()
    with monkeypatch.context() as patch:
        patch.setattr(losses.Losses, "_write", break_off)
        with pytest.raises(BrokenPipeError):
            settle(daemon)
    daemon.stop("the test goes on")

    settle(make_daemon())

    assert [line["candidate"] for line in log.lines("record.orphaned")] == 2 * [Candidate.objects.get().pk]


def test_a_database_that_is_away_has_no_loss_told_twice(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("never.jpg")
    daemon = make_daemon()
    with monkeypatch.context() as patch:
        patch.setattr(following, "RETRY_SECONDS", 0.01)
        patch.setattr(losses.Losses, "_write", refuse)
        tick_until(daemon, lambda: len(log.lines("append.retried")) == 2)

    settle(daemon)
    daemon.stop("the test goes on")
    settle(make_daemon())

    assert [path for _, path in told(log)] == ["never.jpg"]


def test_what_is_lost_while_nobody_watches_is_told_by_the_next_watcher(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    make_photo("a.jpg", media=media)
    daemon = make_daemon()
    settle(daemon)
    daemon.stop("the test goes on")

    (media / "a.jpg").unlink()
    make_photo("never.jpg")
    settle(make_daemon())

    assert sorted(path for _, path in told(log)) == ["a.jpg", "never.jpg"]
    assert not UncheckedReference.objects.exists()


def test_a_file_that_comes_back_and_vanishes_again_is_a_second_loss(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    make_photo("a.jpg", media=media)
    daemon = make_daemon()
    settle(daemon)
    (media / "a.jpg").unlink()
    tick_until(daemon, lambda: told(log))

    make_file(media, "a.jpg")
    tick_until(daemon, lambda: not Candidate.objects.exists())
    (media / "a.jpg").unlink()

    tick_until(daemon, lambda: len(told(log)) == 2)


def test_more_losses_than_are_told_at_once_are_all_told(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "TOLD_AT_ONCE", 2)
    photos = [make_photo(f"{number}.jpg") for number in range(5)]

    settle(make_daemon())

    assert told(log) == [(str(photo.pk), photo.image.name) for photo in photos]


def test_a_childs_record_is_told_once(make_daemon: MakeDaemon, log: CapturedLog, settings: LazySettings) -> None:
    settings.AUDITOR_MODELS = ["shapes.Contract"]
    Contract.objects.create(file="never")

    settle(make_daemon())

    assert [line["model"] for line in log.lines("record.orphaned")] == ["shapes.Contract"]


def test_a_name_that_is_there_leaves_the_journal(media: Path, make_daemon: MakeDaemon, log: CapturedLog) -> None:
    daemon = make_daemon()
    settle(daemon)

    make_photo("new/folder/a.jpg", media=media)
    tick_until(daemon, lambda: not UncheckedReference.objects.exists())

    assert (told(log), Candidate.objects.count()) == ([], 0)


def test_after_triggers_were_missing_everything_is_compared_again(
    media: Path, make_daemon: MakeDaemon, log: CapturedLog
) -> None:
    daemon = make_daemon()
    settle(daemon)
    triggers.remove(using="default")
    make_photo("never.jpg")

    tick_until(daemon, lambda: told(log))

    assert Checkpoint.objects.count() > 1
    tick_until(daemon, log_says_what_a_scan_says)


def log_says_what_a_scan_says() -> bool:
    try:
        return orphans_by(RouteKind.LOG) == orphans_by(RouteKind.SCAN)
    except AuditorError:  # until everything is compared with the triggers in place, the log does not answer
        return False


def test_triggers_that_cannot_be_made_are_told_of_once(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggers.remove(using="default")
    with monkeypatch.context() as patch:
        patch.setattr(triggers, "install", refuse)
        patch.setattr(journaling, "INSTALL_SECONDS", 0.0)
        daemon = make_daemon()
        settle(daemon)
        for _ in range(10):
            daemon.tick()

    assert [line["error"] for line in log.lines("journal.failed")] == ["connection refused"]
    seen = Checkpoint.objects.get().fields["gallery.Photo.image"]
    assert seen == {"journal": "", "has_too_many_odd": False}


def test_a_database_that_fails_while_records_are_followed_loses_nothing(
    make_daemon: MakeDaemon, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = make_daemon()
    settle(daemon)

    with monkeypatch.context() as patch:
        patch.setattr("auditor.journal.entries.remove", refuse)
        make_photo("never.jpg")
        tick_until(daemon, lambda: log.lines("append.retried"))
    assert (told(log), UncheckedReference.objects.count()) == ([], 1)

    tick_until(daemon, lambda: told(log))


@pytest.mark.parametrize("journal", [True, False])
def test_triggers_are_made_only_where_they_are_wanted(
    make_daemon: MakeDaemon, settings: LazySettings, journal: bool
) -> None:
    settings.AUDITOR_JOURNAL = journal
    triggers.remove(using="default")

    settle(make_daemon())

    assert bool(Checkpoint.objects.get().fields["gallery.Photo.image"]["journal"]) == journal


def test_a_pipeline_is_told_within_two_seconds_and_once(media: Path, start_watcher: Launch) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    watcher = start_watcher()

    (media / "photos/a.jpg").unlink()
    removed = watcher.wait_for("record.orphaned", seconds=2)
    new = make_photo("never.jpg")
    added = watcher.wait_for("record.orphaned", seconds=2, path="never.jpg")
    Photo.objects.filter(pk=new.pk).update(image="elsewhere.jpg")
    changed = watcher.wait_for("record.orphaned", seconds=2, path="elsewhere.jpg")
    watcher.end(signal.SIGTERM)

    assert [line["key"] for line in (removed, added, changed)] == [str(photo.pk), str(new.pk), str(new.pk)]
    again = start_watcher()
    again.end(signal.SIGTERM)
    assert "record.orphaned" not in again.events


def test_once_tells_of_the_losses_and_leaves_nothing_to_look_at(media: Path, launch: Launch) -> None:
    photo = make_photo("never.jpg")

    watcher = launch("--once")
    wait_until(lambda: not watcher.is_running, seconds=60)

    assert [line["key"] for line in watcher.named("record.orphaned")] == [str(photo.pk)]
    assert (Candidate.objects.count(), UncheckedReference.objects.count()) == (1, 0)
