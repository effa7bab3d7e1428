"""A file system that shows a folder, and fails or falls silent when it is told to.

As a program: `python -m tests.faults.fuse SOURCE MOUNTPOINT --control FILE`. Each line of the control file is an
order: the operation, an errno's name, "hang" or "untyped" (a readdir that does not tell files from folders), and a
path as the mount has it ("/" is all of it and the default).
The kernel is not allowed to remember anything, so each order holds from the next call on.
"""

import argparse
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.watcher.waiting import wait_until

try:
    import mfusepy
except (ImportError, OSError):  # the second where libfuse is not installed
    mfusepy = None

PROJECT = Path(__file__).parents[2]
HANG = "hang"
HANGS_SECONDS = 600.0  # longer than any test; the server is ended before

needs_fuse = pytest.mark.skipif(
    mfusepy is None or not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0,
    reason="needs root, /dev/fuse, libfuse3 (fuse3) and mfusepy",
)


class Mount:
    """A mounted folder and the server behind it."""

    def __init__(self, source: Path, place: Path, control: Path) -> None:
        self.place = place
        self._control = control
        self._hanging = hanging_at(control)
        self.heal()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fuse", source, place, "--control", control],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
        )

    @property
    def is_ready(self) -> bool:
        """Whether it is mounted; fails if the server has ended."""
        assert self._server.poll() is None, "the FUSE server has ended"
        return is_mounted(self.place)

    def order(self, *orders: str) -> None:
        """Replaces all orders, such as "readdir EIO /photos"."""
        written = self._control.with_suffix(".new")
        written.write_text("\n".join(orders))
        written.replace(self._control)

    def heal(self) -> None:
        self.order()

    @property
    def hangs(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._hanging.exists()

    def kill(self) -> None:
        """Ends the server as a crash would: the mount stays, and every call fails with ENOTCONN."""
        self._server.kill()
        self._server.wait()


@contextmanager
def mounted(source: Path, place: Path) -> Iterator[Mount]:
    """Shows `source` at `place`; at the end nothing is mounted there and no server runs, whatever happened."""
    mount = Mount(source, place, place.with_name(f"{place.name}.control"))
    try:
        wait_until(lambda: mount.is_ready)
        yield mount
    finally:
        mount.kill()  # first: who waits for an answer is let go
        if is_mounted(place):
            subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)


def is_mounted(place: Path) -> bool:
    """Whether something is mounted here; the place itself, which might not answer, is not asked."""
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        return any(line.split()[4] == os.path.realpath(place.parent) + f"/{place.name}" for line in stream)


def hanging_at(control: str | Path) -> Path:
    """The file that is there while the server keeps somebody waiting."""
    return Path(f"{control}.hanging")


class Passthrough:
    """The operations: each looks for an order first, and then does what it is asked in the source."""

    use_ns = True  # as mfusepy wants to be told

    def __init__(self, source: str, control: str) -> None:
        self._source = source
        self._control = control

    def getattr(self, path: str, _handle: int | None = None) -> dict[str, Any]:
        found = os.lstat(self._real("getattr", path))
        plain = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_blocks")
        times = ("st_atime", "st_mtime", "st_ctime")
        return {name: getattr(found, name) for name in plain} | {name: getattr(found, f"{name}_ns") for name in times}

    def readdir(self, path: str, _handle: int) -> Iterator[tuple[str, dict[str, int], int]]:
        with os.scandir(self._real("readdir", path)) as entries:
            is_untyped = self._order("readdir", path) == "untyped"
            found = [
                (one.name, {} if is_untyped else {"st_mode": one.stat(follow_symlinks=False).st_mode}, 0)
                for one in entries
            ]
        yield from [(".", {}, 0), ("..", {}, 0), *found]

    def readlink(self, path: str) -> str:
        return os.readlink(self._real("readlink", path))

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._real("mkdir", path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._real("rmdir", path))

    def unlink(self, path: str) -> None:
        os.unlink(self._real("unlink", path))

    def rename(self, old: str, new: str) -> None:
        os.rename(self._real("rename", old), self._real("rename", new))

    def create(self, path: str, mode: int, _info: Any = None) -> int:
        return os.open(self._real("create", path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real("open", path), flags)

    def read(self, path: str, size: int, offset: int, handle: int) -> bytes:
        self._real("read", path)
        return os.pread(handle, size, offset)

    def write(self, path: str, data: bytes, offset: int, handle: int) -> int:
        self._real("write", path)
        return os.pwrite(handle, data, offset)

    def truncate(self, path: str, length: int, _handle: int | None = None) -> None:
        os.truncate(self._real("truncate", path), length)

    def release(self, _path: str, handle: int) -> None:
        os.close(handle)

    def _real(self, operation: str, path: str) -> str:
        if self._order(operation, path) == HANG:
            hanging_at(self._control).touch()
            wait_until(lambda: self._order(operation, path) != HANG, seconds=HANGS_SECONDS)
            hanging_at(self._control).unlink(missing_ok=True)
        number = getattr(errno, self._order(operation, path), 0)
        if number:
            raise OSError(number, os.strerror(number))
        return self._source + path

    def _order(self, operation: str, path: str) -> str:
        for line in Path(self._control).read_text().splitlines():
            ordered, what, place = [*line.split(" ", 2), "/"][:3]
            if ordered == operation and (place in ("/", path) or path.startswith(f"{place}/")):
                return what
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=os.path.realpath)
    parser.add_argument("mountpoint")
    parser.add_argument("--control", required=True)
    asked = parser.parse_args()
    mfusepy.FUSE(
        Passthrough(asked.source, asked.control),
        asked.mountpoint,
        foreground=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
    )


if __name__ == "__main__":
    main()
