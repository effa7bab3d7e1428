"""A media folder on a file system of its own, that can be unmounted; only root can make one."""

import os
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

from tests.watcher.media_world import MediaWorld
from tests.watcher.waiting import wait_until


class MountedWorld(MediaWorld):
    """The folder is a file system of its own, which needs the rights of root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._image = folder / "image"
        self._aside = folder / "aside"
        self._aside.mkdir()
        with self._image.open("wb") as image:
            image.truncate(4_000_000)
        _run("mkfs.ext4", "-q", "-O", "^has_journal", self._image)
        self._mount(self.root)
        (self.root / "lost+found").rmdir()

    def move_out(self, path: str) -> None:
        """Copies an entry out of the root and removes it, as `mv` does between two file systems."""
        copy = shutil.copytree if path in self.folders() else shutil.copyfile
        copy(self.place / path, self.outside / str(len(self.left)))
        self.left.append(deepcopy(self.parent_of(path)[os.path.basename(path)]))
        self.remove(path)

    def hide(self, how: int) -> None:
        """Unmounts the folder, at once or lazily, or mounts an empty one over it."""
        if how % 3 == 2:
            _run("mount", "-t", "tmpfs", "none", self.root)
        else:
            _unmount(self.root, *(["--lazy"] * (how % 3)))
        self._mount(self._aside)
        self.place = self._aside

    def show(self) -> None:
        _unmount(self._aside)
        if os.path.ismount(self.root):
            _unmount(self.root)
        if not os.path.ismount(self.root):
            self._mount(self.root)
        self.place = self.root

    def close(self) -> None:
        for place in (self._aside, self.root, self.root):
            if os.path.ismount(place):
                _unmount(place, "--lazy")

    def _mount(self, place: Path) -> None:
        _run("mount", "-o", "loop", self._image, place)


def _unmount(place: Path, *how: str) -> None:
    # The watcher may be looking into it just now.
    wait_until(lambda: subprocess.run(["umount", *how, str(place)], check=False, capture_output=True).returncode == 0)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
