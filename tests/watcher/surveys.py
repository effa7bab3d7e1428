"""Makes trees, looks at them once or again and again, and lets a look fail."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import Heard
from watcher.ignored import never
from watcher.listing import Survey
from watcher.notices import GapError
from watcher.polling import PollingSource


def make(root: Path, *paths: str) -> None:
    """Files, and with a slash at the end directories, below a root."""
    for path in paths:
        folder = root / (path if path.endswith("/") else os.path.dirname(path))
        folder.mkdir(parents=True, exist_ok=True)
        if not path.endswith("/"):
            (root / path).touch()


def look(root: Path, before: Survey | None = None, *, is_ignored: Callable[[bytes], bool] = never) -> Survey:
    survey = Survey(os.fsencode(root), before.listings if before else None, is_ignored=is_ignored)
    for _ in survey.steps():
        pass
    return survey


def told(survey: Survey) -> list[Heard]:
    return [(notice.kind, notice.path, notice.is_directory, notice.to) for notice in survey.changes]


def gap_of(root: Path, before: Survey | None = None) -> tuple[GapReason, str]:
    with pytest.raises(GapError) as gap:
        look(root, before)
    return gap.value.reason, gap.value.detail


def fail_at(monkeypatch: pytest.MonkeyPatch, function: str, path: Path, number: int) -> None:
    """Lets one function of `os` fail at one path."""
    real = getattr(os, function)

    def failing(asked: bytes) -> Any:
        if asked == os.fsencode(path):
            raise OSError(number, os.strerror(number))
        return real(asked)

    monkeypatch.setattr(os, function, failing)


def is_root() -> None:
    """The root is the root."""


@contextmanager
def polling(
    root: Path, *, limit: int = 1_000, confirm: Callable[[], None] = is_root, **rest: Any
) -> Iterator[PollingSource]:
    rest = {"interval": 0.01, "wake": threading.Event(), **rest}
    source = PollingSource(str(root), limit=limit, confirm=confirm, **rest)
    try:
        yield source
    finally:
        source.close()
