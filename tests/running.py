"""Runs commands as a user would: in this process, or as a program of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left: its exit code and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def log(self) -> list[dict[str, Any]]:
        """The JSON lines on stderr."""
        return [json.loads(line) for line in self.stderr.splitlines()]

    @property
    def events(self) -> list[str]:
        """The event names of the JSON lines on stderr."""
        return [line["event"] for line in self.log]


def run(name: str, *arguments: str) -> Ran:
    """Runs a command in this process; its foreseen error is printed as `manage.py` prints it."""
    stdout, stderr = StringIO(), StringIO()
    try:
        call_command(name, *arguments, stdout=stdout, stderr=stderr)
        code: Any = 0
    except SystemExit as ended:
        code = ended.code
    except CommandError as error:
        code = error.returncode
        stdout.write(f"CommandError: {error}\n")
    return Ran(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


def environment(**extra: str) -> dict[str, str]:
    """The environment in which a program of its own uses this test's database and media folder."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "TEST_MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "STATE_DIRECTORY": str(settings.AUDITOR_STATE_DIR),
        **extra,
    }


def manage(*arguments: str, stdin: str | None = None, **extra: str) -> Ran:
    """Runs `manage.py` as a program of its own, on this test's database and media folder."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(**extra),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, stdout=done.stdout, stderr=done.stderr)
