"""How the commands start: nothing is imported before it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"tqdm", "structlog", "auditor.catalogue", "auditor.orphans.plan", "auditor.orphans.finder", "auditor.removal"}


@pytest.mark.parametrize("asked", [["cleanup_orphaned_media"], ["audit_log"], ["audit_log", "show"]], ids=" ".join)
def test_help_does_not_wait_for_what_only_a_run_needs(asked: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "manage.py", *asked, "--help"]

    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True)

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"auditor.management.base", "auditor.checks"} <= imported
    assert not HEAVY & imported
