"""Waits, ticks and stops: the life of the watcher, in one thread that owns the database."""

import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event

from auditor import catalogue
from auditor.errors import AuditorError
from auditor.jsonlog import JsonLog
from watcher.root_watch import RootWatch
from watcher.shutdown import StopFlag

PAUSE_SECONDS = 0.2  # how long a signal or a timer may wait
COALESCE_SECONDS = 0.05  # a burst becomes a few transactions and not thousands
STOP_SECONDS = 5.0  # supervisors kill after ten


class Daemon:
    """Looks after all roots until it is asked to stop."""

    def __init__(self, roots: Sequence[str], *, using: str, log: JsonLog) -> None:
        self._log = log
        self._wake = Event()
        self._watches = [RootWatch(root, using=using, log=log, wake=self._wake) for root in roots]

    def run(self, stop: StopFlag) -> None:
        """Ticks until asked to stop, then closes every span.

        Raises AuditorError if it cannot go on: with one part dead, the rest would look like a quiet disk.
        """
        try:
            while not stop.is_asked:
                if not self.tick():
                    self._wait()
            self.stop(str(stop))
        except Exception as error:
            foreseen = error if isinstance(error, AuditorError) else _unforeseen(error)
            self._give_up(foreseen.message)
            raise foreseen from error

    def tick(self) -> bool:
        """Does one round; whether there is more to do at once."""
        has_more = [watch.tick() for watch in self._watches]  # each has its turn
        return any(has_more)

    def stop(self, reason: str) -> None:
        """Hears out what has happened until now, and closes every span."""
        deadline = time.monotonic() + STOP_SECONDS
        for watch in self._watches:
            watch.stop(seconds=max(0.0, deadline - time.monotonic()))
        committed = sum(watch.committed for watch in self._watches)
        self._log.emit(catalogue.WatcherStopped(reason=reason, events=committed))

    def _wait(self) -> None:
        if self._wake.wait(PAUSE_SECONDS):
            time.sleep(COALESCE_SECONDS)
            self._wake.clear()

    def _give_up(self, detail: str) -> None:
        for watch in self._watches:
            with suppress(Exception):  # what cannot be closed now is closed by the next start
                watch.give_up(detail)


def _unforeseen(error: Exception) -> AuditorError:
    return AuditorError(
        f"The watcher met an error it does not know: {type(error).__name__}: {error}",
        hint="Start it again; with --traceback it shows where.",
    )
