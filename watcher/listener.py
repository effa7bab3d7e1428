"""Takes what a source has heard to the recorder, whether or not anybody vouches for the whole of the root."""

from collections.abc import Callable, Iterator
from uuid import UUID

from auditor.auditlog.events import Event
from watcher import census
from watcher.notices import Notice
from watcher.recorder import Recorder, Watermark
from watcher.sources import Source
from watcher.translate import events_of

TAKEN_AT_ONCE = 10_000  # notices: bounds the memory and the length of one transaction


class Listener:
    """A source with its recorder, and the names that neither is asked about."""

    def __init__(self, source: Source, recorder: Recorder, *, is_ignored: Callable[[bytes], bool], using: str) -> None:
        self.source = source
        self.recorder = recorder
        self._is_ignored = is_ignored
        self._using = using

    def listen(self, proof_in: Callable[[list[Notice]], Watermark | None] = lambda _: None) -> bool:
        """Records the oldest notices, with the watermark that is proved by them; whether more is waiting."""
        notices = self.source.take(TAKEN_AT_ONCE)
        events = list(events_of(notices, self.recorder.root.pk, self._is_ignored))
        self.recorder.record(events, proof_in(notices))
        return len(notices) == TAKEN_AT_ONCE

    def take_census(self, span: UUID) -> Iterator[list[Event]]:
        """The events that bring the missing set up to the disk, then the checkpoint; see `census.take_census`."""
        return census.take_census(self.recorder.root, span, is_ignored=self._is_ignored, using=self._using)
