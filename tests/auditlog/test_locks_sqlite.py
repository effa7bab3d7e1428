"""On SQLite a lock is a file beside the database's."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from auditor.errors import AuditorError
from auditor.locks import Lock
from tests.auditlog.lock_programs import CODE, sqlite_at
from tests.running import PROJECT, environment

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
needs_namespaces = pytest.mark.skipif(
    subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine does not let its users make user namespaces",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """An SQLite database of the test's own, by the alias "own"."""
    path = tmp_path / "db.sqlite3"
    use(str(path))
    with connections["own"].cursor() as cursor:
        cursor.execute("CREATE TABLE something (id)")
    yield path
    BaseDatabaseWrapper.close(connections["own"])  # Django's own for SQLite keeps a database in memory open
    del connections["own"]


def use(path: str) -> None:
    """From here on, the alias "own" is the database at the path."""
    connections["own"] = sqlite_at(path)


def test_the_file_names_its_holder_and_stays_empty_after_the_release(database: Path) -> None:
    lock = Lock("watch-1", using="own")
    lock.acquire()
    file = Path(f"{database}-watch-1.lock")
    held = file.read_text()

    lock.release()

    host = re.escape(os.uname().nodename)
    assert re.fullmatch(rf"process {os.getpid()} on {host} since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\n", held)
    assert (file.read_text(), lock.holder()) == ("", "another process")


def test_a_file_that_says_something_else_names_nobody(database: Path) -> None:
    Path(f"{database}-run.lock").write_bytes(b"\xff\xfe or so\n" * 100)

    assert Lock("run", using="own").holder() == "another process"


def test_any_name_makes_a_short_file_name(database: Path) -> None:
    locks = [Lock(name, using="own") for name in ("run", "../up", "é" * 300)]

    assert [lock.acquire() for lock in locks] == [True, True, True]

    names = sorted(file.name for file in database.parent.glob("*.lock"))
    assert [re.sub("[0-9a-f]{40}", "HASH", name) for name in names] == [
        "db.sqlite3-HASH.lock",
        "db.sqlite3-HASH.lock",
        "db.sqlite3-run.lock",
    ]
    for lock in locks:
        lock.release()


def test_a_database_by_two_names_has_one_lock(database: Path) -> None:
    first = Lock("run", using="own")
    first.acquire()
    link = database.with_name("link.sqlite3")
    link.symlink_to(database)
    connections["own"].close()
    use(str(link))

    assert not Lock("run", using="own").acquire()
    first.release()


def test_locks_of_two_databases_do_not_meet(database: Path) -> None:
    first = Lock("run", using="own")
    first.acquire()
    connections["own"].close()
    use(str(database.with_name("second.sqlite3")))
    with connections["own"].cursor() as cursor:
        cursor.execute("CREATE TABLE something (id)")
    second = Lock("run", using="own")

    assert (second.acquire(), first.is_held) == (True, True)
    first.release()
    second.release()


@pytest.mark.parametrize("name", [":memory:", "file:shared?mode=memory&cache=shared"])
def test_a_database_in_memory_has_no_other_process_to_lock_out(database: Path, name: str) -> None:
    connections["own"].close()
    use(name)
    lock = Lock("run", using="own")

    told = (lock.acquire(), lock.is_held, lock.holder())
    lock.release()

    assert (told, lock.is_held) == ((True, True, "another process"), False)
    assert list(database.parent.glob("*.lock")) == []


def test_a_closed_connection_does_not_lose_the_file(database: Path) -> None:
    lock = Lock("run", using="own")
    lock.acquire()

    connections["own"].close()

    assert (lock.is_held, Lock("run", using="own").acquire()) == (True, False)
    lock.release()


def test_a_lock_whose_file_was_deleted_is_not_held(database: Path) -> None:
    lock = Lock("run", using="own")
    lock.acquire()

    Path(f"{database}-run.lock").unlink()

    assert not lock.is_held
    assert lock.acquire()
    assert (lock.is_held, Lock("run", using="own").acquire()) == (True, False)
    lock.release()


def test_whoever_may_use_the_database_may_use_the_lock(database: Path) -> None:
    database.chmod(0o664)
    lock = Lock("run", using="own")
    before = os.umask(0o077)

    lock.acquire()

    os.umask(before)
    like, file = database.stat(), Path(f"{database}-run.lock").stat()
    assert (stat.S_IMODE(file.st_mode), file.st_uid, file.st_gid) == (0o664, like.st_uid, like.st_gid)
    lock.release()


@pytest.mark.live
def test_a_program_started_meanwhile_does_not_keep_the_lock(database: Path) -> None:
    lock = Lock("run", using="own")
    lock.acquire()

    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False):
        lock.release()
        assert lock.acquire()
    lock.release()


def test_a_lock_file_that_cannot_be_used_is_told(database: Path) -> None:
    Path(f"{database}-run.lock").mkdir()
    lock = Lock("run", using="own")

    with pytest.raises(AuditorError) as raised:
        lock.acquire()

    assert str(raised.value) == (
        f"The lock file {database}-run.lock could not be used: Is a directory.\n"
        "Let this user write to the folder of the database, and to the file if it is there."
    )
    assert not lock.is_held


@pytest.mark.live
@needs_namespaces
def test_a_folder_that_cannot_be_written_is_told(database: Path) -> None:
    done = subprocess.run(
        [*IN_A_NAMESPACE, sys.executable, "-c", CODE, "take_on_a_disk_that_cannot_be_written", database.parent],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == (
        f"The lock file {database}-run.lock could not be used: Read-only file system.\n"
        "Let this user write to the folder of the database, and to the file if it is there.",
        "",
    )
