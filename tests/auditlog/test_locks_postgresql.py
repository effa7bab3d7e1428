"""On PostgreSQL a lock is its connection's, and is lost with it."""

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.locks import Lock
from tests.auditlog.lock_programs import another_process

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
OWN = f"{os.getpid()}@{socket.gethostname()}"


@pytest.fixture
def lock() -> Iterator[Lock]:
    yield Lock("run", using="default")
    connection.close()


def ask(query: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()[0]


@pytest.fixture
def apart() -> Iterator[BaseDatabaseWrapper]:
    """A second connection of this thread, by an alias of its own."""
    connections["apart"] = connection.copy("apart")
    yield connections["apart"]
    connections["apart"].close()
    del connections["apart"]


def terminate(pid: int, through: BaseDatabaseWrapper) -> None:
    """Ends a session from another one, and waits until it is gone."""
    with through.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)


def test_a_closed_connection_loses_the_lock(lock: Lock) -> None:
    lock.acquire()

    connection.close()
    closed = lock.is_held
    connection.connect()

    assert (closed, lock.is_held) == (False, False)
    assert lock.acquire()
    assert lock.is_held


def test_a_lock_lost_with_its_connection_can_be_had_by_another(lock: Lock) -> None:
    second = Lock("run", using="default")
    lock.acquire()

    connection.close()

    assert (second.acquire(), lock.acquire(), lock.is_held) == (True, False, False)
    lock.release()
    assert second.is_held


@pytest.mark.live
def test_a_session_that_the_server_ended_loses_the_lock_at_its_next_use(
    lock: Lock, apart: BaseDatabaseWrapper
) -> None:
    lock.acquire()
    terminate(ask("SELECT pg_backend_pid()"), apart)

    with another_process("run"):
        with pytest.raises(OperationalError):
            ask("SELECT 1")

        assert not lock.is_held
        connection.close()
        assert not lock.acquire()


@pytest.mark.live
def test_a_release_over_a_dead_session_is_quiet(lock: Lock, apart: BaseDatabaseWrapper) -> None:
    lock.acquire()
    terminate(ask("SELECT pg_backend_pid()"), apart)

    lock.release()

    assert not lock.is_held
    assert Lock("run", using="default").acquire()


def test_a_lock_of_another_thread_of_this_process_is_refused(lock: Lock) -> None:
    lock.acquire()
    found: list[tuple[bool, str, bool]] = []

    def look() -> None:
        second = Lock("run", using="default")
        found.append((second.acquire(), second.holder().split(",")[0], lock.is_held))
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert found == [(False, f"process {OWN.replace('@', ' on ')}", True)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", OWN),
        ("my site", f"my site {OWN}"),
        (f"my site {OWN}", f"my site {OWN}"),
        ("x" * 63, f"{'x' * (62 - len(OWN))} {OWN}"),
    ],
    ids=["none", "another", "signed already", "too long"],
)
def test_the_projects_own_application_name_is_kept_and_signed(lock: Lock, before: str, after: str) -> None:
    ask("SELECT set_config('application_name', %s, false)", before)

    lock.acquire()

    assert ask("SELECT current_setting('application_name')") == after


def test_a_session_is_signed_before_it_asks_for_the_lock(lock: Lock, apart: BaseDatabaseWrapper) -> None:
    lock.acquire()

    assert not Lock("run", using="apart").acquire()

    with apart.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name')")
        assert cursor.fetchone() == (OWN,)


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("", "another process, at 127.0.0.1, connected since 20"),
        ("psql", "another process, at 127.0.0.1, connected since 20"),
    ],
)
def test_a_holder_that_is_not_signed_is_told_by_its_address(lock: Lock, name: str, starts: str) -> None:
    lock.acquire()
    ask("SELECT set_config('application_name', %s, false)", name)

    assert lock.holder().startswith(starts)


def test_a_role_that_may_not_see_other_sessions_is_told_who_but_not_since_when(
    lock: Lock, apart: BaseDatabaseWrapper
) -> None:
    second = Lock("run", using="apart")
    role = f"auditor_nosy_{os.getpid()}"
    lock.acquire()

    with apart.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        cursor.execute(f"SET ROLE {role}")
        told = (second.acquire(), second.holder())
        cursor.execute("RESET ROLE")
        cursor.execute(f"DROP ROLE {role}")

    assert told == (False, f"process {OWN.replace('@', ' on ')}")


def test_two_connections_of_one_process_do_not_share_a_lock(lock: Lock, apart: BaseDatabaseWrapper) -> None:
    second = Lock("run", using="apart")
    lock.acquire()

    assert (second.acquire(), second.is_held, lock.is_held) == (False, False, True)


def test_locks_of_two_databases_of_one_server_do_not_meet(lock: Lock, apart: BaseDatabaseWrapper) -> None:
    apart.settings_dict["NAME"] = "postgres"
    second = Lock("run", using="apart")

    assert (lock.acquire(), second.acquire()) == (True, True)

    assert (lock.is_held, second.is_held) == (True, True)
