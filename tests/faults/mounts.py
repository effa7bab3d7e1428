"""Mounts file systems for a test; whatever happens, they are gone afterwards."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and make namespaces")


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def unmount(place: Path, *, lazily: bool = False) -> None:
    subprocess.run(["umount", *(["--lazy"] if lazily else []), place], check=True, capture_output=True)


def mount_tmpfs(place: Path, *, size: str = "64m") -> None:
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)


@contextmanager
def released(place: Path) -> Iterator[None]:
    """Takes everything off a place at the end, however many mounts lie there."""
    try:
        yield
    finally:
        while str(place) in _mount_points():
            unmount(place, lazily=True)


def _mount_points() -> list[str]:
    # os.path.ismount does not see a folder that is mounted from the same file system.
    return [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def make_image(folder: Path) -> Path:
    """A file that holds an empty file system, to be mounted with `-o loop`."""
    path = folder / "image"
    with path.open("wb") as stream:
        stream.truncate(4_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", path], check=True, capture_output=True)
    return path


def fill(folder: Path) -> Path:
    """A file that takes all the room its file system has."""
    path = folder / "junk"
    with path.open("wb", buffering=0) as stream:
        for size in (65_536, 4_096, 1):
            _write_all(stream.fileno(), b"x" * size)
    return path


def _write_all(stream: int, block: bytes) -> None:
    try:
        while True:
            os.write(stream, block)
    except OSError:
        return
