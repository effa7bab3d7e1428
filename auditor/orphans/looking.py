"""Looks at the disk for a search: in this process, or in one of its own while this one reads the next names.

To read a million rows takes as long as to list and compare a million files, and threads share one interpreter.
"""

import marshal
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias, TypeVar

from auditor.errors import AuditorError
from auditor.orphans.disk import Disk, Look
from auditor.orphans.leftovers import Leftover
from auditor.orphans.remote import RemoteDisk

AHEAD = 4  # questions in hand, of some 2.5 MB each
WORTH_A_PROCESS = 50_000  # records: to start one takes some 20 ms

Question: TypeAlias = list[tuple[str, list[str]]]  # roots, each with names in it
Answer: TypeAlias = list[dict[str, Look]]  # for each of them, {name: Look} of the names that are not plainly present
Disks: TypeAlias = Mapping[str, Disk | RemoteDisk]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one root besides the answers: {directory: reason} and {directory: Leftover}."""

    unlisted: Mapping[str, str]
    leftovers: Mapping[str, Leftover]


class Looking(Protocol):
    """Takes one question at a time: the next one is asked when the answer to this one has been taken."""

    def ask(self, question: Question) -> None: ...

    def is_ready(self) -> bool: ...

    def answer(self) -> Answer: ...

    def seen(self) -> dict[str, Seen]: ...


@contextmanager
def looking_at(disks: Disks, *, records: int) -> Iterator[Looking]:
    """Looks at these disks, {root: disk}, for a search that reads so many records."""
    if records >= WORTH_A_PROCESS and _can_fork(disks):
        with _Aside(disks) as aside:
            yield aside
    else:
        yield _Here(disks)


def _can_fork(disks: Disks) -> bool:
    """Whether another process is of use, and safe: beside other threads, one that is forked could hang."""
    return (
        sys.platform == "linux"
        and len(os.sched_getaffinity(0)) > 1
        and threading.active_count() == 1
        and not multiprocessing.current_process().daemon  # one of which may have no children
        and all(isinstance(disk, Disk) for disk in disks.values())
    )


def answered(
    looking: Looking, items: Iterable[T], question: Callable[[T], Question]
) -> Iterator[tuple[T, Question, Answer]]:
    """Each item with its question and the answer; the next ones are made while an answer is being looked for."""
    waiting: deque[tuple[T, Question]] = deque()  # for their answers; the first one's is being looked for

    def first_answered() -> tuple[T, Question, Answer]:
        answer = looking.answer()
        first = waiting.popleft()
        if waiting:
            looking.ask(waiting[0][1])
        return (*first, answer)

    for item in items:
        waiting.append((item, question(item)))
        if len(waiting) == 1:
            looking.ask(waiting[0][1])
        while waiting and (len(waiting) > AHEAD or looking.is_ready()):
            yield first_answered()
    while waiting:
        yield first_answered()


class _Here:
    """Looks when the answer is wanted."""

    def __init__(self, disks: Disks) -> None:
        self._disks = disks
        self._question: Question = []

    def ask(self, question: Question) -> None:
        self._question = question

    def is_ready(self) -> bool:
        return True

    def answer(self) -> Answer:
        return [self._disks[root].judge(names) for root, names in self._question]

    def seen(self) -> dict[str, Seen]:
        return {
            root: Seen(unlisted=disk.unlisted, leftovers=disk.leftovers() if isinstance(disk, Disk) else {})
            for root, disk in self._disks.items()
        }


class _Aside:
    """Looks in a process of its own, which ends with this one."""

    def __init__(self, disks: Disks) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, disks), daemon=True)
        self._process.start()
        there.close()

    def __enter__(self) -> "_Aside":
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    def ask(self, question: Question) -> None:
        self._tell(question)

    def is_ready(self) -> bool:
        return self._connection.poll()

    def answer(self) -> Answer:
        answer: Answer = self._hear()
        return answer

    def seen(self) -> dict[str, Seen]:
        self._tell(None)
        seen: dict[str, Seen] = self._hear()
        return seen

    def _tell(self, question: Question | None) -> None:
        try:
            self._connection.send_bytes(marshal.dumps(question))  # a fifth of what pickling takes
        except OSError as error:
            raise self._ended() from error

    def _hear(self) -> Any:
        try:
            heard = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(heard, Exception):
            raise heard
        return heard

    def _ended(self) -> AuditorError:
        self._process.join()
        return AuditorError(
            f"The process that looked at the disk has ended before it answered (exit code {self._process.exitcode}).",
            hint="Run the command again; -9 means that it was killed, most likely as memory ran short.",
        )


def _serve(connection: Connection, disks: Disks) -> None:
    """Answers until the other process has closed its end, or is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both, and the other one decides
    _close_all_but(connection)
    here = _Here(disks)
    while True:
        try:
            question = marshal.loads(connection.recv_bytes())  # noqa: S302 - from ourselves
        except (EOFError, OSError):
            return
        connection.send(_reply(here, question))


def _close_all_but(connection: Connection) -> None:
    """Closes what the fork has opened a second time: locks, databases, and the other end of the connection."""
    kept = connection.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def _reply(here: _Here, question: Question | None) -> Answer | dict[str, Seen] | Exception:
    if question is None:
        return here.seen()
    try:
        here.ask(question)
        return here.answer()
    except Exception as error:  # to be raised where somebody waits for the answer
        return error
