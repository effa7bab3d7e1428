"""What a root is listened to with, whichever way its file system allows."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from watcher.notices import GapError, Notice


class Observer(StrEnum):
    """How a root is listened to; `auto` asks the kernel where that is enough, and looks again and again elsewhere."""

    AUTO = "auto"
    INOTIFY = "inotify"
    POLLING = "polling"


class Source(Protocol):
    """The notices of one root, from the moment it is made; a gap ends it for good.

    It is made and used by one thread; whatever hears does so in threads of its own.
    """

    folders_changed: bool
    """Whether a directory appeared, moved or vanished since the caller last set this to False."""

    answers_at_once: bool
    """Whether a call is heard in the time that a stop may take."""

    @property
    def answers_within(self) -> float:
        """Seconds after which a call that is not heard was not heard at all."""

    @property
    def seen(self) -> int:
        """How many notices there have been."""

    @property
    def directories(self) -> int:
        """How many directories are listened to."""

    @property
    def waiting(self) -> int:
        """How many notices wait to be taken."""

    @property
    def high_water(self) -> int:
        """The most notices that have waited at once."""

    def take(self, limit: int) -> list[Notice]:
        """The oldest notices; raises GapError once all that was heard before the gap has been taken."""

    def reach(self) -> Callable[[bytes], bool]:
        """For one comparison with the disk: whether it is told if a path vanishes that is there at a later look."""

    def call(self, token: str) -> None:
        """Asks for proof: a HEARD notice with this token follows all that happened before. Raises OSError."""

    def hindrance(self) -> GapError | None:
        """Why the root as a whole cannot be vouched for, although the rest of it is heard; tries to mend it first."""

    def differences(self) -> list[str]:
        """What is on the disk and not listened to, for a person; what has only just changed may be among it."""

    def close(self) -> None:
        """Ends the threads, and frees what they held, without waiting for one that hangs."""
