"""Keeps what is done again and again to a part of the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 5  # of the time, one part at most


class Pace:
    """When something is due again: after at least so many seconds, and four times as long as it took."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = self._rested = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= max(self._next, self._rested)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While it is done; also if it fails, it is not due at once."""
        began = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            self._next = now + max(self._seconds, (SHARE - 1) * (now - began))

    def rest(self, seconds: float) -> None:
        """Makes it due no sooner than in so many seconds."""
        self._rested = time.monotonic() + seconds

    def hasten(self) -> None:
        """Ends the rest."""
        self._rested = 0.0
