"""Turns signals into one flag; the second signal ends the process at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopFlag:
    """Whether, and by which signal, the process was asked to stop.

    A plain attribute: an Event's lock, taken in a signal handler, can be one that this very thread holds.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __str__(self) -> str:
        return self.signal.name if self.signal else "asked"

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = signal.Signals(number)


@contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """A flag that SIGTERM and SIGINT raise; the handlers before it come back at the end."""
    stop = StopFlag()
    before = {number: signal.signal(number, stop.hear) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
