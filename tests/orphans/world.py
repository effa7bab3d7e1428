"""A media folder, what happens in it, and the log that its watcher keeps: all of the watcher but the kernel."""

import os
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from auditor.auditlog import store
from auditor.auditlog.coverage import GapReason
from auditor.auditlog.events import SpanClosed
from auditor.journal import triggers
from auditor.jsonlog import JsonLog
from auditor.orphans.journaled import audited_columns
from auditor.roots import identity
from tests.makers import real
from watcher.candidates import Candidates
from watcher.census import Part, take_census
from watcher.fence import Watermark
from watcher.ignored import never
from watcher.notices import Kind, Notice
from watcher.reach import Reach
from watcher.recorder import Recorder
from watcher.root_fields import fields_of
from watcher.spool import Spool
from watcher.translate import events_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class World:
    """Does things to the disk, and hears of them as the watcher's source does, once a span is open.

    What cannot be done (a file in a file, a folder moved into itself) is left undone.
    Heard is not recorded: `record` brings the notices into the log, in their order.
    """

    def __init__(self, media: Path) -> None:
        self.media = media
        self.outside = media.with_name("outside")
        self.outside.mkdir()
        self.root = store.register_root(real(media), using="default")
        triggers.install(audited_columns("default"), using="default")
        spool = Spool(str(media.with_name("spool.sqlite3")), limit_bytes=1_000_000)
        self.recorder = Recorder(self.root, spool, using="default", log=JsonLog(uuid4()))
        self.span = uuid4()
        self.is_watched = self.is_compared = False
        self.notices: list[Notice] = []
        self.census: Iterator[Part] | None = None
        fields = fields_of(self.root.path, "default")
        self.candidates = Candidates(self.recorder, fields, make_reach=Reach, using="default")
        self._numbers = count()

    def create(self, path: str) -> None:
        """Writes a file, with the folders that it needs; nothing is heard of one that was there."""
        place = self.media / path
        if self._make_parents(path) and not place.is_dir():
            is_new = not os.path.lexists(place)
            if is_new:
                place.write_bytes(b"content")
                self._hear(Kind.CREATED, path)

    def make_directory(self, path: str) -> None:
        if self._make_parents(path) and not os.path.lexists(self.media / path):
            (self.media / path).mkdir()
            self._hear(Kind.CREATED, path, is_directory=True)

    def link(self, path: str, target: str) -> None:
        """Makes a symlink, which the kernel tells of as of a file."""
        if self._make_parents(path) and not os.path.lexists(self.media / path):
            (self.media / path).symlink_to(target)
            self._hear(Kind.CREATED, path)

    def remove(self, path: str) -> None:
        """Removes a file, or a folder as `rm -r` does."""
        if not self.is_there(path):
            return
        if self._is_folder(path):
            for name in sorted(os.listdir(self.media / path)):
                self.remove(f"{path}/{name}")
            (self.media / path).rmdir()
            self._hear(Kind.DELETED, path, is_directory=True)
        else:
            (self.media / path).unlink()
            self._hear(Kind.DELETED, path)

    def move(self, path: str, to: str) -> None:
        """Renames a file or a folder inside the root; a file or an empty folder in the way is replaced."""
        if not self.is_there(path) or path == to or to.startswith(f"{path}/") or not self._make_parents(to):
            return
        is_directory = self._is_folder(path)
        try:
            os.rename(self.media / path, self.media / to)
        except OSError:
            return
        self._hear(Kind.MOVED, path, is_directory=is_directory, to=to)
        if is_directory:
            self._hear_of_all_in(to)

    def move_out(self, path: str) -> None:
        """Moves a file or a folder out of the root."""
        if self.is_there(path):
            is_directory = self._is_folder(path)
            os.rename(self.media / path, self.outside / str(next(self._numbers)))
            self._hear(Kind.MOVED_OUT, path, is_directory=is_directory)

    def move_in(self, path: str) -> None:
        """Moves what left the root last back into it, under any name."""
        if not (left := sorted(os.listdir(self.outside), key=int)):
            return
        if not self._make_parents(path) or os.path.lexists(self.media / path):
            return
        os.rename(self.outside / left[-1], self.media / path)
        self._hear(Kind.CREATED, path, is_directory=self._is_folder(path))
        if self._is_folder(path):
            self._hear_of_all_in(path)

    def paths(self) -> list[str]:
        """All that there is, folders and what is in them."""
        return sorted(str(path.relative_to(self.media)) for path in self.media.rglob("*"))

    def is_there(self, path: str) -> bool:
        """Whether something is at the path, reached without a symlink."""
        parent = os.path.dirname(path)
        return (not parent or self._is_folder(parent)) and os.path.lexists(self.media / path)

    def open_span(self) -> None:
        """Begins to listen, and to vouch for the root."""
        if not self.is_watched:
            self.span, self.is_watched, self.is_compared = uuid4(), True, False
            self.recorder.open_span(self.span, identity(self.root.path), store.database_time("default"))

    def close_span(self) -> None:
        """Ends listening; what was heard and not recorded is lost, as it is in a crash."""
        if self.is_watched:
            self.is_watched, self.notices, self.census = False, [], None
            moment = store.database_time("default")
            closed = SpanClosed(
                root=self.root.pk,
                occurred_at=moment,
                span=str(self.span),
                covered_until=moment.isoformat(),
                reason=GapReason.CRASHED,
            )
            self.recorder.record([closed])

    def begin_census(self) -> None:
        if self.is_watched and self.census is None:
            self.census = take_census(self.root, self.span, reach=Reach(), using="default")

    def step_census(self) -> None:
        """Takes the census a batch further, if there is one."""
        part = next(self.census, None) if self.census else None
        if part is not None:
            self.recorder.commit(part.events, also=partial(part.keep, "default"))
        elif self.census:
            self.census, self.is_compared = None, True

    def drain(self) -> None:
        """Looks at what is in the journal."""
        if self.is_watched:
            self.candidates.drain()

    def resolve(self) -> None:
        """Looks for the records of what has vanished, as far as that was recorded."""
        if self.is_watched:
            self.candidates.resolve()

    def review(self) -> None:
        """Drops what is no candidate any more."""
        if self.is_watched:
            self.candidates.review()

    def record(self, watermark: Watermark | None = None) -> None:
        """Brings what was heard into the log.

        The watcher does not while a census is under way, but the log does not rely on that.
        """
        self.recorder.record(list(events_of(self.notices, self.root.pk, never)), watermark)
        self.notices = []

    def come_to_rest(self) -> None:
        """Lets the watcher do what it must: afterwards the log vouches for the root up to now.

        Journal and missing names may be as they are: the log route looks at them itself.
        """
        self.open_span()
        if not self.is_compared:
            self.begin_census()
        while self.census:
            self.step_census()
        self.record(Watermark(span=self.span, covered_until=store.database_time("default")))

    def _hear(self, kind: Kind, path: str, *, is_directory: bool = False, to: str = "") -> None:
        if self.is_watched:
            self.notices.append(Notice(kind, time.time(), os.fsencode(path), is_directory, os.fsencode(to)))

    def _hear_of_all_in(self, path: str) -> None:
        for name in sorted(os.listdir(self.media / path)):
            inside = f"{path}/{name}"
            self._hear(Kind.CREATED, inside, is_directory=self._is_folder(inside))
            if self._is_folder(inside):
                self._hear_of_all_in(inside)

    def _make_parents(self, path: str) -> bool:
        parent = os.path.dirname(path)
        if not parent:
            return True
        self.make_directory(parent)
        return self._is_folder(parent)

    def _is_folder(self, path: str) -> bool:
        place = self.media / path
        return place.is_dir() and real(place) == os.path.join(self.root.path, path)
