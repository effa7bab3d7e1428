"""Reads the kernel's word on one root into memory; with `ignored`, the only module that knows watchdog.

Descriptor and poll are watchdog's. Its Observer is not used: on overflow it drops what it has read, and it skips what
it cannot watch, both without telling a handler.
"""

import ctypes
import os
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread

from watchdog.observers.inotify_c import InotifyFD, Mask, WatchDescriptor, inotify_add_watch, inotify_rm_watch

from auditor.auditlog.coverage import GapReason
from watcher import limits, masks, watch_list
from watcher.calls import make_call, prepare
from watcher.hearing import Hearing, created, died
from watcher.ignored import never
from watcher.notices import GapError, Kind, Notice
from watcher.outbox import Publisher
from watcher.readings import Batch, Readings
from watcher.tree import WatchedTree
from watcher.watch_list import Watches

BUFFER_BYTES = 1_048_576  # more than the kernel's queue holds by default, with names of up to 47 bytes
EVENT_BYTES = 32  # of the kernel, with a name of up to 15 bytes
CLOSE_SECONDS = 2.0
RETRY_SECONDS = 5.0


class Reader(InotifyFD):
    """A thread that empties the kernel's queue and does nothing else; at most `limit` events wait in `readings`."""

    def __init__(self, *, limit: int) -> None:
        """Raises OSError if the kernel gives no descriptor."""
        super().__init__()
        self.readings = Readings()
        self._limit = limit
        self._buffer = bytearray(BUFFER_BYTES)
        os.set_blocking(self._inotify_fd, False)

    @property
    def descriptor(self) -> int:
        """The inotify descriptor."""
        return self._inotify_fd

    def on_thread_stop(self) -> None:
        """Wakes the thread, which then ends by itself; watchdog would take the descriptor from under it."""
        os.write(self._kill_w, b"!")

    def run(self) -> None:
        """Reads until it is stopped, or more waits than may."""
        try:
            while self.should_keep_running():
                self._read()
        except GapError as gap:
            self.readings.end(gap)
        except Exception as error:  # a reader that died in silence would pass for a quiet disk
            self.readings.end(died(error))
        else:
            self.readings.end()

    def add_watch(self, path: bytes, mask: int) -> int:
        """The watch of a path, or -1 and the errno of ctypes."""
        return inotify_add_watch(self._inotify_fd, path, Mask(mask))

    def remove_watch(self, watch: int) -> None:
        """Ends a watch, if the kernel has not ended it yet."""
        inotify_rm_watch(self._inotify_fd, WatchDescriptor(watch))

    def free(self) -> None:
        """Frees the descriptor with all its watches; nobody may use it any more."""
        self._close_resources()

    def read_some(self) -> bytes:
        """What is in the kernel's queue, waited for if need be; empty once the thread is stopped."""
        while self.should_keep_running():
            try:
                count = os.readv(self._inotify_fd, [self._buffer])
            except BlockingIOError:
                self._check_inotify_fd()  # not before each reading: in a storm, every wait for Python's lock counts
            else:
                return bytes(memoryview(self._buffer)[:count])
        return b""

    def _read(self) -> None:
        self.readings.put(self.read_some())
        if self.readings.waiting_bytes > self._limit * EVENT_BYTES:
            raise GapError(GapReason.QUEUE_FULL, limits.unread_full(self._limit))


