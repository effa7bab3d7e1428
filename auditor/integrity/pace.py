"""A limit on how many bytes are read in a second: a token bucket that holds one second's worth."""

from collections.abc import Callable


class Pace:
    """Makes whoever takes bytes wait; what is taken is owed first and paid by waiting, so no piece is too large."""

    def __init__(
        self, bytes_per_second: int | None, *, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self.bytes_per_second = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(bytes_per_second or 0)
        self._filled_at = clock()

    def take(self, size: int) -> None:
        """Returns once so many more bytes may have been read."""
        rate = self.bytes_per_second
        if rate is None:
            return
        now = self._clock()
        self._tokens = min(rate, self._tokens + (now - self._filled_at) * rate) - size
        self._filled_at = now
        if self._tokens < 0:
            self._sleep(-self._tokens / rate)
