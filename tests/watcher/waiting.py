"""Waits for what the kernel or another process does in its own time."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Returns as soon as the condition holds; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.01)