class InotifySource(Publisher):
    """The notices of one root, from the moment it is made; a gap ends it for good.

    One thread reads, a second one makes notices, keeps the map of watches and looks at new directories.
    `limit` bounds the memory of both: so many notices may wait to be taken, and 32 bytes for each of as many
    events may wait to be made into notices.
    """

    answers_at_once = True
    answers_within = 30.0

    def __init__(
        self, root: str, *, limit: int, wake: Event, calls: str, is_ignored: Callable[[bytes], bool] = never
    ) -> None:
        """Watches every directory before it returns but those that `hindrance` speaks of.

        `wake` is set whenever there is something to take, `calls` is a folder for the files of `call`, made if need be
        and emptied, and `is_ignored` is asked with paths relative to the root.
        Raises GapError if the root itself cannot be watched.
        """
        try:
            self._reader = Reader(limit=limit)
        except OSError as error:
            raise GapError(GapReason.NOT_WATCHED, limits.no_instance(error)) from error
        self.folders_changed = True
        self._root = os.fsencode(root)
        self._wake = wake
        self._calls = os.fsencode(calls)
        self._calls_watch = -1
        self._is_ignored = is_ignored
        super().__init__(limit=limit, wake=wake)
        self._gap: GapError | None = None
        self._is_closed = False
        self._lock = Lock()  # of the tree
        self._parser = Thread(target=self._run, daemon=True)
        self._tree = WatchedTree(self._root, add=self._add, remove=self._reader.remove_watch, is_ignored=is_ignored)
        try:
            self._calls_watch = self._watch_for_calls()
            self._hearing = Hearing(self._tree, self._reader.readings, self._calls_watch)
            self._reader.start()  # before the walk, during which a queue could overflow
            deque(self._tree.watch(b""), maxlen=0)
            self._parser.start()
        except BaseException:
            self.close()
            raise

    @property
    def directories(self) -> int:
        """How many directories are watched."""
        return len(self._tree.known)

    def take(self, limit: int) -> list[Notice]:
        """The oldest notices; raises GapError once all that was heard before the gap has been taken."""
        has_ended = not self._parser.is_alive()
        taken = self._outbox.take(limit)
        if has_ended and not taken:
            raise self._gap or GapError(GapReason.THREAD_DIED, "The reading thread has ended.")
        return taken

    def reach(self) -> Callable[[bytes], bool]:
        """Whether the vanishing of a path is told, if it is there at a look after this was asked."""
        watches, unheard = self._tree.known.watches, set[bytes]()

        def hears(path: bytes) -> bool:
            folder = path[: path.rfind(b"/") + 1]
            if folder in watches and folder not in unheard:
                return True
            unheard.add(folder)  # for good: what is known of its files may be older than its watch
            return False

        return hears

    def call(self, token: str) -> None:
        """Makes an event of our own: what happened before is heard before the token is. Raises OSError."""
        make_call(self._calls, token)

    def hindrance(self) -> GapError | None:
        """Which directories are not watched, after one more try to watch them; None if all are."""
        if self._tree.unwatched and self._lock.acquire(timeout=RETRY_SECONDS):
            try:
                self._outbox.put_all(created(self._tree.retry(), time.time()))
                self.folders_changed = True
            except GapError as gap:
                return gap
            finally:
                self._lock.release()
        said = self._tree.hindrance()
        return GapError(GapReason.NOT_WATCHED, said) if said else None

    def differences(self) -> list[str]:
        """How the kernel's list of watches and our own differ from the disk, a sentence for each directory.

        What has only just changed may be among it: what is still said after a call that was made later is so.
        `folders_changed` says whether there is reason to ask, until it is reset.
        """
        known, unwatched = dict(self._tree.known.watches), frozenset(self._tree.unwatched)
        try:
            kept = watch_list.kept_by_kernel(self._reader.descriptor)
        except OSError as error:
            return [f"The kernel's list of watches cannot be read: {error.strerror}."]
        kept.pop(self._calls_watch, None)
        watches = Watches(known=known, kept=kept, unwatched=unwatched)
        return watch_list.differences(self._root, watches, self._is_ignored)

    def close(self) -> None:
        """Ends the threads and frees the descriptor with all its watches; one that hangs keeps it."""
        if self._is_closed:
            return
        self._is_closed = self._tree.is_abandoned = True
        self._reader.stop()
        deadline = time.monotonic() + CLOSE_SECONDS
        threads = [thread for thread in (self._reader, self._parser) if thread.is_alive()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if not any(thread.is_alive() for thread in threads):
            self._reader.free()

    def _add(self, path: bytes) -> int:
        return self._reader.add_watch(path, masks.OF_THE_ROOT if path == self._root else masks.OF_A_FOLDER)

    def _watch_for_calls(self) -> int:
        prepare(self._calls)
        watch = self._reader.add_watch(self._calls, masks.CREATE)
        if watch == -1:
            raise GapError(GapReason.NOT_WATCHED, limits.no_watch(self._calls, ctypes.get_errno()))
        return watch

    def _run(self) -> None:
        try:
            while not self._is_closed and (batch := self._reader.readings.next()) is not None:
                with self._lock:
                    self._hear(batch)
        except GapError as gap:
            self._gap = gap
        except Exception as error:
            self._gap = died(error)
        self._reader.stop()
        self._wake.set()

    def _hear(self, batch: Batch) -> None:
        at, folder_of, heard = batch.at, self._tree.folder, list[Notice]()
        try:
            for event in batch.events:
                folder = folder_of(event[0])
                if event[1] == masks.DELETE and folder is not None:  # in a storm, nearly all there is
                    heard.append(Notice(Kind.DELETED, at, folder + event[3]))
                elif event[1] & masks.ISDIR:  # of all that is in it there may be much to tell
                    self._outbox.put(heard)
                    self._outbox.put_all(self._hearing.notices_of(event, batch))
                    self.folders_changed = True
                else:
                    heard.extend(self._hearing.notices_of(event, batch))
        finally:
            self._outbox.put(heard)
