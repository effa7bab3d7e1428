"""The right to look after a root: one watcher has it, the others stand by."""

from contextlib import suppress

from auditor.locks import Lock
from auditor.models import Root
from watcher.database import AWAY


class Claim:
    """A lock on a root, by the key that the database knows it by now."""

    def __init__(self, *, using: str) -> None:
        self._using = using
        self._lock: Lock | None = None
        self._key: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it; asks nobody."""
        return self._lock is not None and self._lock.is_held

    def take(self, root: Root) -> bool:
        """Whether it is ours from now on, or was before."""
        if self._lock is None or self._key != root.pk:
            self.let_go()
            self._lock, self._key = Lock(f"watch-{root.pk}", using=self._using), root.pk
        return self._lock.acquire()

    def renew(self) -> None:
        """Tries to take it again, after the connection that it lived on was lost."""
        if self._lock is not None and not self._lock.is_held:
            self._lock.acquire()

    def holder(self) -> str:
        """Who has it, for a person."""
        return self._lock.holder() if self._lock else "nobody"

    def let_go(self) -> None:
        """Leaves it to whoever stands by."""
        lock, self._lock = self._lock, None
        if lock is not None:
            with suppress(*AWAY):
                lock.release()
