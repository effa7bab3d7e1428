"""What a watcher does for the records of its root after a checkpoint, a bit at each tick."""

from collections.abc import Callable

from auditor.auditlog.events import CheckpointCompleted
from watcher.candidates import BATCH, Candidates
from watcher.database import AWAY
from watcher.journaling import Journaling
from watcher.listener import Listener
from watcher.losses import Losses
from watcher.pace import Pace
from watcher.root_fields import fields_of
from watcher.site import Site

REVIEW_SECONDS = 60.0
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0
UNHEARD_SECONDS = 1.0  # how long an entry waits whose file is not heard of yet


class Following:
    """Keeps the candidates of one open span up to date, and tells of the losses among them."""

    def __init__(self, listener: Listener, site: Site, *, confirm: Callable[[], None]) -> None:
        """Makes the triggers that are missing: the census to come can count on them."""
        recorder = listener.recorder
        fields = fields_of(recorder.root.path, site.using)
        self._recorder = recorder
        self._candidates = Candidates(recorder, fields, make_reach=listener.make_reach, using=site.using)
        self._losses = Losses(recorder, fields, confirm=confirm, using=site.using, log=site.log)
        self._journaling = Journaling(self._candidates.columns, site, root=recorder.root.path)
        self._journaling.install()
        self._columns = {one.field.id: one.column.id for one in fields}
        self._marks: dict[str, str] | None = None
        self._resolved = -1
        self._draining, self._resolving, self._reviewing = Pace(0.0), Pace(0.0), Pace(0.0)
        self._failing = Pace(0.0)
        self._pause = RETRY_SECONDS
        self.is_settled = False
        self.wants_census = False

    def compared(self, checkpoint: CheckpointCompleted) -> None:
        """Goes on from a checkpoint: what it saw is judged, and its candidates are to be reviewed."""
        self._marks = {
            self._columns[name]: seen["journal"] for name, seen in checkpoint.compared.items() if name in self._columns
        }
        self.wants_census = self.is_settled = False
        self._reviewing.hasten()

    def tick(self) -> bool:
        """Does what is due; whether there is more to do at once.

        Nothing before the first checkpoint: until then the log route is closed, and the census looks at everything.
        What the database refuses is tried again after a pause that grows: deletions are recorded meanwhile.
        """
        if self._marks is None or not self._failing.is_due:
            return False
        try:
            has_more = self._do_what_is_due(self._marks)
        except AWAY:
            self._failing.rest(self._pause)
            self._pause = min(2 * self._pause, LONGEST_RETRY_SECONDS)
            raise
        self._pause = RETRY_SECONDS
        return has_more

    def _do_what_is_due(self, marks: dict[str, str]) -> bool:
        if self._journaling.is_due and self._journaling.have_changed(marks):
            self.wants_census = True
        has_more = self._drain()
        is_resolved = self._resolve()
        has_more = self._losses.tell() or has_more
        self._review()
        self.is_settled = is_resolved and not has_more
        return has_more

    def _drain(self) -> bool:
        if not self._draining.is_due:
            return False
        has_more = self._candidates.drain() == BATCH
        if not has_more and self._candidates.has_unheard:
            self._draining.rest(UNHEARD_SECONDS)
        return has_more

    def _resolve(self) -> bool:
        """Whether all that the log holds by now is resolved."""
        position = self._recorder.position
        if position == self._resolved:
            return True
        if not self._resolving.is_due:
            return False
        with self._resolving.kept():
            if self._candidates.resolve():  # what vanishes a second time is a loss of its own
                self._reviewing.hasten()
        self._resolved = position
        return True

    def _review(self) -> None:
        if self._reviewing.is_due:
            with self._reviewing.kept():
                has_more = self._candidates.review()
            if not has_more:
                self._reviewing.rest(REVIEW_SECONDS)
