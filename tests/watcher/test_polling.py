"""What is heard by looking again and again, and what a look that fails is worth."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import created, deleted, ended, heard, removed
from tests.watcher.surveys import fail_at, make, polling
from tests.watcher.waiting import wait_until
from watcher.notices import GapError, Kind

pytestmark = pytest.mark.sqlite

EIO = os.strerror(errno.EIO)


def ended_with(reason: GapReason, detail: str) -> Callable[[], None]:
    def raise_gap() -> None:
        raise GapError(reason, detail)

    return raise_gap


class Steps:
    """A confirmation that waits to be let through, once before and once after each poll."""

    def __init__(self, free: int) -> None:
        self.asked = 0
        self._passes = threading.Semaphore(free)

    def __call__(self) -> None:
        self.asked += 1
        assert self._passes.acquire(timeout=30)

    def let_through(self, count: int) -> None:
        """So many more; returns when the next one waits."""
        before = self.asked
        self._passes.release(count)
        wait_until(lambda: self.asked == before + count)

    def let_all_through(self) -> None:
        self._passes.release(1_000_000)


def test_what_happens_after_the_first_poll_is_heard(root: Path, tmp_path: Path) -> None:
    make(root, "photos/a.jpg", "old/b.jpg", "kept.jpg")
    with polling(root) as source:
        (root / "photos/a.jpg").unlink()
        assert heard(source) == [deleted(b"photos/a.jpg")]

        (root / "old").rename(tmp_path / "elsewhere")
        assert heard(source) == [removed(b"old")]

        make(root, "photos/a.jpg")
        assert heard(source) == [created(b"photos/a.jpg")]


def test_a_quiet_root_is_heard_to_be_quiet(root: Path) -> None:
    make(root, "photos/a.jpg")
    with polling(root) as source:
        assert heard(source) == []
        assert (source.hindrance(), source.differences(), source.folders_changed) == (None, [], False)


def test_what_is_ignored_is_not_heard(root: Path) -> None:
    with polling(root, is_ignored=lambda path: path.startswith(b"cache")) as source:
        make(root, "cache/a.jpg", "b.jpg")

        assert heard(source) == [created(b"b.jpg")]


def test_a_call_is_answered_by_the_poll_that_begins_after_it(root: Path) -> None:
    steps = Steps(free=2)
    with polling(root, confirm=steps) as source:
        wait_until(lambda: steps.asked == 3)  # a poll has begun
        source.call("late")
        steps.let_through(2)
        assert source.take(10) == []

        steps.let_through(2)

        assert [(notice.kind, notice.path) for notice in source.take(10)] == [(Kind.HEARD, b"late")]
        steps.let_all_through()


def test_the_answer_comes_after_all_that_was_found(root: Path) -> None:
    make(root, "a.jpg", "b.jpg")
    with polling(root) as source:
        (root / "a.jpg").unlink()
        (root / "b.jpg").unlink()
        source.call("token")
        wait_until(lambda: source.waiting == 3)

        assert [notice.path for notice in source.take(2)] == [b"a.jpg", b"b.jpg"]
        assert [notice.path for notice in source.take(2)] == [b"token"]


def test_the_counters_tell_what_was_found(root: Path) -> None:
    make(root, "photos/2024/a.jpg", "b.jpg")
    with polling(root) as source:
        (root / "b.jpg").unlink()
        make(root, "new/")
        source.call("token")
        wait_until(lambda: source.waiting == 3)
        source.take(2)

        assert (source.directories, source.waiting, source.high_water, source.seen) == (4, 1, 3, 3)


@pytest.mark.parametrize("function", ["scandir", "lstat"])
def test_a_disk_that_fails_hinders_and_tells_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    make(root, "photos/a.jpg", "b.jpg")
    failing, verb = {"scandir": ("photos", "listed"), "lstat": ("photos/a.jpg", "looked at")}[function]
    with polling(root) as source:
        with monkeypatch.context() as patch:
            fail_at(patch, function, root / failing, errno.EIO)
            (root / "photos/a.jpg").unlink()
            (root / "b.jpg").unlink()
            source.call("in vain")
            wait_until(source.hindrance)
            told = source.take(10)
            hindrance = source.hindrance()

        healed = heard(source)

    assert told == []
    assert str(hindrance) == f"not_watched: {root}/{failing} cannot be {verb}: {EIO}."
    assert sorted(healed) == sorted([deleted(b"b.jpg"), deleted(b"photos/a.jpg")])
    assert source.hindrance() is None


def test_a_directory_that_cannot_be_listed_at_first_ends_the_source_once_it_can(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, "photos/a.jpg")
    with monkeypatch.context() as patch:
        fail_at(patch, "scandir", root / "photos", errno.ESTALE)
        with polling(root) as source:
            hindrance = source.hindrance()
            source.call("in vain")
            assert source.take(10) == []
            patch.undo()

            gap = ended(source)[0]

    detail = f"{root}/photos cannot be listed: {os.strerror(errno.ESTALE)}."
    assert hindrance is gap
    assert (gap.reason, gap.detail) == (GapReason.NOT_WATCHED, detail)


def test_a_root_that_cannot_be_listed_makes_no_source(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, "scandir", root, errno.EIO)

    with pytest.raises(GapError) as gap, polling(root):
        pass

    assert str(gap.value) == f"not_watched: {root} cannot be listed: {EIO}."


def test_a_root_that_is_not_the_root_makes_no_source(root: Path) -> None:
    with pytest.raises(GapError) as gap, polling(root, confirm=ended_with(GapReason.MARKER_GONE, "No marker.")):
        pass

    assert str(gap.value) == "marker_gone: No marker."


def test_a_root_that_goes_out_of_sight_in_the_middle_of_a_poll_is_a_gap_and_no_deletion(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, "marker", "photos/a.jpg")
    real, looks = os.scandir, []

    def confirm() -> None:
        if not (root / "marker").exists():
            raise GapError(GapReason.UNMOUNTED, "The media folder was unmounted.")

    def unmounting(path: bytes) -> Any:
        if not looks:
            root.rename(tmp_path / "elsewhere")
            root.mkdir()
        looks.append(path)
        return real(path)

    with polling(root, confirm=confirm) as source:
        monkeypatch.setattr(os, "scandir", unmounting)
        source._thread.join(10)

        with pytest.raises(GapError) as gap:
            source.take(10)

    assert looks == [os.fsencode(root)]  # and what it saw was an empty folder
    assert str(gap.value) == "unmounted: The media folder was unmounted."


def test_more_changes_than_may_be_held_are_a_gap(root: Path) -> None:
    make(root, *(f"{number:02}.jpg" for number in range(20)))
    with polling(root, limit=10) as source:
        for number in range(20):
            (root / f"{number:02}.jpg").unlink()
        source._thread.join(10)

        assert len(source.take(100)) == 10
        gap = ended(source)[0]

    assert (gap.reason, gap.detail) == (
        GapReason.QUEUE_FULL,
        "10 notices waited for the database. Raise AUDITOR_QUEUE_LIMIT if memory allows.",
    )


def test_an_error_in_the_thread_is_a_gap_and_never_silence(root: Path) -> None:
    steps: list[int] = []

    def confirm() -> None:
        steps.append(1)
        if len(steps) > 2:
            raise KeyError("x")

    with polling(root, confirm=confirm) as source:
        gap = ended(source)[0]

    assert (gap.reason, gap.detail) == (GapReason.THREAD_DIED, "KeyError: 'x'")
