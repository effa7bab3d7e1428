"""The page that brings back what a run deleted: it shows the plan, and then runs the very command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, TypeVar

from django.core.management import CommandError, call_command

from auditor import restore_report
from auditor.models import Run
from auditor.pages import addresses
from auditor.pages.listing import Given
from auditor.pages.place import database
from auditor.removal.restore import look_back
from auditor.removal.restore_plan import RestorePlan, Wish
from auditor.wording import counted, safe

T = TypeVar("T")
COMMAND = "restore_orphaned_media"
SHOWN = 20  # of each list
LONGEST_USER = 150 - len(" in the admin")  # what the database takes
DONE = "The records are back."
DONE_IN_PART = "The records are back, but for those that stay away."
NOT_DONE = "Nothing was restored: below is what stands in the way, and what stays away."


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A list of the page; `more` are those that are not shown."""

    title: str
    lines: Sequence[str]
    more: int = 0


def wish_of(given: Given) -> Wish:
    """What is ticked on the page."""
    return Wish(with_missing_files="with_missing_files" in given, skip_conflicts="skip_conflicts" in given)


def page_of(run: Run, wish: Wish, failure: str) -> dict[str, Any]:
    """What would come back and what would not, the conflicts first, and why a restore failed. Only reads."""
    plan = look_back(run.uid, wish, using=database())
    return {
        "failure": failure.splitlines(),
        "run_title": addresses.named(run),
        "run_url": addresses.of_one("run", run.uid),
        "wish": wish,
        "plan": plan,
        "can_restore": bool(plan.coming) and not plan.is_blocked,
        "blocks": [block for block in _blocks(plan) if block.lines],
        "with_them": restore_report.with_them(plan).splitlines(),
    }


def _blocks(plan: RestorePlan) -> Sequence[Block]:
    return (
        _block(
            f"Conflicts: {counted(len(plan.conflicts), 'row')}", plan.conflicts, lambda one: f"{one.row}: {one.reason}"
        ),
        _block(
            f"To restore: {counted(len(plan.records), 'record')}",
            plan.records,
            lambda one: restore_report.record(one, plan),
        ),
        _block(f"Stay away: {counted(len(plan.away), 'record')}", plan.away, lambda one: f"{one.row}: {one.reason}"),
    )


def _block(title: str, rows: Sequence[T], line: Callable[[T], str]) -> Block:
    return Block(title=title, lines=[safe(line(one)) for one in rows[:SHOWN]], more=max(0, len(rows) - SHOWN))


def restore(run: Run, wish: Wish, *, user: str) -> tuple[bool, str]:
    """Whether the command brought anything back, and what there is to say of it, in words."""
    stdout, words = StringIO(), DONE
    try:
        call_command(
            COMMAND,
            str(run.uid),
            force=True,
            with_missing_files=wish.with_missing_files,
            skip_conflicts=wish.skip_conflicts,
            database=database(),
            user=f"{user[:LONGEST_USER]} in the admin",
            stdout=stdout,
        )
    except CommandError as error:
        return False, str(error)
    except SystemExit:  # not all that was asked for
        words = DONE_IN_PART
    is_done = restore_report.COMPLETE in stdout.getvalue()
    return is_done, words if is_done else NOT_DONE
