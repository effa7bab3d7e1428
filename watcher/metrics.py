"""Metrics for Prometheus: a small web server that tells the latest status to whoever asks.

Only this module uses prometheus_client, and only when metrics are asked for.
"""

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from auditor.auditlog.coverage import GapReason
from auditor.errors import AuditorError, ExitCode
from auditor.version import VERSION
from auditor.wording import safe
from watcher.status import STALE_SECONDS, RootStatus, State, WatcherStatus

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

PREFIX = "media_auditor_"
THIS_MACHINE, EVERY_ADDRESS = "127.0.0.1", "0.0.0.0"  # noqa: S104 - who writes a colon and no host asks for it
EXAMPLE = "Name an address with --metrics, such as 127.0.0.1:9187."
HIGHEST_PORT = 65_535
PORT = re.compile(r"[0-9]{1,5}")
REQUEST_SECONDS = 10.0
POLL_SECONDS = 0.1  # how long stopping may wait for the server

Samples = list[tuple[tuple[str, ...], float]]  # the values of the labels, and the number


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one metric; `name` is without the prefix, and without the `_total` of a counter."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Samples
    is_counter: bool = False


class Metrics:
    """A server of metrics, in threads of its own; `address` is where it listens."""

    def __init__(self, server: "_Server", collector: "_Collector") -> None:
        self._server = server
        self._collector = collector
        host, port = server.server_address[:2]
        self.address = f"{_bracketed(str(host))}:{port}"
        self._thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="metrics", daemon=True)
        self._thread.start()

    def update(self, status: WatcherStatus) -> None:
        """Makes this what is told from now on."""
        self._collector.update(status)

    def close(self) -> None:
        """Stops listening; an answer that is under way is not waited for."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(address: str) -> Metrics:
    """Serves metrics at "host:port", at ":port" (every IPv4 address), or at "port" (this machine only).

    Raises AuditorError if the address is none (usage), cannot be listened at, or prometheus_client is missing.
    """
    host, port = _parsed(address)
    collector = _Collector(stale_after=STALE_SECONDS)
    app = _app(collector)
    try:
        server = _Server(host, port)
    except (OSError, UnicodeError) as error:  # the latter for a host with an empty part
        reason = getattr(error, "strerror", None) or error
        message = f"Metrics cannot be served at {safe(address)}: {reason}."
        raise AuditorError(message, hint=EXAMPLE) from error
    server.set_app(app)
    return Metrics(server, collector)


def families(status: WatcherStatus | None, *, age_seconds: float, stale_after: float) -> Iterator[Family]:
    """What is told of a status of that age; nobody vouches for a root by a status older than `stale_after`."""
    roots = status.roots if status else ()
    for name, meaning, count in COUNTERS:
        yield Family(name, meaning, ("root",), _of_each(roots, count), is_counter=True)
    gaps: Samples = [((root.path, reason), count) for root in roots for reason, count in _gaps_of(root).items()]
    yield Family("gaps", "Spans closed since the watcher started, by reason.", ("root", "reason"), gaps, True)
    for name, meaning, value in GAUGES:
        yield Family(name, meaning, ("root",), _of_each(roots, value))
    states: Samples = [
        ((root.path, state), state is (State.BLIND if age_seconds > stale_after else root.state))
        for root in roots
        for state in State
    ]
    yield Family("state", "1 for the state that the root is in, 0 for the others.", ("root", "state"), states)
    ages: Samples = [((), age_seconds)] if status else []
    yield Family("status_age_seconds", "How long ago the watcher last said how it is.", (), ages)
    yield Family("build_info", "The version of the watcher, always 1.", ("version",), [((VERSION,), 1)])


def _age(root: RootStatus) -> float | None:
    """Endless where there is no watermark, so that an alert on old ones fires; a standby has none to be old."""
    if root.covered_until:
        return time.time() - root.covered_until.timestamp()
    return None if root.state is State.STANDBY else float("inf")


def _timestamp(root: RootStatus) -> float | None:
    return root.covered_until.timestamp() if root.covered_until else None


COUNTERS: tuple[tuple[str, str, Callable[[RootStatus], float | None]], ...] = (
    ("events_seen", "Events seen since the watcher started.", lambda root: root.seen),
    ("events_committed", "Events committed to the audit log since the watcher started.", lambda root: root.committed),
)
GAUGES: tuple[tuple[str, str, Callable[[RootStatus], float | None]], ...] = (
    ("spool_events", "Events on this machine that the database has yet to take.", lambda root: root.spooled),
    ("queue_notices", "Notices in memory that are not recorded yet.", lambda root: root.waiting),
    ("queue_high_water_notices", "The most notices that were in memory at once.", lambda root: root.high_water),
    ("watched_directories", "Directories that are watched.", lambda root: root.directories),
    ("watermark_timestamp_seconds", "The watermark, in Unix time.", _timestamp),
    ("watermark_age_seconds", "How far the watermark is behind now.", _age),
)


def _of_each(roots: tuple[RootStatus, ...], value: Callable[[RootStatus], float | None]) -> Samples:
    found = [((root.path,), value(root)) for root in roots]
    return [(labels, number) for labels, number in found if number is not None]


def _gaps_of(root: RootStatus) -> dict[str, int]:
    """With the reasons that did not occur: a counter that first appears at 1 has never increased."""
    return {**dict.fromkeys(GapReason, 0), **root.gaps}


class _Collector:
    """Makes what is told into what prometheus_client serves, at the moment of the scrape."""

    def __init__(self, *, stale_after: float) -> None:
        self._stale_after = stale_after
        self._told: tuple[WatcherStatus | None, float] = (None, 0.0)  # one value: two threads share it

    def update(self, status: WatcherStatus) -> None:
        self._told = (status, time.monotonic())

    def collect(self) -> "Iterator[CounterMetricFamily | GaugeMetricFamily]":
        from prometheus_client.core import (  # noqa: PLC0415 - who asks for no metrics has no package for them
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        status, at = self._told
        for family in families(status, age_seconds=time.monotonic() - at, stale_after=self._stale_after):
            kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
            made = kind(f"{PREFIX}{family.name}", family.meaning, labels=family.labels)
            for labels, value in family.samples:
                made.add_metric([safe(label) for label in labels], float(value))
            yield made


def _app(collector: _Collector) -> Any:
    """The web application; it is also told of the process itself (CPU, memory, open files)."""
    try:
        from prometheus_client import (  # noqa: PLC0415 - who asks for no metrics has no package for them
            CollectorRegistry,
            ProcessCollector,
            make_wsgi_app,
        )
    except ImportError as error:
        raise AuditorError(
            "--metrics needs the package prometheus-client.",
            hint='Install it: pip install "django-media-auditor[metrics]"',
        ) from error
    registry = CollectorRegistry(auto_describe=True)
    registry.register(collector)
    ProcessCollector(registry=registry)
    return make_wsgi_app(registry)


class _Handler(WSGIRequestHandler):
    """Answers without a word on stderr, which carries JSON lines."""

    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so by its base
        pass


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # The base would ask for the name of the host, which may take long where no name server answers.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that hung up is no news
            super().handle_error(request, client_address)


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not PORT.fullmatch(port) or int(port) > HIGHEST_PORT:
        message = f"--metrics: {safe(address)!r} is not an address."
        raise AuditorError(message, hint=EXAMPLE, exit_code=ExitCode.USAGE)
    return host.strip("[]") or (EVERY_ADDRESS if colon else THIS_MACHINE), int(port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
