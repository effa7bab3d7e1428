"""Reads the kernel's word on one root into memory; the only module that knows watchdog.

Descriptor, poll and parsing are watchdog's. Its Observer is not used: on overflow it drops what it has read,
and it skips what it cannot watch, both without telling a handler.
"""

import ctypes
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from threading import Event
from typing import TypeAlias

from watchdog.observers.inotify_c import InotifyConstants as In
from watchdog.observers.inotify_c import InotifyFD, Mask, WatchDescriptor, inotify_add_watch, inotify_rm_watch

from auditor.auditlog.coverage import GapReason
from watcher import limits
from watcher.notices import GapError, Kind, Notice
from watcher.tree import WatchedTree

RawEvent: TypeAlias = tuple[WatchDescriptor, Mask, int, bytes]  # watch, mask, cookie, name

WATCHED = Mask(
    In.IN_DELETE
    | In.IN_MOVED_FROM
    | In.IN_MOVED_TO
    | In.IN_CREATE
    | In.IN_DELETE_SELF
    | In.IN_MOVE_SELF
    | In.IN_ONLYDIR
    | In.IN_DONT_FOLLOW
)
OF_THE_WATCH = In.IN_Q_OVERFLOW | In.IN_UNMOUNT | In.IN_IGNORED | In.IN_DELETE_SELF | In.IN_MOVE_SELF
BUFFER_BYTES = 262_144  # some 6,000 events
OTHER_HALF_MS = 20


