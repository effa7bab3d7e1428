"""Which names the log can speak for, in one comparison with the disk."""

import os
from collections.abc import Callable

from watcher.ignored import never


def always(_path: bytes) -> bool:
    """Hears everything."""
    return True


class Reach:
    """What is ignored, and what is listened to; made for one comparison, and asked of a name before the disk is.

    `hears` is a source's `reach`; `unheard` counts the files that are there and that it does not hear of, yet.
    """

    def __init__(self, hears: Callable[[bytes], bool] = always, is_ignored: Callable[[bytes], bool] = never) -> None:
        self.unheard = 0
        self._hears = hears
        self._is_ignored = is_ignored
        self._folders: dict[str, bool] = {"": False}

    def is_ignored(self, name: str) -> bool:
        """Whether the watcher does not want to know of a name: it, or a folder that it lies in, is ignored."""
        if self._is_ignored is never:
            return False
        try:
            return self._lies_in_ignored(name.rpartition("/")[0]) or self._is_ignored(os.fsencode(name))
        except UnicodeEncodeError:  # no file can have this name
            return False

    def is_heard(self, name: str) -> bool:
        """Whether it will be told that a file of this name vanishes, if it is there at a later look."""
        try:
            return self._hears(os.fsencode(name))
        except UnicodeEncodeError:
            return True

    def _lies_in_ignored(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            above = folder.rpartition("/")[0]
            known = self._folders[folder] = self._is_ignored(os.fsencode(folder)) or self._lies_in_ignored(above)
        return known
