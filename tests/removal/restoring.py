"""Brings back what runs removed, without the command around it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.apps import apps

from auditor.models import Tombstone
from auditor.removal.conflicts import Conflict
from auditor.removal.restore import Restoration, restore
from auditor.removal.restore_plan import Wish
from auditor.removal.runs import RunFacts
from auditor.removal.written import Clash
from tests.removal.removing import RUN
from tests.removal.rows import dump

AGAIN = RunFacts(
    uid=UUID("00000000-0000-4000-8000-000000000002"),
    command="restore_orphaned_media",
    user="ben",
    started_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
)
EVERYTHING = Wish(with_missing_files=True)


def restored(wish: Wish = EVERYTHING, *, number: int = 2, of: RunFacts = RUN) -> Restoration:
    """Restores what one run removed; further restores need numbers of their own."""
    run = replace(AGAIN, uid=UUID(int=AGAIN.uid.int - 2 + number))
    return restore(of.uid, wish, run, using="default")


def site_rows() -> dict[str, list[tuple[Any, ...]]]:
    """{table: rows} of every table but the auditor's own."""
    own = {model._meta.db_table for model in apps.get_app_config("auditor").get_models()}
    return {table: rows for table, rows in dump().items() if table not in own}


def waiting() -> list[tuple[str, str]]:
    """What is not back yet, as (model, key)."""
    return sorted(Tombstone.objects.filter(restored_at=None).values_list("model", "key"))


def clashes(conflicts: tuple[Conflict, ...]) -> list[tuple[str, Clash, str]]:
    """Each conflict as (row, clash, reason)."""
    return [(str(one.row), one.clash, one.reason) for one in conflicts]
