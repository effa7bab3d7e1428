"""What the tests of the locks run as a program of its own: one that takes a lock and holds it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from auditor.errors import AuditorError
from auditor.locks import Lock
from tests.running import PROJECT, environment

CODE = """
import sys

import django

django.setup()
from tests.auditlog import lock_programs as own

getattr(own, sys.argv[1])(*sys.argv[2:])
"""


def hold(*names: str) -> None:
    """Takes the locks, says so, and holds them until stdin ends; the first is released at the first line."""
    locks = [Lock(name, using="default") for name in names]
    sys.stdout.write(f"{[lock.acquire() for lock in locks]}\n")
    sys.stdout.flush()
    if sys.stdin.readline():
        locks[0].release()
        sys.stdout.write("released\n")
        sys.stdout.flush()
        sys.stdin.read()


def take_on_a_disk_that_cannot_be_written(folder: str) -> None:
    """Tries to take a lock of the database in the folder, and says why not."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    connections["own"] = sqlite_at(f"{folder}/db.sqlite3")
    try:
        Lock("run", using="own").acquire()
    except AuditorError as error:
        sys.stdout.write(str(error))


def sqlite_at(path: str) -> DatabaseWrapper:
    """A connection to an SQLite database, by the alias "own"."""
    own = connection.copy("own")
    assert isinstance(own, DatabaseWrapper)
    own.settings_dict |= {"NAME": path, "OPTIONS": {}}
    return own


@contextmanager
def another_process(*names: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the locks."""
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "hold", *names],
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert hear(program) == str([True for _ in names])
        try:
            yield program
        finally:
            program.kill()


def hear(program: "subprocess.Popen[str]") -> str:
    """The next line that the program says."""
    assert program.stdout is not None
    return program.stdout.readline().strip()
