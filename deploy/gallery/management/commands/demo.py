"""Shows the main job on real files: disk, watcher, audit log, dry run, deletion, clean, and undo."""

import glob
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from auditor.auditlog import store

PROJECT = Path(__file__).parents[4]
MANAGE = os.fspath(PROJECT / "manage.py")
BACKUP = os.path.join(settings.AUDITOR_STATE_DIR, "backup")
LOG = os.path.join(settings.AUDITOR_STATE_DIR, "demo.jsonl")
PATIENCE_SECONDS = 30.0
SHOWN_EVENTS = ("span.opened", "batch.appended", "route.chosen", "record.deleted", "record.restored", "run.completed")


class Command(BaseCommand):
    help = "Fills the gallery anew, deletes files under the watcher's eyes and without it, and cleans up."

    def handle(self, **_: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo replaces the whole gallery: it runs with DEBUG only.")
        self.step("A fresh gallery: real photos, thumbnails and videos in the media folder.")
        self.make_gallery()
        with self.watcher():
            self.step("Somebody deletes files, with an ordinary rm.")
            self.remove("photos/10000041*.jpg", "photos/10000040[89]*.jpg", "videos/VID_00[0-2]*.mp4")
            self.step("A dry run: the answer comes from the audit log, without reading the library.")
            self.clean_up("--dry-run")
            self.step("The same for real: one transaction, and no file is touched.")
            self.clean_up("--force")
            self.step("Once more: clean.")
            self.clean_up("--dry-run")
        self.step("The watcher is stopped. More files vanish, and nobody sees it.")
        self.remove("photos/10000030*.jpg", backup=True)
        self.step(
            "The same command: the log cannot vouch for that time, so the whole disk is scanned, and it says why."
        )
        self.clean_up("--dry-run")
        self.step("And for real, by the scan this time.")
        self.clean_up("--force")
        self.step("The files turn up in a backup. Their records come back as they were, with tags and custom albums.")
        self.bring_back()
        self.run_command("restore_orphaned_media", "--force")
        self.step(f"What a log pipeline got meanwhile, a few lines of {self.shown(LOG)}:")
        self.show_log()
        self.step("The gallery is yours: `make site` serves it at http://127.0.0.1:8000/albums/")

    def make_gallery(self) -> None:
        """Migrates, fills the gallery, and begins the JSON log anew."""
        os.makedirs(os.path.dirname(LOG), exist_ok=True)
        open(LOG, "w", encoding="utf-8").close()
        call_command("migrate", verbosity=0)
        call_command("fill_gallery")
        # Somebody may have removed the folder of an earlier demo, and its marker with it.
        call_command("register_media_root", replace=True, log_format="none", stdout=StringIO())

    @contextmanager
    def watcher(self) -> Iterator[None]:
        """The daemon, as a program of its own, from its first checkpoint to its clean end."""
        arguments = ["watch_media", "--log-format", "none", "--json-into", LOG]
        self.step("The watcher starts.")
        self.show(f"{self.manage('watch_media')} &")
        process = subprocess.Popen([sys.executable, MANAGE, *arguments])
        try:
            self.wait_until(lambda: self.has_logged("checkpoint.completed"), "the watcher's first checkpoint")
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)

    def remove(self, *patterns: str, backup: bool = False) -> None:
        """Runs rm on files below the media folder, and gives a running watcher the time to prove that it heard."""
        if backup:
            shutil.copytree(settings.MEDIA_ROOT, BACKUP, dirs_exist_ok=True)
        names = [name for pattern in patterns for name in sorted(glob.glob(pattern, root_dir=settings.MEDIA_ROOT))]
        self.show(f"rm {' '.join(self.shown(os.path.join(settings.MEDIA_ROOT, pattern)) for pattern in patterns)}")
        subprocess.run(["rm", "--", *names], check=True, cwd=settings.MEDIA_ROOT)
        self.stdout.write(f"({len(names)} files)")
        removed_at = store.database_time("default")
        root = os.path.realpath(settings.MEDIA_ROOT)
        if store.coverage(root, using="default").span:
            self.wait_until(lambda: is_covered(root, removed_at), "the watcher's proof")

    def bring_back(self) -> None:
        """Copies the backup over the media folder, and throws it away."""
        self.show(f"cp -r {self.shown(BACKUP)}/. {self.shown(settings.MEDIA_ROOT)}/")
        shutil.copytree(BACKUP, settings.MEDIA_ROOT, dirs_exist_ok=True)
        shutil.rmtree(BACKUP)

    def clean_up(self, flag: str) -> None:
        """Runs the clean-up."""
        self.run_command("cleanup_orphaned_media", flag)

    def run_command(self, *arguments: str) -> None:
        """Runs a command, with its JSON log kept beside the summary."""
        self.show(self.manage(*arguments))
        self.stdout.flush()
        quiet = ["--log-format", "none", "--json-into", LOG]
        subprocess.run([sys.executable, MANAGE, *arguments, *quiet], check=True)

    def show_log(self) -> None:
        """Prints the last line of each of some events."""
        with open(LOG, encoding="utf-8") as stream:
            last = {line["event"]: line for line in map(json.loads, stream)}
        for event in SHOWN_EVENTS:
            line = {name: value for name, value in last[event].items() if name not in ("schema", "run_id", "level")}
            self.stdout.write(json.dumps(line, indent=2))

    def has_logged(self, event: str) -> bool:
        """Whether the JSON log has a line of this event."""
        with open(LOG, encoding="utf-8") as stream:
            return any(json.loads(line)["event"] == event for line in stream if line.endswith("\n"))

    def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Waits; CommandError if it takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise CommandError(f"Waited {PATIENCE_SECONDS:.0f} s for {what}. Look into {LOG}.")
            time.sleep(0.1)

    def step(self, text: str) -> None:
        """Narrates."""
        self.stdout.write(f"\n{self.style.MIGRATE_HEADING(f'── {text}')}")

    def show(self, line: str) -> None:
        """Prints a command as a person would type it."""
        self.stdout.write(self.style.SQL_KEYWORD(f"$ {line}"))

    def manage(self, *arguments: str) -> str:
        return f"python manage.py {' '.join(arguments)}"

    def shown(self, path: str) -> str:
        return os.path.relpath(path)


def is_covered(root: str, moment: Any) -> bool:
    """Whether everything up to a moment is in the audit log."""
    span = store.coverage(root, using="default").span
    return span is not None and span.covered_until > moment
