"""Takes what a source has heard to the recorder, whether or not anybody vouches for the whole of the root."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from watcher import census
from watcher.census import Part
from watcher.fence import Watermark
from watcher.notices import Notice
from watcher.reach import Reach
from watcher.recorder import Recorder
from watcher.sources import Source
from watcher.translate import events_of

TAKEN_AT_ONCE = 10_000  # notices: bounds the memory and the length of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """Whether more is waiting to be heard, and whether all that was heard is in the log."""

    has_more: bool
    is_recorded: bool


class Listener:
    """A source with its recorder; `reach` is that of the last comparison with the disk."""

    def __init__(self, source: Source, recorder: Recorder, *, is_ignored: Callable[[bytes], bool], using: str) -> None:
        self.source = source
        self.recorder = recorder
        self.reach = Reach()
        self._is_ignored = is_ignored
        self._using = using

    def listen(self, proof_in: Callable[[list[Notice]], Watermark | None] = lambda _: None) -> Listened:
        """Records the oldest notices, with the watermark that is proved by them."""
        notices = self.source.take(TAKEN_AT_ONCE)
        events = list(events_of(notices, self.recorder.root.pk, self._is_ignored))
        is_recorded = self.recorder.record(events, proof_in(notices))
        return Listened(has_more=len(notices) == TAKEN_AT_ONCE, is_recorded=is_recorded)

    def make_reach(self) -> Reach:
        """What is listened to now, for one comparison with the disk."""
        return Reach(self.source.reach(), self._is_ignored)

    def take_census(self, span: UUID) -> Iterator[Part]:
        """What brings missing set and candidates up to the disk, then the checkpoint; see `census.take_census`."""
        self.reach = self.make_reach()
        return census.take_census(self.recorder.root, span, reach=self.reach, using=self._using)
