"""The server of the metrics: where it listens, and what clients may do to it."""

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from auditor.errors import AuditorError, ExitCode
from tests.running import PROJECT
from tests.watcher.scraping import samples, scraped
from tests.watcher.statuses import make_root, make_status
from tests.watcher.waiting import wait_until
from watcher import metrics
from watcher.metrics import PREFIX, Metrics

pytestmark = [pytest.mark.sqlite, pytest.mark.live]

NOT_ASKED_FOR = """
import sys
from watcher import metrics
print("prometheus_client" in sys.modules)
"""


@pytest.fixture
def served() -> Iterator[Metrics]:
    """The metrics at a free port of this machine."""
    served = metrics.serve("127.0.0.1:0")
    yield served
    served.close()


@pytest.mark.parametrize(
    "address", ["", "host", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", ":١", "9" * 5_000]
)
def test_an_address_that_is_none_is_wrong_usage(address: str) -> None:
    with pytest.raises(AuditorError) as raised:
        metrics.serve(address)

    assert raised.value.message == f"--metrics: {address!r} is not an address."
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_port_that_is_taken_is_named(served: Metrics) -> None:
    with pytest.raises(AuditorError) as raised:
        metrics.serve(served.address)

    assert str(raised.value) == (
        f"Metrics cannot be served at {served.address}: Address already in use.\n"
        "Name an address with --metrics, such as 127.0.0.1:9187."
    )
    assert raised.value.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("address", ["a..b:9187", "203.0.113.1:9187"])
def test_a_host_that_is_not_this_machine_is_refused(address: str) -> None:
    with pytest.raises(AuditorError) as raised:
        metrics.serve(address)

    assert raised.value.message.startswith(f"Metrics cannot be served at {address}: ")
    assert raised.value.exit_code is ExitCode.FAILED


@pytest.mark.parametrize(
    ("address", "host"), [("0", "127.0.0.1"), (":0", "0.0.0.0"), ("localhost:0", "127.0.0.1"), ("[::1]:0", "[::1]")]
)
def test_each_form_of_an_address_is_listened_at(address: str, host: str) -> None:
    served = metrics.serve(address)
    served.update(make_status())

    found = scraped(served)

    served.close()
    assert served.address.rpartition(":")[0] == host
    assert f"{PREFIX}state" in found


def test_a_closed_server_frees_its_port(served: Metrics) -> None:
    first = metrics.serve("0")
    first.close()

    second = metrics.serve(first.address)

    second.close()
    assert second.address == first.address


def test_a_client_that_says_nothing_holds_up_nobody(served: Metrics) -> None:
    host, _, port = served.address.rpartition(":")
    with socket.create_connection((host, int(port))):
        served.update(make_status(make_root(seen=1)))

        found = samples(served, "events_seen_total")
        served.close()

    assert found == {("/srv/media",): 1.0}


def test_a_client_that_says_nothing_is_hung_up_on(served: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics._Handler, "timeout", 0.05)
    host, _, port = served.address.rpartition(":")

    with socket.create_connection((host, int(port)), timeout=5) as client:
        heard = client.recv(1)

    assert heard == b""


def test_no_name_server_is_asked_for_the_name_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(socket, "getfqdn", lambda name="": asked.append(name) or name)

    metrics.serve(":0").close()

    assert asked == []


def test_a_client_that_hangs_up_is_no_news(served: Metrics, capfd: pytest.CaptureFixture[str]) -> None:
    host, _, port = served.address.rpartition(":")
    before = set(threading.enumerate())
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it is a reset
        wait_until(lambda: set(threading.enumerate()) - before)
        answering = set(threading.enumerate()) - before

    wait_until(lambda: not any(thread.is_alive() for thread in answering))

    assert capfd.readouterr() == ("", "")


def test_without_the_package_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(AuditorError) as raised:
        metrics.serve("0")

    assert str(raised.value) == (
        '--metrics needs the package prometheus-client.\nInstall it: pip install "django-media-auditor[metrics]"'
    )


def test_the_package_is_left_alone_until_metrics_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", NOT_ASKED_FOR], cwd=PROJECT, capture_output=True, check=True)

    assert done.stdout == b"False\n"
