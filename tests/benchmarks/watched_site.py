"""A gallery of its own with a real watcher, for the benchmarks: SQLite, or PostgreSQL if TEST_DATABASE says so."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.databases import POSTGRES_URL
from tests.benchmarks.measuring import PROJECT, NotMeasuredError

ON_POSTGRESQL = os.environ.get("TEST_DATABASE") == "postgresql"
START_SECONDS = 300


@contextmanager
def watched_site(media: Path) -> Iterator[tuple[int, float]]:
    """A watcher that has made its first checkpoint: its process id, and the seconds that took.

    Its lines are in `log` beside the media.
    """
    folder = media.parent
    with _made_database(folder) as url:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="deploy.gallery.settings",
            GALLERY_MEDIA_ROOT=str(media),
            DATABASE_URL=url,
            STATE_DIRECTORY=str(folder / "state"),
            DEBUG="0",  # with it, Django keeps thousands of queries in memory
        )
        _migrate()
        begun = time.monotonic()
        try:
            with running_watcher(os.environ, folder / "log") as watcher:
                yield watcher, time.monotonic() - begun
        finally:
            _disconnect()


@contextmanager
def running_watcher(environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """A watcher of the site with this environment, once it has made its first checkpoint: its process id."""
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "watcher"], cwd=PROJECT, env=os.environ | environment, stderr=stderr
        ) as watcher,
    ):
        try:
            _wait_for_checkpoint(watcher, log)
            yield watcher.pid
        finally:
            watcher.terminate()
            watcher.wait(30)


def gaps() -> list[str]:
    """Why each closed span ended."""
    from auditor.models import Span

    closed = Span.objects.filter(closed_at__isnull=False)
    return list(closed.order_by("opened_position").values_list("closed_reason", flat=True))


def deletions_after(position: int) -> list[tuple[int, str]]:
    """The newer deletions of files as (position, path)."""
    from auditor.models import Event

    rows = Event.objects.filter(position__gt=position, type="file.deleted").order_by("position")
    return list(rows.values_list("position", "path"))


def head_position() -> int:
    """How many events are in the log."""
    from auditor.auditlog import store

    return store.head_position("default")


def memory_mib(process: int, figure: str) -> float:
    """A figure of /proc/PID/status, such as VmRSS or VmHWM."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{figure}:"))


@contextmanager
def _made_database(folder: Path) -> Iterator[str]:
    if not ON_POSTGRESQL:
        yield f"sqlite:///{folder}/site.sqlite3"
        return
    import psycopg

    name = f"bench_auditor_{os.getpid()}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRES_URL.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _disconnect() -> None:
    from django.db import connection

    connection.close()


def _wait_for_checkpoint(watcher: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "checkpoint.completed" not in log.read_text():
        if watcher.poll() is not None or time.monotonic() > deadline:
            raise NotMeasuredError(f"the watcher did not start: {log.read_text()[-500:].strip()!r}")
        time.sleep(0.01)
