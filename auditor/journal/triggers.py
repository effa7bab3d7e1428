"""The triggers that write the reference journal: made, looked at and removed, in either database.

They stand on the tables of the host project, so nothing in them may ever make a write of the host fail.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from django.db import connections
from django.db.models import Model

from auditor.journal import entries, postgresql, sqlite
from auditor.journal.columns import Column, unique
from auditor.journal.seen import TriggerSeen, TriggerState, impossible
from auditor.models import UncheckedReference

__all__ = ["TriggerSeen", "TriggerState", "install", "look", "remove", "remove_others"]

LONGEST_ID = cast("int", UncheckedReference._meta.get_field("field").max_length)


class Vendor(Protocol):
    """What the module of a database has, for columns that may have triggers."""

    def look(self, columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]: ...

    def install(self, columns: Sequence[Column], using: str) -> dict[str, TriggerSeen]: ...

    def remove_others(self, columns: Sequence[Column], tables: Sequence[str], using: str) -> list[str]: ...

    def remove(self, using: str) -> int: ...


VENDORS: Mapping[str, Vendor] = {"postgresql": postgresql, "sqlite": sqlite}


def look(columns: Sequence[Column], *, using: str) -> dict[str, TriggerSeen]:
    """{column id: TriggerSeen}, in few queries whatever the number of columns. Only reads."""
    possible, seen = _sorted_out(columns, using)
    return seen | (_vendor(using).look(possible, using) if possible else {})


def install(columns: Sequence[Column], *, using: str) -> dict[str, TriggerSeen]:
    """Makes the triggers that are missing; gives back what is there.

    Those that are in place as they should be stay, and so does their mark on PostgreSQL.
    What the database refuses leaves the column MISSING, with the database's word for it.
    """
    possible, seen = _sorted_out(columns, using)
    if connections[using].vendor not in VENDORS:
        return seen
    return seen | _vendor(using).install(possible, using)


def remove_others(columns: Sequence[Column], models: Sequence[type[Model]], *, using: str) -> list[str]:
    """Removes what is on the tables of these models and is of none of these columns, then its entries.

    What is on other tables stays: another project may have put it there.
    Gives back what could not be removed, and why.
    """
    if connections[using].vendor not in VENDORS:
        return []
    possible, _ = _sorted_out(columns, using)
    failed = _vendor(using).remove_others(possible, [model._meta.db_table for model in models], using)
    entries.remove_others(columns, models, using=using)
    return failed


def remove(*, using: str) -> int:
    """Removes all triggers of the journal, then its entries; how many triggers there were.

    Raises the database's error, with everything as it was, if they cannot be removed.
    """
    return _vendor(using).remove(using) if connections[using].vendor in VENDORS else 0


def _vendor(using: str) -> Vendor:
    return VENDORS[connections[using].vendor]


def _sorted_out(columns: Sequence[Column], using: str) -> tuple[list[Column], dict[str, TriggerSeen]]:
    """The columns that a database may have triggers for, and what there is to say of the others."""
    faults = {column.id: _fault(column, using) for column in columns}
    possible = [column for column in unique(columns) if not faults[column.id]]
    return possible, {name: impossible(why) for name, why in faults.items() if why}


def _fault(column: Column, using: str) -> str:
    if connections[using].vendor not in VENDORS:
        return f"there are no triggers for {connections[using].display_name}"
    if not column.has_known_keys:
        return "the key of its model is of a kind that cannot be journaled"
    return "the name of its model is too long" if len(column.id) > LONGEST_ID else ""
