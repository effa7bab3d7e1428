"""Signals ask once, then insist."""

import os
import signal
import subprocess
import sys

import pytest

from tests.running import PROJECT
from watcher.shutdown import StopFlag, stop_on_signals

pytestmark = pytest.mark.sqlite

INSISTED = """
import os, signal
from watcher.shutdown import stop_on_signals
with stop_on_signals():
    os.kill(os.getpid(), {number})
    os.kill(os.getpid(), {number})
print("still here")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_is_named(number: signal.Signals) -> None:
    with stop_on_signals() as stop:
        assert not stop.is_asked
        os.kill(os.getpid(), number)

    assert (stop.is_asked, str(stop)) == (True, number.name)


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    with stop_on_signals():
        pass

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_second_signal_ends_at_once(number: signal.Signals, code: int) -> None:
    script = INSISTED.format(number=int(number))

    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (code, b"")


def test_sighup_asks_to_begin_anew_and_a_stop_after_it_wins() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.is_asked
        first = stop.is_to_restart
        os.kill(os.getpid(), signal.SIGTERM)

    assert (first, stop.is_to_restart, str(stop)) == (True, False, "SIGTERM")


def test_a_terminal_that_hangs_up_asks_to_stop() -> None:
    leader, follower = os.openpty()
    script = (
        "import os, signal\n"
        "from watcher.shutdown import stop_on_signals\n"
        "with stop_on_signals() as stop:\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "print(stop.is_asked, stop.is_to_restart)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, stdin=follower, capture_output=True, text=True, check=False
    )

    os.close(leader)
    os.close(follower)
    assert done.stdout == "True False\n"


def test_a_flag_that_nobody_raised_says_so() -> None:
    assert str(StopFlag()) == "asked"
