"""A disk that is slow, and one that never answers."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import ended
from tests.watcher.surveys import make, polling
from watcher.notices import GapError

pytestmark = pytest.mark.sqlite


@contextmanager
def hanging(monkeypatch: pytest.MonkeyPatch, path: Path) -> Iterator[threading.Event]:
    """A disk that does not answer when this directory is listed; the event tells that it was asked."""
    asked, answer, real = threading.Event(), threading.Event(), os.scandir

    def hang(folder: bytes) -> Any:
        if folder == os.fsencode(path):
            asked.set()
            answer.wait(60)
        return real(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", hang)
        yield asked
    answer.set()


def test_a_disk_that_does_not_answer_makes_no_source(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging(monkeypatch, root), pytest.raises(GapError) as gap, polling(root, patience=0.2):
        pass

    assert (gap.value.reason, gap.value.detail) == (GapReason.THREAD_DIED, f"{root} does not answer.")


def test_a_slow_disk_is_waited_for_as_long_as_it_gets_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, *(f"{number}/" for number in range(10)))
    real = os.scandir

    def slow(path: bytes) -> Any:
        threading.Event().wait(0.2)
        return real(path)

    monkeypatch.setattr(os, "scandir", slow)

    with polling(root, patience=1.5) as source:  # less than the eleven directories take
        assert source.directories == 11
        assert source.answers_within >= 5 * 2.2


def test_a_hanging_disk_holds_nobody_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, "photos/")
    with polling(root) as source:
        with hanging(monkeypatch, root / "photos") as asked:
            source.call("in vain")
            assert asked.wait(10)
            began = time.monotonic()
            assert (source.take(10), source.hindrance(), source.answers_within) == ([], None, 30.0)

            source.close()

            assert 1.5 < time.monotonic() - began < 5.0
        source._thread.join(10)
        assert not source._thread.is_alive()


def test_the_time_to_answer_follows_the_interval(root: Path) -> None:
    with polling(root, interval=100.0) as source:
        assert 200.0 <= source.answers_within < 230.0


def test_closing_leaves_no_thread_and_does_not_wait_for_the_interval(root: Path) -> None:
    threads = threading.active_count()
    began = time.monotonic()
    with polling(root, interval=100.0) as source:
        pass

    assert (threading.active_count(), ended(source)[0].reason) == (threads, GapReason.THREAD_DIED)
    assert time.monotonic() - began < 5.0
