"""How large the log is, and how fast it grows; nothing is counted, for positions have no holes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.apps import apps
from django.db import connections

from auditor.answers.positions import first_recorded_each
from auditor.auditlog import pruned
from auditor.models import Batch, Event, Head

DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a log; `days` are the latest ones, {day: events recorded in it}.

    `archived_until` is the position up to which the log was pruned, `kept` how many events up to there it has still.
    `sizes` are bytes, {table: size}; where the database tells only its own size, that is under "".
    """

    events: int
    batches: int
    first_position: int
    last_position: int
    archived_until: int
    kept: int
    oldest: datetime | None
    newest: datetime | None
    sizes: dict[str, int]
    days: dict[date, int]


def figures(now: datetime, *, using: str) -> Figures:
    """The figures of the log as it is now; days are those of this process's time zone."""
    head, last_prune = Head.objects.using(using).first(), pruned.last_prune(using)
    archived_until, kept = (last_prune.until, last_prune.kept) if last_prune else (0, 0)
    events = Event.objects.using(using)
    oldest, newest = events.order_by("position").first(), events.order_by("-position").first()
    oldest_batch = Batch.objects.using(using).order_by("number").first()
    return Figures(
        events=_counted(head, oldest, archived_until, kept),
        batches=head.batch + 1 - oldest_batch.number if head and oldest_batch else 0,
        first_position=oldest.position if oldest else 0,
        last_position=newest.position if newest else 0,
        archived_until=archived_until,
        kept=kept,
        oldest=oldest.occurred_at if oldest else None,
        newest=newest.occurred_at if newest else None,
        sizes=_sizes(using),
        days=_days(now.astimezone(), using),
    )


def _counted(head: Head | None, oldest: Event | None, archived_until: int, kept: int) -> int:
    if head is None or oldest is None:
        return 0
    return head.position - archived_until + kept if archived_until else head.position + 1 - oldest.position


def _days(now: datetime, using: str) -> dict[date, int]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    begins = [(midnight + timedelta(days=day)).astimezone() for day in range(1 - DAYS, 2)]
    return {moment.date(): count for moment, count in _recorded_between(begins, using)}


def hours(now: datetime, count: int, *, using: str) -> list[tuple[datetime, int]]:
    """The events recorded in each of the latest hours, the oldest first, as (beginning of the hour, events)."""
    begun = now.replace(minute=0, second=0, microsecond=0)
    return _recorded_between([begun + timedelta(hours=hour) for hour in range(1 - count, 2)], using)


def _recorded_between(moments: list[datetime], using: str) -> list[tuple[datetime, int]]:
    """The events recorded from each moment to the next one."""
    positions = first_recorded_each(moments, using=using)
    following = zip(moments, positions, positions[1:], strict=False)
    return [(moment, end - first) for moment, first, end in following]


def _sizes(using: str) -> dict[str, int]:
    connection = connections[using]
    tables = [model._meta.db_table for model in apps.get_app_config("auditor").get_models()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT name, pg_total_relation_size(quote_ident(name)::regclass) FROM unnest(%s::text[]) AS name",
                [tables],
            )
            return dict(sorted(cursor.fetchall(), key=lambda one: -one[1]))
        if connection.vendor == "sqlite":
            # What each table takes is known only to whoever reads the whole file.
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return {"": cursor.fetchone()[0]}
    return {}
