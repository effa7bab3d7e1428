"""The lines of the JSON log about one root."""

from auditor import catalogue
from auditor.auditlog.events import SpanClosed
from auditor.jsonlog import JsonLog
from watcher.sources import Observer


class RootLog:
    """Says what happens to one root; what has not changed is not said again."""

    def __init__(self, root: str, log: JsonLog) -> None:
        self._root = root
        self._log = log
        self._waits_for = ("", "")
        self._observed = (Observer.INOTIFY, "")

    def waits(self, reason: str, detail: str) -> None:
        """The root cannot be vouched for."""
        if (reason, detail) != self._waits_for:
            self._waits_for = (reason, detail)
            self._log.emit(catalogue.RootWaiting(root=self._root, reason=reason, detail=detail))

    def listens(self, observer: Observer, why: str) -> None:
        """The root is listened to in this way; asking the kernel goes without saying."""
        if (observer, why) != self._observed:
            self._observed = (observer, why)
            self._log.emit(catalogue.ObserverChosen(root=self._root, observer=observer, reason=why))

    def opened(self, span: str, directories: int) -> None:
        """A span was opened."""
        self._waits_for = ("", "")
        self._log.emit(catalogue.SpanOpened(root=self._root, span=span, directories=directories))

    def closed(self, closed: SpanClosed) -> None:
        """A span was closed."""
        self._log.emit(
            catalogue.SpanClosed(
                root=self._root,
                span=closed.span,
                covered_until=closed.covered_until,
                reason=closed.reason,
                detail=closed.detail,
            )
        )

    def spool_broken(self, moved_to: str) -> None:
        """The spool could not be read."""
        self._log.emit(catalogue.SpoolBroken(root=self._root, moved_to=moved_to))
