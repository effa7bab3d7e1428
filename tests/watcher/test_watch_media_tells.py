"""What a running watcher tells those who look after it: Prometheus and systemd."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.makers import make_file, real
from tests.watcher.conftest import Launch
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True), pytest.mark.sqlite]


class Systemd:
    """The socket at which systemd listens to a service."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.heard: list[str] = []

    def has_heard(self, message: str) -> bool:
        try:
            while True:
                self.heard += self.socket.recv(4_096).decode().splitlines()
        except BlockingIOError:
            return any(line.startswith(message) for line in self.heard)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(listening.path))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    yield listening
    listening.socket.close()


def test_systemd_is_told_from_the_start_to_the_end(media: Path, systemd: Systemd, start_watcher: Launch) -> None:
    make_file(media, "a.jpg")

    watcher = start_watcher()
    wait_until(lambda: systemd.has_heard("STATUS=covered"))
    watcher.end(signal.SIGTERM)

    assert systemd.has_heard("STOPPING=1")
    first = [line for line in systemd.heard if line in ("READY=1", "WATCHDOG=1", "STOPPING=1")]
    assert (first[-1], set(first)) == ("STOPPING=1", {"READY=1", "WATCHDOG=1", "STOPPING=1"})


def test_systemd_is_told_of_a_new_beginning_and_not_of_an_end(systemd: Systemd, start_watcher: Launch) -> None:
    watcher = start_watcher()

    watcher.program.send_signal(signal.SIGHUP)
    wait_until(lambda: systemd.has_heard("RELOADING=1"))
    systemd.heard.clear()
    wait_until(lambda: systemd.has_heard("READY=1"), seconds=60)

    assert not systemd.has_heard("STOPPING=1")
    assert watcher.end(signal.SIGTERM) == 0


def test_prometheus_is_told_what_was_committed(media: Path, launch: Launch) -> None:
    make_file(media, "a.jpg")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    launch("--metrics", str(port)).wait_for("checkpoint.completed")

    (media / "a.jpg").unlink()

    committed = f'media_auditor_events_committed_total{{root="{real(media)}"}} 3.0'
    wait_until(lambda: committed in scraped(port), seconds=30)


def scraped(port: int) -> list[str]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text.splitlines()


def test_a_folder_can_be_polled_where_the_kernel_would_tell(media: Path, launch: Launch) -> None:
    make_file(media, "a.jpg")
    watcher = launch("--observer", "polling")
    watcher.wait_for("checkpoint.completed")

    (media / "a.jpg").unlink()
    wait_until(lambda: watcher.events.count("batch.appended") == 3, seconds=30)

    [chosen] = [line for line in watcher.lines if line["event"] == "observer.chosen"]
    assert (chosen["reason"], watcher.end(signal.SIGTERM)) == ("It was asked for with --observer polling.", 0)
