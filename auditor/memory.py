"""Spares a run that holds many rows the search for garbage among them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 300_000  # made between two searches; Python's own 700 (2,000 since 3.13) cost a fifth of a run's time


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it, Python looks for garbage less often: next to nothing of what a run makes is garbage."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
