"""A gallery of its own with a real watcher, for the benchmarks; DATABASE_URL replaces its SQLite file.

A database named by DATABASE_URL must be empty: nothing else may write to its audit log.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

PROJECT = Path(__file__).parents[2]


@contextmanager
def watched_site(fill: Callable[[Path], None]) -> Iterator[tuple[Path, int]]:
    """The media folder, filled and watched, and the process id of the watcher."""
    with tempfile.TemporaryDirectory(prefix="media-auditor-bench-") as folder:
        media = Path(folder, "media")
        media.mkdir()
        os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.gallery.settings"
        os.environ["GALLERY_MEDIA_ROOT"] = str(media)
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/site.sqlite3")
        django.setup()
        call_command("migrate", verbosity=0)
        fill(media)
        with (
            open(Path(folder, "log"), "w", encoding="utf-8") as stderr,
            subprocess.Popen([sys.executable, "-m", "watcher"], cwd=PROJECT, stderr=stderr) as watcher,
        ):
            try:
                _wait_for_checkpoint(watcher)
                yield media, watcher.pid
            finally:
                watcher.terminate()
                watcher.wait(30)


def spans() -> list[str]:
    """Why each span ended; an open one has no reason."""
    from auditor.models import Span

    return list(Span.objects.order_by("opened_position").values_list("closed_reason", flat=True))


def events_after(position: int) -> list[tuple[int, str, str]]:
    """The newer events as (position, type, path)."""
    from auditor.models import Event

    rows = Event.objects.filter(position__gt=position).order_by("position")
    return list(rows.values_list("position", "type", "path"))


def memory_mib(process: int, figure: str) -> float:
    """A figure of /proc/PID/status, such as VmRSS or VmHWM."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{figure}:"))


def _wait_for_checkpoint(watcher: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not any(kind == "checkpoint.completed" for _, kind, _ in events_after(0)):
        if watcher.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The watcher did not start.")
        time.sleep(0.05)
