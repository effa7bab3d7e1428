"""Turns signals into one flag; the second signal ends the process at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopFlag:
    """Whether, and by which signal, the process was asked to stop.

    A plain attribute: an Event's lock, taken in a signal handler, can be one that this very thread holds.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._has_terminal = os.isatty(0)  # asked now: one that has hung up is none any more

    def __str__(self) -> str:
        return self.signal.name if self.signal else "asked"

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    @property
    def is_to_restart(self) -> bool:
        """Whether it was asked to begin anew, with the configuration as it is now, and not left by its terminal."""
        return self.signal is signal.SIGHUP and not self._has_terminal

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler; a stop that comes after a SIGHUP is no second signal."""
        if self.signal is not None and number == signal.SIGHUP:
            return
        if self.signal is not None and not self.is_to_restart:
            os._exit(128 + number)
        self.signal = signal.Signals(number)


@contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """A flag that SIGTERM, SIGINT and SIGHUP raise; the handlers before them come back at the end."""
    stop = StopFlag()
    before = {number: signal.signal(number, stop.hear) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def begin_anew() -> None:
    """Replaces the process by a new one of the same command line, which reads settings and code again."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the new one hears it
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
