"""Tells systemd how the watcher is, by sd_notify(3).

The protocol is one datagram for each message, so it is spoken here, without a library.
"""

import os
import socket
import time
from collections.abc import Mapping

from auditor.wording import safe
from watcher.status import RootStatus, State, WatcherStatus, badness, clock

SEND_SECONDS = 1.0  # systemd may be busy, and the watcher has other things to do
MESSAGE_BYTES = 4_000  # systemd drops what is longer than 4,096
WATCHDOG_SHARE = 3  # two messages may be late before systemd takes the watcher for dead


class Notifier:
    """Sends messages to systemd's socket; without one it does nothing.

    Every method returns why the message could not be sent, as a sentence, or an empty text.
    """

    def __init__(self, address: str = "", *, watchdog_seconds: float = 0.0) -> None:
        """`watchdog_seconds` is how long systemd waits for a sign of life; 0 if it does not wait for one."""
        self._address = address
        self._watchdog_seconds = watchdog_seconds
        self._next_sign = 0.0
        self._told = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Notifier":
        """The notifier for the service that this process is, if it is one."""
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_seconds=_watchdog_seconds(environment))

    def ready(self) -> str:
        """Says that the service is up, or has read its configuration anew."""
        return self._send("READY=1")

    def status(self, text: str) -> str:
        """Says in one line how it is; a line that systemd was told already is not sent again."""
        if text == self._told:
            return ""
        fault = self._send(f"STATUS={safe(text)}")
        self._told = "" if fault else text
        return fault

    def alive(self) -> str:
        """Gives the sign of life that systemd waits for, at most three times in its interval."""
        now = time.monotonic()
        if not self._watchdog_seconds or now < self._next_sign:
            return ""
        fault = self._send("WATCHDOG=1")
        if not fault:
            self._next_sign = now + self._watchdog_seconds / WATCHDOG_SHARE
        return fault

    def stopping(self) -> str:
        """Says that the service is about to end."""
        return self._send("STOPPING=1")

    def reloading(self) -> str:
        """Says that configuration is being read anew; `ready()` says that this is done."""
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def _send(self, message: str) -> str:
        if not self._address:
            return ""
        # A leading @ stands for the NUL byte of an abstract socket.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_SECONDS)
                sender.sendto(_cut(message), address)
        except OSError as error:
            reason = error.strerror or str(error)
            return f"systemd cannot be told at {safe(self._address)}: {reason}."
        return ""


def line(status: WatcherStatus) -> str:
    """How the watcher is in one line, the worst roots first."""
    roots = sorted(status.roots, key=lambda root: -badness(root.state))
    return "; ".join(_of_root(root, status) for root in roots) or "blind: no media folder is looked after"


def _of_root(root: RootStatus, status: WatcherStatus) -> str:
    if root.state is State.COVERED and root.covered_until:
        return f"{root.state.words} up to {clock(root.covered_until, now=status.at)}: {root.path}"
    why = f": {root.why}" if root.why else ""
    return f"{root.state.words}: {root.path}{why}"


def _watchdog_seconds(environment: Mapping[str, str]) -> float:
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0  # it waits for another process's sign
    try:
        return max(0, int(environment.get("WATCHDOG_USEC", "0"))) / 1_000_000
    except ValueError:
        return 0.0


def _cut(message: str) -> bytes:
    """The message as systemd takes it: not too long, and whole characters."""
    return message.encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore").encode()
