"""What systemd is told, as a real datagram socket receives it."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.watcher.statuses import AT, make_root, make_status
from watcher.status import State, WatcherStatus
from watcher.systemd import MESSAGE_BYTES, Notifier, line

pytestmark = pytest.mark.sqlite


class Listener:
    """The place of systemd: a datagram socket in the file system."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """What has arrived until now; a datagram on this machine is there once it is sent."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(65_536).decode())
            except BlockingIOError:
                return messages


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify"))
    yield listener
    listener.socket.close()


def notifier(listener: Listener, **environment: str) -> Notifier:
    return Notifier.from_environment({"NOTIFY_SOCKET": listener.address, **environment})


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (lambda notifier: notifier.ready(), "READY=1"),
        (lambda notifier: notifier.stopping(), "STOPPING=1"),
        (lambda notifier: notifier.status("covered"), "STATUS=covered"),
    ],
    ids=["ready", "stopping", "status"],
)
def test_a_message_is_one_datagram(listener: Listener, tell: Callable[[Notifier], str], message: str) -> None:
    told = tell(notifier(listener))

    assert (told, listener.heard()) == ("", [message])


def test_reloading_says_when_it_began(listener: Listener) -> None:
    before = time.monotonic_ns() // 1000

    notifier(listener).reloading()

    [message] = listener.heard()
    first, _, moment = message.partition("\nMONOTONIC_USEC=")
    assert first == "RELOADING=1"
    assert before <= int(moment) <= time.monotonic_ns() // 1000


def test_an_abstract_socket_is_heard() -> None:
    name = f"media-auditor-test-{os.getpid()}"
    listener = Listener(f"\0{name}")

    told = Notifier.from_environment({"NOTIFY_SOCKET": f"@{name}"}).ready()

    with listener.socket:
        assert (told, listener.heard()) == ("", ["READY=1"])


def test_outside_of_systemd_nothing_is_told() -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "1"})

    told = [notifier.ready(), notifier.status("x"), notifier.alive(), notifier.reloading(), notifier.stopping()]

    assert told == [""] * 5


def test_a_socket_that_is_gone_is_told_and_raises_nothing(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")

    told = Notifier(address).ready()

    assert told == f"systemd cannot be told at {address}: No such file or directory."


def test_a_systemd_that_does_not_read_holds_nobody_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watcher.systemd.SEND_SECONDS", 0.01)
    notifier = Notifier(listener.address)

    told = next(filter(None, (notifier.ready() for _ in range(5_000))))  # as soon as its queue is full

    assert told == f"systemd cannot be told at {listener.address}: timed out."


def test_the_same_line_is_told_once(listener: Listener) -> None:
    notifier = Notifier(listener.address)

    for text in ("covered", "covered", "blind", "covered"):
        notifier.status(text)

    assert listener.heard() == ["STATUS=covered", "STATUS=blind", "STATUS=covered"]


def test_a_line_that_did_not_arrive_is_told_again(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "notify"))
    missed = notifier.status("covered")
    listener = Listener(str(tmp_path / "notify"))

    told = notifier.status("covered")

    with listener.socket:
        assert (bool(missed), told, listener.heard()) == (True, "", ["STATUS=covered"])


def test_a_name_cannot_smuggle_in_a_message(listener: Listener) -> None:
    Notifier(listener.address).status("blind: /srv/a\nMAINPID=1\udcff")

    assert listener.heard() == ["STATUS=blind: /srv/a\\nMAINPID=1\\xff"]


def test_a_long_line_is_cut_where_systemd_still_takes_it(listener: Listener) -> None:
    Notifier(listener.address).status("ä" * 5_000)

    [message] = listener.heard()
    assert message == f"STATUS={'ä' * ((MESSAGE_BYTES - len('STATUS=')) // 2)}"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
    ids=str,
)
def test_no_sign_of_life_where_none_is_waited_for(listener: Listener, environment: dict[str, str]) -> None:
    told = notifier(listener, **environment).alive()

    assert (told, listener.heard()) == ("", [])


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_PID": str(os.getpid())}], ids=["any process", "this process"])
def test_a_sign_of_life_is_given_where_it_is_waited_for(listener: Listener, environment: dict[str, str]) -> None:
    told = notifier(listener, WATCHDOG_USEC="60000000", **environment).alive()

    assert (told, listener.heard()) == ("", ["WATCHDOG=1"])


def test_signs_of_life_come_every_third_of_the_interval(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(100, 161))
    monkeypatch.setattr("watcher.systemd.time.monotonic", lambda: float(next(seconds)))
    told = notifier(listener, WATCHDOG_USEC="60000000")

    for _ in range(61):
        told.alive()

    assert listener.heard() == ["WATCHDOG=1"] * 4  # at 0, 20, 40 and 60 s


def test_a_sign_of_life_that_did_not_arrive_is_given_again(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "notify"), watchdog_seconds=60)
    missed = notifier.alive()
    listener = Listener(str(tmp_path / "notify"))

    told = notifier.alive()

    with listener.socket:
        assert (bool(missed), told, listener.heard()) == (True, "", ["WATCHDOG=1"])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (make_status(), "covered up to 10:02:11: /srv/media"),
        (make_status(make_root(state=State.STANDBY)), "standby: /srv/media"),
        (
            make_status(
                make_root("/srv/a"), make_root("/srv/b", State.BLIND, reason="root_gone", detail="Not there.")
            ),
            "blind: /srv/b: root gone: Not there; covered up to 10:02:11: /srv/a",
        ),
        (
            make_status(make_root(state=State.CATCHING_UP, detail="Comparing references with the disk.")),
            "catching up: /srv/media: Comparing references with the disk",
        ),
        (WatcherStatus(pid=1, at=AT, roots=()), "blind: no media folder is looked after"),
    ],
    ids=["covered", "standby", "worst first", "catching up", "no root"],
)
def test_the_status_is_one_line(status: WatcherStatus, expected: str) -> None:
    assert line(status) == expected
