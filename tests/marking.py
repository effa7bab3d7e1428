"""Markers, and file systems that refuse: what the tests of markers and of roots share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from auditor.errors import AuditorError, ExitCode
from auditor.marker import MARKER, NOTE
from tests.makers import make_file

OURS = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")
OTHERS = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")


def content_of(uid: UUID) -> str:
    return f"{uid}\n{NOTE}\n"


def put_marker(media: Path, uid: UUID) -> None:
    make_file(media, MARKER, content_of(uid).encode())


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(AuditorError) as caught:
        call()
    assert caught.value.exit_code is ExitCode.REFUSED_ROOT
    return caught.value.message, caught.value.hint


def replacing(media: Path) -> str:
    return f"If this folder is meant, run: python manage.py register_media_root --replace {media}"


def fail(monkeypatch: pytest.MonkeyPatch, call: str, number: int, *, path: str) -> None:
    """Lets one call of `os` fail for one path."""
    honest = getattr(os, call)

    def failing(asked: Any, *rest: Any, **more: Any) -> Any:
        if asked == path:
            raise OSError(number, os.strerror(number), path)
        return honest(asked, *rest, **more)

    monkeypatch.setattr(os, call, failing)


def refuse_writing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Lets nothing be made in any folder, as where it is read-only."""
    honest = os.open

    def failing(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_WRONLY:
            raise OSError(number, os.strerror(number), path)
        return honest(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", failing)
