"""Disks that fail, and folders that are closed to this process."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.orphans.disk import Disk, Look, Verdict
from tests.makers import real


def unknown(number: int) -> Look:
    """What is to be said of a name at which the system gives this errno."""
    return Look(Verdict.UNKNOWN, f"{errno.errorcode.get(number, 'error')}: {os.strerror(number)}", True)


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@contextmanager
def broken(function: str, number: int) -> Iterator[None]:
    """A system on which one function of `os` always fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, function, failing(number))
        yield


def judge(root: Path, *names: str, exact: bool = False) -> dict[str, Look]:
    return Disk(real(root), exact=exact).judge(names)


@contextmanager
def shared_media() -> Iterator[Path]:
    """A media folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        media = Path(folder, "media")
        media.mkdir()
        yield media
        os.chmod(media, 0o755)
        for path in media.glob("*/"):
            os.chmod(path, 0o755)


@contextmanager
def without_privileges() -> Iterator[None]:
    """This process as a user who has to keep to the permissions."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
