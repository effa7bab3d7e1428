"""A lock is one holder's at a time, whatever becomes of transactions, and free as soon as its holder is dead."""

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from auditor.locks import Lock
from tests.auditlog.lock_programs import another_process, hear
from tests.watcher.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lock() -> Iterator[Lock]:
    lock = Lock("run", using="default")
    yield lock
    lock.release()
    connection.close()
    if connection.vendor == "sqlite":
        database = Path(str(connection.settings_dict["NAME"]))
        for file in database.parent.glob(f"{database.name}-*.lock"):
            file.unlink()


def other(name: str = "run") -> Lock:
    return Lock(name, using="default")


def test_a_lock_is_had_once_and_again_after_its_release(lock: Lock) -> None:
    before = lock.is_held

    first, again = lock.acquire(), lock.acquire()
    held = lock.is_held
    lock.release()
    lock.release()

    assert (before, first, again, held, lock.is_held) == (False, True, True, True, False)
    assert lock.acquire()


def test_a_second_holder_in_the_same_process_is_refused(lock: Lock) -> None:
    second = other()
    lock.acquire()

    refused, is_held = second.acquire(), second.is_held
    second.release()

    assert (refused, is_held, lock.is_held) == (False, False, True)
    lock.release()
    assert second.acquire()
    second.release()


def test_different_names_do_not_meet(lock: Lock) -> None:
    others = [other(name) for name in ("watch-1", "watch-2", "a/b", "a_b", "é" * 300)]

    assert [one.acquire() for one in (lock, *others)] == [True] * 6
    for one in others:
        one.release()


@transaction.atomic
def acquire_and_roll_back(lock: Lock) -> None:
    lock.acquire()
    raise RuntimeError


def test_a_rollback_and_a_commit_leave_the_lock(lock: Lock) -> None:
    with pytest.raises(RuntimeError):
        acquire_and_roll_back(lock)
    with transaction.atomic():
        pass

    assert (lock.is_held, other().acquire()) == (True, False)


@pytest.mark.live
def test_a_lock_of_another_process_is_refused_and_its_holder_named(lock: Lock) -> None:
    started = datetime.now(UTC)

    with another_process("run", "watch-1") as program:
        assert (lock.acquire(), lock.is_held) == (False, False)
        holder = lock.holder()

    words = r"process (\d+) on (\S+)(?:, connected)? since (\S+ \S+) UTC"
    told = re.fullmatch(words, holder)
    assert told, holder
    pid, host, since = told.groups()
    assert (int(pid), host) == (program.pid, socket.gethostname())
    assert started.strftime("%Y-%m-%d %H:%M") <= since <= datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.live
def test_a_killed_holders_lock_is_free_at_once(lock: Lock) -> None:
    with another_process("run") as program:
        assert not lock.acquire()
        program.kill()
        program.wait()

        wait_until(lock.acquire, seconds=5)
    assert not other().acquire()


@pytest.mark.live
def test_a_lock_released_by_another_process_is_free_and_its_others_are_not(lock: Lock) -> None:
    with another_process("run", "watch-1") as program:
        assert not lock.acquire()
        assert program.stdin is not None
        print(file=program.stdin, flush=True)
        assert hear(program) == "released"

        assert (lock.acquire(), other("watch-1").acquire()) == (True, False)


def test_a_free_lock_has_no_holder_to_name(lock: Lock) -> None:
    assert lock.holder() == "another process"


def test_on_other_databases_a_lock_can_always_be_had(lock: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "mysql")
    one, two = other(), other()

    assert (one.acquire(), two.acquire(), one.is_held, two.holder()) == (True, True, True, "another process")
    one.release()
    assert not one.is_held