class Source(InotifyFD):
    """The notices of one root, from the moment it is made; a gap ends it for good."""

    def __init__(self, root: str, *, limit: int, wake: Event) -> None:
        """Watches every directory before it returns, and holds at most `limit` notices.

        `wake` is set whenever there is something to take. Raises GapError if a directory cannot be watched.
        """
        try:
            super().__init__()
        except OSError as error:
            raise GapError(GapReason.NOT_WATCHED, limits.no_instance(error)) from error
        self._limit = limit
        self._wake = wake
        self._notices: deque[Notice] = deque()
        self._gap: GapError | None = None
        self._calls = b""
        self._calls_watch = -1
        self._tree = WatchedTree(os.fsencode(root), add=self._add_watch, remove=self._remove_watch_of)
        try:
            self._watch_for_calls()
            deque(self._tree.watch(b""), maxlen=0)
        except BaseException:
            self.close()
            raise
        self.start()

    @property
    def directories(self) -> int:
        """How many directories are watched."""
        return len(self._tree)

    def take(self, limit: int) -> list[Notice]:
        """The oldest notices; raises GapError once all that was heard before the gap has been taken."""
        has_ended = not self.is_alive()
        taken = [self._notices.popleft() for _ in range(min(limit, len(self._notices)))]
        if has_ended and not taken:
            raise self._gap or GapError(GapReason.THREAD_DIED, "The reading thread has ended.")
        return taken

    def call(self, token: str) -> None:
        """Makes an event of our own: what happened before is heard before the token is. Raises OSError."""
        path = os.path.join(self._calls, os.fsencode(token))
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, mode=0o600))
        os.unlink(path)

    def close(self) -> None:
        """Ends the thread, frees the descriptor with all its watches, and removes the folder for calls."""
        if self._closed:
            return
        self.stop()
        if self.is_alive():
            self.join()
        self._closed = True
        self._close_resources()
        if self._calls:
            shutil.rmtree(self._calls, ignore_errors=True)

    def on_thread_stop(self) -> None:
        """Wakes the reader, which then ends by itself; watchdog would take the descriptor from under it."""
        os.write(self._kill_w, b"!")

    def run(self) -> None:
        """Reads until it is stopped, or something may have been missed."""
        try:
            while self.should_keep_running():
                self._hear(self._read())
        except GapError as gap:
            self._gap = gap
        except Exception as error:  # a reader that died in silence would pass for a quiet disk
            self._gap = GapError(GapReason.THREAD_DIED, f"{type(error).__name__}: {error}")
        self._wake.set()

    def _add_watch(self, path: bytes) -> int:
        return inotify_add_watch(self._inotify_fd, path, WATCHED)

    def _remove_watch_of(self, watch: int) -> int:
        return inotify_rm_watch(self._inotify_fd, WatchDescriptor(watch))

    def _watch_for_calls(self) -> None:
        # Not in the root, which may be read-only: order holds between all watches of one descriptor.
        try:
            self._calls = os.fsencode(tempfile.mkdtemp(prefix="media-auditor-"))
        except OSError as error:
            raise GapError(GapReason.NOT_WATCHED, f"No temporary folder can be made: {error}.") from error
        self._calls_watch = inotify_add_watch(self._inotify_fd, self._calls, In.IN_CREATE)
        if self._calls_watch == -1:
            raise GapError(GapReason.NOT_WATCHED, limits.no_watch(self._calls, ctypes.get_errno()))

    def _read(self) -> list[RawEvent]:
        events = self._read_once()
        # The halves of a move are queued one after the other, and a reading can end between them.
        while events and events[-1][1] & In.IN_MOVED_FROM and self._poller and self._poller.poll(OTHER_HALF_MS):
            more = self._read_once()
            if not more:
                break
            events += more
        return events

    def _read_once(self) -> list[RawEvent]:
        return list(self._parse_event_buffer(self._read_event_buffer(BUFFER_BYTES)))

    def _hear(self, events: Iterable[RawEvent]) -> None:
        at = time.time()
        heard: list[Notice] = []
        try:
            for event, arrival in paired(events):
                folder = self._tree.folder(event[0])
                if event[1] == In.IN_DELETE and folder is not None:  # in a storm, nearly all there is
                    heard.append(Notice(Kind.DELETED, at, folder + event[3]))
                else:
                    heard.extend(self._notices_of(event, arrival, at))
        finally:
            self._publish(heard)

    def _publish(self, heard: list[Notice]) -> None:
        room = self._limit - len(self._notices)
        self._notices.extend(heard[:room])
        self._wake.set()
        if len(heard) > room:
            raise GapError(GapReason.QUEUE_FULL, limits.queue_full(self._limit))

    def _notices_of(self, event: RawEvent, arrival: RawEvent | None, at: float) -> Iterator[Notice]:
        watch, mask, _, name = event
        path, is_directory = self._path(event), bool(mask & In.IN_ISDIR)
        if mask & OF_THE_WATCH:
            self._hear_of_watch(watch, mask)
        elif watch == self._calls_watch:
            yield Notice(Kind.HEARD, at, name)
        elif mask & In.IN_MOVED_FROM:
            to = None if arrival is None else self._path(arrival)
            yield from self._moved(path, to, is_directory, at)
        elif path is None:
            return  # of a directory that has left the root
        elif mask & In.IN_DELETE:
            yield Notice(Kind.DELETED, at, path, is_directory)
        else:
            yield from self._appeared(path, is_directory, at)

    def _path(self, event: RawEvent) -> bytes | None:
        folder = self._tree.folder(event[0])
        return None if folder is None else folder + event[3]

    def _hear_of_watch(self, watch: WatchDescriptor, mask: Mask) -> None:
        is_root = self._tree.folder(watch) == b""
        if mask & In.IN_Q_OVERFLOW:
            raise GapError(GapReason.OVERFLOW, limits.overflow())
        if mask & In.IN_UNMOUNT:
            raise GapError(GapReason.UNMOUNTED, f"{self._tree.shown(watch)} was unmounted.")
        if is_root and mask & In.IN_MOVE_SELF:
            raise GapError(GapReason.ROOT_REPLACED, "The media folder was renamed.")
        if is_root:
            raise GapError(GapReason.ROOT_GONE, "The media folder was removed.")
        if mask & In.IN_IGNORED:
            self._tree.forget(watch)

    def _moved(self, path: bytes | None, to: bytes | None, is_directory: bool, at: float) -> Iterator[Notice]:
        if path is not None and to is not None:
            yield Notice(Kind.MOVED, at, path, is_directory, to)
            if is_directory:
                yield from _created(self._tree.follow(path + b"/", to + b"/"), at)
        elif path is not None:
            if is_directory:
                self._tree.leave(path + b"/")
            yield Notice(Kind.MOVED_OUT, at, path, is_directory)
        elif to is not None:
            yield from self._appeared(to, is_directory, at)

    def _appeared(self, path: bytes, is_directory: bool, at: float) -> Iterator[Notice]:
        yield Notice(Kind.CREATED, at, path, is_directory)
        if is_directory:
            yield from _created(self._tree.watch(path + b"/"), at)


def paired(events: Iterable[RawEvent]) -> Iterator[tuple[RawEvent, RawEvent | None]]:
    """Each event alone, but a departure with its arrival where that follows at once.

    An arrival that comes later is given alone: the missing set learns as much from the two as from a move.
    """
    departed: RawEvent | None = None
    for event in events:
        if departed is not None:
            is_arrival = event[1] & In.IN_MOVED_TO and event[2] == departed[2]
            yield departed, event if is_arrival else None
            departed = None
            if is_arrival:
                continue
        if event[1] & In.IN_MOVED_FROM:
            departed = event
        else:
            yield event, None
    if departed is not None:
        yield departed, None


def _created(found: Iterable[tuple[bytes, bool]], at: float) -> Iterator[Notice]:
    for path, is_directory in found:
        yield Notice(Kind.CREATED, at, path, is_directory)
