"""Looks at one root again and again, where the kernel does not tell what other machines delete."""

import os
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.ignored import never
from watcher.listing import SEPARATOR, Survey
from watcher.notices import GapError, Kind, Notice
from watcher.outbox import Publisher

PATIENCE_SECONDS = 30.0
LONGEST_POLLS = 5  # a call waits for the end of one poll and for the next, and disks have slow days
SLICE_SECONDS = 0.1
CLOSE_SECONDS = 2.0


class PollingSource(Publisher):
    """The notices of one root, from the moment it is made; a gap ends it for good.

    A poll lists every directory. Only a complete one counts: it is compared with the complete one before,
    and of any other nothing is told. A rename is told as a deletion and a new file.
    """

    folders_changed = False
    answers_at_once = False

    def __init__(
        self,
        root: str,
        *,
        limit: int,
        wake: Event,
        interval: float,
        confirm: Callable[[], None],
        is_ignored: Callable[[bytes], bool] = never,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Lists every directory once before it returns, then again after each rest of `interval` seconds.

        It holds at most `limit` notices, and `wake` is set whenever there is something new to be asked.
        `confirm` raises GapError if the root is not the root; it is called in a thread of the source.
        Raises GapError if the root cannot be listed, or if nothing at all is read for `patience` seconds.
        """
        self._root = os.fsencode(root)
        self._limit = limit
        self._wake = wake
        super().__init__(limit=limit, wake=wake)
        self._interval = interval
        self._confirm = confirm
        self._is_ignored = is_ignored
        self._patience = patience
        self._calls: deque[bytes] = deque()
        self._listings: dict[bytes, bytes] | None = None
        self._gap: GapError | None = None
        self._hindrance: GapError | None = None
        self._longest = 0.0
        self._began = self._got_on = time.monotonic()
        self._is_stopped = Event()
        self._has_polled = Event()
        self._thread = Thread(target=self._run, name=f"polling {root}", daemon=True)
        self._thread.start()
        self._wait_for_first_poll()

    @property
    def answers_within(self) -> float:
        """Seconds after which a call that is not heard was not heard at all; a slow poll counts while it gets on."""
        longest = max(self._longest, self._got_on - self._began)
        return max(self._patience, LONGEST_POLLS * longest + 2 * self._interval)

    @property
    def directories(self) -> int:
        """How many directories the last complete poll has listed."""
        return len(self._listings or ())

    def take(self, limit: int) -> list[Notice]:
        """The oldest notices; raises GapError once all that was heard before the gap has been taken."""
        gap = self._gap
        taken = self._outbox.take(limit)
        if gap is not None and not taken:
            raise gap
        return taken

    def reach(self) -> Callable[[bytes], bool]:
        """Whether the vanishing of a path is told: only what the last complete poll has listed can be missed."""

        def hears(path: bytes) -> bool:
            listings = self._listings or {}
            if path.endswith(b"/"):
                return path in listings
            cut = path.rfind(b"/") + 1
            listing, name = listings.get(path[:cut], b""), path[cut:]
            ends = listing == name or listing.startswith(name + SEPARATOR) or listing.endswith(SEPARATOR + name)
            return ends or SEPARATOR + name + SEPARATOR in listing

        return hears

    def call(self, token: str) -> None:
        """Asks for proof: the next complete poll that begins from now on is followed by this token."""
        self._calls.append(os.fsencode(token))

    def hindrance(self) -> GapError | None:
        """Why the last poll was not complete; the next one mends it if it can."""
        return self._hindrance

    def differences(self) -> list[str]:
        """Nothing: a complete poll has listed all that is on the disk."""
        return []

    def close(self) -> None:
        """Ends the thread; one that hangs in the file system is left to itself after two seconds."""
        self._is_stopped.set()
        self._thread.join(CLOSE_SECONDS)

    def _wait_for_first_poll(self) -> None:
        try:
            while not self._has_polled.wait(SLICE_SECONDS):
                if time.monotonic() - self._got_on > self._patience:
                    raise GapError(GapReason.THREAD_DIED, f"{limits.shown(self._root)} does not answer.")
            if self._gap is not None:
                raise self._gap
        except BaseException:
            self._is_stopped.set()
            raise

    def _run(self) -> None:
        try:
            while not self._is_stopped.is_set():
                self._poll()
                self._has_polled.set()
                self._is_stopped.wait(self._interval)
            self._gap = GapError(GapReason.THREAD_DIED, "The polling thread has ended.")
        except GapError as gap:
            self._gap = gap
        except Exception as error:  # a poller that died in silence would pass for a quiet disk
            self._gap = GapError(GapReason.THREAD_DIED, f"{type(error).__name__}: {error}")
        self._has_polled.set()
        self._wake.set()

    def _poll(self) -> None:
        self._began = self._got_on = time.monotonic()
        due = len(self._calls)
        self._confirm()
        survey = Survey(self._root, self._listings, is_ignored=self._is_ignored)
        hindrance = self._carry_out(survey)
        self._confirm()  # else what is out of sight by now would be told as deleted
        self._got_on = time.monotonic()
        self._longest = max(self._longest, self._got_on - self._began)
        if self._is_stopped.is_set():
            return
        if hindrance is None:
            self._conclude(survey, due)
        elif not survey.at and not self._has_polled.is_set():
            raise hindrance
        self._hindrance = hindrance
        self._wake.set()

    def _carry_out(self, survey: Survey) -> GapError | None:
        try:
            for _ in survey.steps():
                self._got_on = time.monotonic()
                if self._is_stopped.is_set() or len(survey.changes) > self._limit:
                    break
        except GapError as gap:
            return gap
        return None

    def _conclude(self, survey: Survey, due: int) -> None:
        if self._hindrance is not None and self._listings is None:
            # What was deleted since the first poll is not known, and a new source starts with a whole one.
            raise self._hindrance
        self._outbox.put(survey.changes)
        self._listings = survey.listings
        self._outbox.put([Notice(Kind.HEARD, time.time(), self._calls.popleft()) for _ in range(due)])
