"""Turns the kernel's events into notices, and keeps the map of watches in step with them."""

from collections.abc import Iterable, Iterator

from auditor.auditlog.coverage import GapReason
from watcher import limits, masks
from watcher.notices import GapError, Kind, Notice
from watcher.readings import Batch, RawEvent, Readings
from watcher.tree import WatchedTree


class Hearing:
    """What the events of one root say, in the order in which they were read."""

    def __init__(self, tree: WatchedTree, readings: Readings, calls_watch: int) -> None:
        self._tree = tree
        self._readings = readings
        self._calls_watch = calls_watch

    def notices_of(self, event: RawEvent, batch: Batch) -> Iterator[Notice]:
        """The notices of the next event; raises GapError if it says that something may have been missed."""
        watch, mask, _, name = event
        path, is_directory = self._path(event), bool(mask & masks.ISDIR)
        if mask & masks.OF_A_WATCH:
            self._hear_of_watch(watch, mask)
        elif watch == self._calls_watch:
            yield Notice(Kind.HEARD, batch.at, name)
        elif mask & masks.MOVED_FROM:
            arrival = self._readings.arrival_of(event, batch.moment)
            to = None if arrival is None else self._path(arrival)
            yield from self._moved(path, to, is_directory, batch.at)
        elif mask & masks.MOVED_TO and self._readings.is_told(event):
            return
        elif path is None:
            return  # of a directory that has left the root
        elif mask & masks.DELETE:
            yield from self._gone(Kind.DELETED, path, is_directory, batch.at)
        else:
            yield from self._appeared(path, is_directory, batch.at)

    def _path(self, event: RawEvent) -> bytes | None:
        folder = self._tree.folder(event[0])
        return None if folder is None else folder + event[3]

    def _hear_of_watch(self, watch: int, mask: int) -> None:
        folder = self._tree.folder(watch)
        if mask & masks.Q_OVERFLOW:
            raise GapError(GapReason.OVERFLOW, limits.overflow())
        if watch == self._calls_watch:
            raise GapError(GapReason.SPOOL_FAILED, "The state folder was removed.")
        if mask & masks.UNMOUNT and folder is not None:
            raise GapError(GapReason.UNMOUNTED, f"{self._tree.shown(watch)} was unmounted.")
        if folder == b"" and mask & masks.MOVE_SELF:
            raise GapError(GapReason.ROOT_REPLACED, "The media folder was renamed.")
        if folder == b"":
            raise GapError(GapReason.ROOT_GONE, "The media folder was removed.")
        if mask & masks.IGNORED:
            self._tree.forget(watch)

    def _moved(self, path: bytes | None, to: bytes | None, is_directory: bool, at: float) -> Iterator[Notice]:
        if path is not None and to is not None:
            yield Notice(Kind.MOVED, at, path, is_directory, to)
            if is_directory:
                yield from created(self._tree.follow(path + b"/", to + b"/"), at)
        elif path is not None:
            yield from self._gone(Kind.MOVED_OUT, path, is_directory, at)
        elif to is not None:
            yield from self._appeared(to, is_directory, at)

    def _gone(self, kind: Kind, path: bytes, is_directory: bool, at: float) -> Iterator[Notice]:
        yield Notice(kind, at, path, is_directory)
        if is_directory:
            yield from created(self._tree.leave(path + b"/"), at)

    def _appeared(self, path: bytes, is_directory: bool, at: float) -> Iterator[Notice]:
        yield Notice(Kind.CREATED, at, path, is_directory)
        if is_directory:
            yield from created(self._tree.watch(path + b"/"), at)


def created(found: Iterable[tuple[bytes, bool]], at: float) -> Iterator[Notice]:
    """The notices of what was found by looking."""
    for path, is_directory in found:
        yield Notice(Kind.CREATED, at, path, is_directory)


def died(error: Exception) -> GapError:
    """The gap that an error in a thread makes."""
    return GapError(GapReason.THREAD_DIED, f"{type(error).__name__}: {error}")
