"""The health file: the watcher writes how it is, and a health check in another process judges it."""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from auditor.errors import ExitCode
from auditor.version import VERSION
from auditor.wording import safe
from watcher.status import RootStatus, State, WatcherStatus, clock

NAME = "health.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
PID_NAMESPACE = "/proc/self/ns/pid"
WIDTH = 12  # the longest state and a space
EXIT_CODES = {
    State.COVERED: ExitCode.DONE,
    State.STANDBY: ExitCode.DONE,  # it is well, and waits for its turn
    State.CATCHING_UP: ExitCode.UNKNOWN_NAMES,
    State.BLIND: ExitCode.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment by a clock that nobody can set: seconds since the machine started, and which start that was."""

    boot: str
    seconds: float

    @classmethod
    def now(cls) -> "Moment":
        """The moment it is."""
        return cls(boot=_read(BOOT_ID), seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a health check finds; `sentences` are for a person, one for each root or one on the whole."""

    state: State
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """A process, so that another one under the same number is told from it."""

    pid: int
    namespace: str
    started: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What the file holds."""

    status: WatcherStatus
    process: _Process
    moment: Moment


def exit_code(state: State) -> ExitCode:
    """What a health check tells its shell."""
    return EXIT_CODES[state]


def write(status: WatcherStatus, folder: str) -> str:
    """Replaces the health file in the folder; returns why it could not, as a sentence, or an empty text.

    A file that cannot be replaced is removed, or else grows old: its reader takes the watcher for blind.
    """
    path = os.path.join(folder, NAME)
    temporary = f"{path}.{status.pid}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        # Not synced to the disk: after a power cut it is of another start of the machine, whole or not.
        with open(temporary, "w", encoding="ascii") as stream:
            os.fchmod(stream.fileno(), 0o644)  # a health check may run as another user
            stream.write(_document(status))
        os.replace(temporary, path)
    except OSError as error:
        _forget(temporary)
        _forget(path)  # what it said holds no longer
        return f"{safe(path)} cannot be written: {error.strerror}."
    return ""


def judge(folder: str, *, stale_after: float, now: Moment | None = None) -> Health:
    """How the watcher is that writes its health file into the folder: blind if it is older than so many seconds.

    A watcher whose process has ended is blind at once, where its process can be seen from here.
    """
    path = os.path.join(folder, NAME)
    try:
        with open(path, encoding="utf-8") as stream:
            heard = _heard(json.load(stream))
    except FileNotFoundError:
        why = "No watcher runs, or its AUDITOR_STATE_DIR is another one."
        return _blind(f"No watcher has said how it is: {path} is not there. {why}")
    except OSError as error:
        return _blind(f"{path} cannot be read: {error.strerror}.")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _blind(f"{path} is not what a watcher writes.")
    now = now or Moment.now()
    fault = _fault(heard, now, stale_after)
    if fault:
        return _blind(fault)
    elapsed = now.seconds - heard.moment.seconds
    sentences = tuple(_sentence(root, heard.status.at, elapsed) for root in heard.status.roots)
    return Health(state=heard.status.state, sentences=sentences)


def is_told_by_another(folder: str, *, pid: int, stale_after: float) -> bool:
    """Whether the health file is that of another watcher, which goes on writing it."""
    try:
        with open(os.path.join(folder, NAME), encoding="utf-8") as stream:
            heard = _heard(json.load(stream))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return heard.process.pid != pid and not _fault(heard, Moment.now(), stale_after)


def _blind(sentence: str) -> Health:
    return Health(state=State.BLIND, sentences=(_line_of(State.BLIND, sentence),))


def _line_of(state: State, text: str) -> str:
    return f"{state.words:<{WIDTH}}{safe(text)}"


def _sentence(root: RootStatus, at: datetime, elapsed: float) -> str:
    why = "" if root.state is State.COVERED else root.why
    text = f"{root.path}: {why}" if why else root.path
    if root.covered_until:
        # Not by this process's clock on the wall: it may have been set since.
        age = max(0.0, (at - root.covered_until).total_seconds() + elapsed)
        text += f", up to {clock(root.covered_until, now=at)} ({age:.0f} s ago)"
    # A detail may end in a command to copy, and a full stop would be copied with it.
    is_sentence = bool(why) and (root.detail.endswith(".") or root.covered_until is not None)
    return _line_of(root.state, f"{text}." if is_sentence else text)


def _fault(heard: _Heard, now: Moment, stale_after: float) -> str:
    """Why what the file says holds no longer, or an empty text."""
    age = now.seconds - heard.moment.seconds
    if heard.moment.boot != now.boot or age < 0:
        return "The machine has started anew since the watcher said how it is."
    if _has_ended(heard.process):
        return f"The watcher (process {heard.process.pid}) has ended."
    if age > stale_after:
        return f"The watcher has not said how it is for {age:.0f} s."
    return "" if heard.status.roots else "The watcher looks after no media folder."


def _has_ended(process: _Process) -> bool:
    if not process.namespace or process.namespace != _pid_namespace():
        return False  # the number means another process here
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, and another user's
    state, started = _life_of(process.pid)
    return state in ("Z", "X") or (bool(started and process.started) and started != process.started)


def _document(status: WatcherStatus) -> str:
    moment = Moment.now()
    document = {
        "schema": 1,
        "version": VERSION,
        "pid": status.pid,
        "at": status.at,
        "state": status.state,
        "roots": [_document_of(root) for root in status.roots],
        "pid_namespace": _pid_namespace(),
        "process_started": _life_of(status.pid)[1],
        "boot": moment.boot,
        "boot_seconds": moment.seconds,
    }
    return json.dumps(document, indent=1, default=_text) + "\n"


def _document_of(root: RootStatus) -> dict[str, Any]:
    return {field.name: getattr(root, field.name) for field in fields(root)} | {"gaps": dict(root.gaps)}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not for JSON")


def _heard(document: dict[str, Any]) -> _Heard:
    pid = int(document["pid"])
    if not 0 < pid < 1 << 31:
        raise ValueError(f"{pid} is no process")
    return _Heard(
        status=WatcherStatus(
            pid=pid,
            at=datetime.fromisoformat(document["at"]),
            roots=tuple(_root(root) for root in document["roots"]),
        ),
        process=_Process(pid=pid, namespace=document["pid_namespace"], started=document["process_started"]),
        moment=Moment(boot=document["boot"], seconds=float(document["boot_seconds"])),
    )


def _root(document: dict[str, Any]) -> RootStatus:
    """A field that this version does not know is a later one's, and left alone."""
    known = {field.name: document[field.name] for field in fields(RootStatus) if field.name in document}
    until = document.get("covered_until")
    known["covered_until"] = datetime.fromisoformat(until) if until else None
    return RootStatus(**known | {"state": State(document["state"])})


def _life_of(pid: int) -> tuple[str, str]:
    """A process's state and when it was started, in ticks (proc_pid_stat(5)); empty where it cannot be seen."""
    after_name = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (after_name[0], after_name[19]) if after_name else ("", "")


def _pid_namespace() -> str:
    try:
        return os.readlink(PID_NAMESPACE)
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def _forget(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
