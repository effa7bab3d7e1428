"""Whoever hangs is ended, with the last words that somebody else says."""

import subprocess
import sys

import pytest

from tests.running import PROJECT

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
PROGRAM = """
import os, signal, sys, time
from watcher import guard
from watcher.guard import Guard, Pulse
guard.STOP_SECONDS, guard.WAKE_SECONDS, guard.LAST_WORDS_SECONDS = 0.5, 0.05, 0.5
pulse = Pulse()
def last_words(sentence):
    print(sentence, flush=True)
    {last_words}
handlers = [signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)]
with Guard(pulse, stall_seconds={stall}, last_words=last_words).standing():
    {deed}
print("left by itself", flush=True)
"""


def run(deed: str, *, stall: float = 60.0, last_words: str = "pass") -> tuple[int, str]:
    script = PROGRAM.format(deed=deed, stall=stall, last_words=last_words)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def test_a_process_that_gets_on_is_left_alone() -> None:
    beating = "for _ in range(20): pulse.beat(); time.sleep(0.05)"

    assert run(beating, stall=0.5) == (0, "left by itself\n")


def test_a_process_that_hangs_is_ended_with_a_sentence() -> None:
    expected = "Nothing has moved for 1 s: a disk or the database hangs.\n"

    assert run("time.sleep(50)", stall=1.0) == (1, expected)


def test_last_words_that_hang_are_cut_short() -> None:
    code, _ = run("time.sleep(50)", stall=1.0, last_words="time.sleep(50)")

    assert code == 1


def test_work_that_may_take_long_is_waited_for() -> None:
    assert run("with pulse.paused(): time.sleep(1)", stall=0.5) == (0, "left by itself\n")


def test_a_process_that_was_stopped_itself_is_not_taken_for_one_that_hangs() -> None:
    waking = "subprocess.Popen(['sh', '-c', f'sleep 1; kill -CONT {os.getpid()}'])"
    deed = f"import subprocess; {waking}; os.kill(os.getpid(), signal.SIGSTOP); pulse.beat(); time.sleep(0.5)"

    assert run(deed, stall=0.5) == (0, "left by itself\n")


def test_a_process_that_does_not_stop_when_asked_is_ended() -> None:
    hanging = "os.kill(os.getpid(), signal.SIGTERM)\n    for _ in range(500): pulse.beat(); time.sleep(0.1)"

    assert run(hanging) == (1, "It could not stop in time.\n")


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_second_signal_ends_a_process_whose_main_thread_hangs(name: str, code: int) -> None:
    kill = f"kill -{name[3:]} {{os.getpid()}}"
    asking = f"subprocess.Popen(['sh', '-c', f'{kill}; sleep 0.2; {kill}'])"
    hanging = "[ctypes.CDLL(None).sleep(20) for _ in range(3)]"

    assert run(f"import ctypes, subprocess; {asking}; {hanging}") == (code, "")
