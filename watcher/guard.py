"""Ends the process when it is held up: a supervisor starts it again, while silence would pass for a quiet disk."""

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

STOP_SECONDS = 7.0  # supervisors kill after ten
WAKE_SECONDS = 0.5
LAST_WORDS_SECONDS = 2.0


class Pulse:
    """Says whether the main thread gets on; a plain attribute, set by one thread and read by another."""

    def __init__(self) -> None:
        self.beats = 0
        self.is_paused = False

    def beat(self) -> None:
        """Called wherever the main thread gets on."""
        self.beats += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """For work that may take long, while nothing is vouched for."""
        self.is_paused = True
        try:
            yield
        finally:
            self.is_paused = False
            self.beat()


class Guard(Thread):
    """Watches the pulse and the signals from a thread of its own: the main thread may hang in the kernel.

    `last_words` is given a sentence, in a thread of its own, and has two seconds.
    """

    def __init__(self, pulse: Pulse, *, stall_seconds: float, last_words: Callable[[str], None]) -> None:
        super().__init__(name="guard", daemon=True)
        self._pulse = pulse
        self._stall_seconds = stall_seconds
        self._last_words = last_words
        self._signals, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Stands guard; to be entered in the main thread."""
        before = signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            self._wakeup.close()  # ends the thread
            self.join(2 * WAKE_SECONDS)
            self._signals.close()

    def run(self) -> None:
        """Waits for signals, and counts the wakings without a beat: a process that was itself stopped counts none."""
        seen, idle, deadline = self._pulse.beats, 0.0, float("inf")
        while (heard := self._heard()) is not None:
            for number in heard:
                if deadline < float("inf"):
                    os._exit(128 + number)
                deadline = time.monotonic() + STOP_SECONDS
            if time.monotonic() > deadline:
                self._give_up("It could not stop in time.")
            moved = self._pulse.beats != seen or self._pulse.is_paused
            seen, idle = self._pulse.beats, 0.0 if moved else idle + WAKE_SECONDS
            if idle > self._stall_seconds:
                self._give_up(f"Nothing has moved for {self._stall_seconds:.0f} s: a disk or the database hangs.")

    def _heard(self) -> list[int] | None:
        """The signals to stop that came within one waking; None at the end."""
        ready, _, _ = select.select([self._signals], [], [], WAKE_SECONDS)
        if not ready:
            return []
        data = self._signals.recv(64)
        return [number for number in data if number in (signal.SIGTERM, signal.SIGINT)] if data else None

    def _give_up(self, sentence: str) -> None:
        speaking = Thread(target=self._last_words, args=(sentence,), daemon=True)
        speaking.start()
        speaking.join(LAST_WORDS_SECONDS)
        os._exit(1)
