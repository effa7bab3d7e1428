"""Tells health checks, Prometheus and systemd how the watcher is; what cannot be told is said once, in the log."""

from contextlib import AbstractContextManager
from types import TracebackType

from auditor.catalogue import ReportFailed
from auditor.jsonlog import JsonLog
from watcher import health
from watcher.status import STALE_SECONDS, State, WatcherStatus
from watcher.systemd import Notifier, line


class Reporters(AbstractContextManager["Reporters"]):
    """The health file always, systemd where it started us, and metrics where they were asked for."""

    def __init__(self, folder: str, *, metrics: str, log: JsonLog) -> None:
        """`metrics` is the address to serve them at, or empty; raises AuditorError if it cannot be served."""
        self._folder = folder
        self._log = log
        self._notifier = Notifier.from_environment()
        self._metrics = None
        self._is_ready = False
        self.is_to_restart = False
        self._told: set[str] = set()
        if metrics:
            from watcher import metrics as prometheus  # noqa: PLC0415 # an optional package, and not a light one

            self._metrics = prometheus.serve(metrics)

    def tell(self, status: WatcherStatus) -> None:
        """Given about once a second."""
        faults = [self._write_health(status), self._notifier.status(line(status)), self._notifier.alive()]
        if not self._is_ready:  # after the first round: a root that has to be waited for is no reason to start again
            self._is_ready = True
            faults.append(self._notifier.ready())
        if self._metrics is not None:
            self._metrics.update(status)
        present = set(filter(None, faults))
        for fault in sorted(present - self._told):
            self._log.emit(ReportFailed(error=fault))
        self._told = present

    def _write_health(self, status: WatcherStatus) -> str:
        is_idle = all(root.state in (State.STANDBY, State.BLIND) for root in status.roots)
        if is_idle and health.is_told_by_another(self._folder, pid=status.pid, stale_after=STALE_SECONDS):
            return ""  # they share one state directory, and the health of the one that watches is what counts
        return health.write(status, self._folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A service that is to begin anew must not call itself stopping: systemd would see to it that it stops.
        (self._notifier.reloading if self.is_to_restart else self._notifier.stopping)()
        if self._metrics is not None:
            self._metrics.close()
