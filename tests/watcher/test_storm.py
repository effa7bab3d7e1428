"""Two threads do to a tree whatever can be done to one; afterwards the log must know of all that is gone."""

import contextlib
import ctypes
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.watcher.listening import make_source
from tests.watcher.waiting import wait_until
from watcher.notices import Kind, Notice

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
NAMES = "abcd"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
libc = ctypes.CDLL(None)


class Storm:
    """Random changes in a root and in a folder beside it; several threads may each run one."""

    def __init__(self, root: Path, outside: Path, seed: int) -> None:
        self._root = root
        self._outside = outside
        self._random = random.Random(seed)
        self.done = 0
        self._deeds: list[Callable[[], object]] = [
            self._make,
            self._make,
            self._touch,
            self._touch,
            self._unlink,
            self._move,
            self._move,
            self._move_out,
            self._move_in,
            self._remove,
            self._exchange,
            self._copy,
            self._delete_outside,
        ]

    def run(self, until: Callable[[], bool]) -> None:
        """Goes on until it is told to stop; what another thread has taken away is no error."""
        while not until():
            self.done += 1
            with contextlib.suppress(OSError, shutil.Error):
                self._random.choice(self._deeds)()

    def _place(self, most: int = 3) -> Path:
        return self._root.joinpath(*self._random.choices(NAMES, k=self._random.randint(1, most)))

    def _stranger(self) -> Path:
        return self._outside / self._random.choice(NAMES)

    def _make(self) -> None:
        self._place().mkdir(parents=True)

    def _touch(self) -> None:
        (self._place() / f"{self._random.randint(0, 5)}.jpg").touch()

    def _unlink(self) -> None:
        (self._place() / f"{self._random.randint(0, 5)}.jpg").unlink()

    def _move(self) -> None:
        self._place().rename(self._place())

    def _move_out(self) -> None:
        self._place().rename(self._stranger())

    def _move_in(self) -> None:
        self._stranger().rename(self._place())

    def _remove(self) -> None:
        shutil.rmtree(self._place())

    def _exchange(self) -> None:
        libc.renameat2(AT_FDCWD, bytes(self._place()), AT_FDCWD, bytes(self._place()), RENAME_EXCHANGE)

    def _copy(self) -> None:
        shutil.copytree(self._place(2), self._place(2))

    def _delete_outside(self) -> None:
        shutil.rmtree(self._stranger())


class Log:
    """Which of the files that were ever told of are gone, by what was told alone."""

    def __init__(self, files: set[bytes]) -> None:
        self.known = set(files)
        self.missing: set[bytes] = set()

    def add(self, notice: Notice) -> None:
        if notice.kind is Kind.HEARD:
            return
        if notice.kind is not Kind.CREATED:
            gone = (
                [path for path in self.known if path.startswith(notice.path + b"/")]
                if notice.is_directory
                else [notice.path]
            )
            self.missing.update(gone)
        there = notice.path if notice.kind is Kind.CREATED else notice.to
        if there and not notice.is_directory:
            self.known.add(there)
            self.missing.discard(there)


def files_in(root: Path) -> set[bytes]:
    return {
        os.path.relpath(os.path.join(folder, name), bytes(root))
        for folder, _, names in os.walk(bytes(root))
        for name in names
    }


def prepare(root: Path) -> None:
    for one in NAMES:
        for other in NAMES:
            (root / one / other).mkdir(parents=True)
            for number in range(3):
                (root / one / other / f"{number}.jpg").touch()


def storm(tmp_path: Path, seed: int, deeds: int) -> tuple[list[str], set[bytes], set[bytes], int]:
    """What differs afterwards, which known files are gone unsaid, which there are said to be gone, and how many."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    prepare(root)
    source = make_source(root)
    log = Log(files_in(root))
    storms = [Storm(root, outside, seed + number) for number in (0, 1)]

    def wait_for(more: int) -> None:
        goal = more + sum(one.done for one in storms)
        wait_until(lambda: sum(one.done for one in storms) >= goal, seconds=60)

    stop = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stop.is_set,)) for one in storms]
    try:
        for thread in threads:
            thread.start()
        for _ in range(deeds // 400):
            wait_for(200)
            with source._lock:  # the disk gets ahead of what is known of it
                wait_for(200)
        stop.set()
        for thread in threads:
            thread.join()
        source.call("quiet")
        told: list[Notice] = []

        def is_quiet() -> bool:
            told.extend(source.take(1_000_000))
            return bool(told) and told[-1].path == b"quiet"

        wait_until(is_quiet, seconds=60)
        for notice in told:
            log.add(notice)
        there = files_in(root)
        return source.differences(), log.known - there - log.missing, log.missing & there, len(told)
    finally:
        stop.set()
        source.close()


@pytest.mark.parametrize("seed", range(3))
def test_after_any_storm_all_directories_are_watched_and_nothing_is_gone_unsaid(tmp_path: Path, seed: int) -> None:
    differences, unsaid, wrong, told = storm(tmp_path, 1000 * seed, deeds=2_000)

    assert (differences, unsaid, wrong) == ([], set(), set())
    assert told > 100
