"""Waits, ticks and stops: the life of the watcher, in one thread that owns the database."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from django.db import reset_queries

from auditor import catalogue
from auditor.errors import AuditorError, ExitCode
from watcher.root_watch import COMPARING, DATABASE, RootWatch
from watcher.shutdown import StopFlag
from watcher.site import Site
from watcher.status import RootStatus, State, WatcherStatus

PAUSE_SECONDS = 0.2  # how long a signal or a timer may wait
COALESCE_SECONDS = 0.05  # a burst becomes a few transactions and not thousands
STOP_SECONDS = 5.5  # the guard ends what takes seven
REPORT_SECONDS = 1.0
PATIENCE_SECONDS = 3.0  # how long a single comparison waits for a root that cannot be vouched for


class Reporter(Protocol):
    """Tells somebody outside how the watcher is; never raises."""

    def tell(self, status: WatcherStatus) -> None:
        """Given about once a second."""


class Daemon:
    """Looks after all roots until it is asked to stop."""

    def __init__(self, roots: Sequence[str], site: Site, *, reporters: Sequence[Reporter] = ()) -> None:
        self._site = site
        self._watches = [RootWatch(root, site) for root in roots]
        self._reporters = reporters
        self._next_report = 0.0

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
            raise self._give_up(error) from error

    def run_once(self, stop: StopFlag) -> None:
        """Compares every root with its references once, writes the checkpoint, and closes the spans.

        Raises AuditorError if a root could not be compared.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while not stop.is_asked and self._is_busy(deadline):
                if not self.tick():
                    self._wait()
            left = [watch.status() for watch in self._watches if not watch.is_compared]
            self.stop(str(stop) if stop.is_asked else "once")
        except Exception as error:
            raise self._give_up(error) from error
        if left and not stop.is_asked:
            raise _not_compared(left)

    def tick(self) -> bool:
        """Does one round; whether there is more to do at once."""
        has_more = False
        reset_queries()  # with DEBUG, Django keeps every query that was ever made
        for watch in self._watches:  # each has its turn
            has_more = watch.tick() or has_more
            self._site.pulse.beat()
        if time.monotonic() >= self._next_report:
            self._next_report = time.monotonic() + REPORT_SECONDS
            self._report()
        return has_more

    def stop(self, reason: str) -> None:
        """Hears out what has happened until now, and closes every span."""
        deadline = time.monotonic() + STOP_SECONDS
        for watch in self._watches:
            watch.stop(seconds=max(0.0, deadline - time.monotonic()))
        self._report()
        committed = sum(watch.committed for watch in self._watches)
        self._site.log.emit(catalogue.WatcherStopped(reason=reason, events=committed))

    def last_words(self, detail: str) -> None:
        """Closes the spans from another thread, when this one hangs and the process is about to end."""
        for watch in self._watches:
            watch.last_words(detail)

    def status(self) -> WatcherStatus:
        """How every root is now."""
        roots = tuple(watch.status() for watch in self._watches)
        return WatcherStatus(pid=os.getpid(), at=datetime.now(UTC), roots=roots)

    def _report(self) -> None:
        status = self.status()
        for reporter in self._reporters:
            reporter.tell(status)

    def _wait(self) -> None:
        if self._site.wake.wait(PAUSE_SECONDS):
            time.sleep(COALESCE_SECONDS)
            self._site.wake.clear()

    def _is_busy(self, deadline: float) -> bool:
        left = [watch.status() for watch in self._watches if not watch.is_compared]
        is_comparing = any(root.reason == COMPARING for root in left) or any(
            watch.is_compared and not watch.is_settled and watch.status().reason != DATABASE for watch in self._watches
        )
        is_hopeful = any(root.state is not State.STANDBY for root in left) and time.monotonic() < deadline
        return is_comparing or is_hopeful

    def _give_up(self, error: Exception) -> AuditorError:
        foreseen = error if isinstance(error, AuditorError) else _unforeseen(error)
        for watch in self._watches:
            with suppress(Exception):  # what cannot be closed now is closed by the next start
                watch.give_up(foreseen.message)
        self._report()
        return foreseen


def _unforeseen(error: Exception) -> AuditorError:
    return AuditorError(
        f"The watcher met an error it does not know: {type(error).__name__}: {error}",
        hint="Start it again; with --traceback it shows where.",
    )


def _not_compared(left: Sequence[RootStatus]) -> AuditorError:
    if all(root.state is State.STANDBY for root in left):
        return AuditorError(
            f"{left[0].path} was not compared: {left[0].detail}",
            hint="A running watcher compares everything by itself.",
            exit_code=ExitCode.REFUSED_LOCKED,
        )
    worst = next(root for root in left if root.state is not State.STANDBY)
    if worst.reason == DATABASE:
        return AuditorError(
            f"{worst.path} was not compared: the database failed: {worst.detail}",
            hint="Mend the database, then run the command again.",
        )
    return AuditorError(
        f"{worst.path} was not compared: {worst.detail or worst.reason or 'it took too long'}",
        hint="Mend that, then run the command again.",
        exit_code=ExitCode.REFUSED_ROOT,
    )
