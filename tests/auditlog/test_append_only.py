"""The database itself refuses to change or delete what is in the log, by whatever way."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor

from auditor.auditlog import append_only, store
from auditor.models import Batch, Event
from tests.answers.happening import append, deleted, root_of

pytestmark = pytest.mark.django_db

ROW = "position, type, version, path, occurred_at, data"
REPLACED = f"INSERT OR REPLACE INTO auditor_event ({ROW}) SELECT {ROW} FROM auditor_event"
CHANGES = [
    "UPDATE auditor_event SET path = 'b'",
    "DELETE FROM auditor_event",
    "UPDATE auditor_batch SET seal = 'b'",
    "DELETE FROM auditor_batch WHERE number = 1",
    pytest.param("TRUNCATE auditor_event", marks=pytest.mark.postgresql),
    pytest.param("TRUNCATE auditor_root CASCADE", marks=pytest.mark.postgresql),
    pytest.param(REPLACED, marks=pytest.mark.sqlite),
    pytest.param("UPDATE OR REPLACE auditor_event SET path = 'b'", marks=pytest.mark.sqlite),
    pytest.param(
        "INSERT OR REPLACE INTO auditor_batch SELECT number + 1, uid, first_position + 1, count, recorded_at, "
        "events_hash, previous_seal, seal FROM auditor_batch",
        marks=pytest.mark.sqlite,
    ),
]


def execute(sql: str) -> None:
    connection.check_constraints()  # PostgreSQL truncates nothing for which a check is still to be made
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("sql", CHANGES)
def test_events_and_batches_can_only_be_appended(sql: str, media: Path) -> None:
    append(deleted(root_of(media), "a.jpg"))

    with pytest.raises(IntegrityError, match=r"auditor_(event|batch) is append-only"):
        execute(sql)

    append(deleted(root_of(media), "b.jpg"))
    assert list(Event.objects.order_by("position").values_list("path", flat=True)) == ["a.jpg", "b.jpg"]


@pytest.mark.postgresql
def test_trigger_that_was_disabled_is_missing_and_works_again_after_a_migrate(media: Path) -> None:
    execute("ALTER TABLE auditor_event DISABLE TRIGGER auditor_event_kept")
    assert append_only.missing(using="default") == ["auditor_event_kept"]

    append_only.keep(using="default")

    assert append_only.missing(using="default") == []
    append(deleted(root_of(media), "a.jpg"))
    with pytest.raises(IntegrityError, match="auditor_event is append-only"):
        execute("DELETE FROM auditor_event")


def test_within_a_prune_only_events_up_to_its_end_can_be_deleted(media: Path) -> None:
    append(deleted(root_of(media), "a.jpg"), deleted(root_of(media), "b.jpg"))

    with append_only.pruning(1, using="default"):
        execute("DELETE FROM auditor_event WHERE position = 1")
        for refused in (
            "DELETE FROM auditor_event",
            "UPDATE auditor_event SET path = 'c'",
            "DELETE FROM auditor_batch",
        ):
            with pytest.raises(IntegrityError, match=r"auditor_(event|batch) is append-only"):
                execute(refused)

    with pytest.raises(IntegrityError, match="auditor_event is append-only"):
        execute("DELETE FROM auditor_event WHERE position <= 2")


def test_lifted_for_a_while(media: Path) -> None:
    append(deleted(root_of(media), "a.jpg"))

    with append_only.lifted("default"):
        Event.objects.all().delete()

    append(deleted(root_of(media), "b.jpg"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.all().delete()


def test_every_migrate_makes_those_that_are_missing(media: Path) -> None:
    append_only.remove(using="default")
    assert len(append_only.missing(using="default")) == {"sqlite": 6, "postgresql": 4}[connection.vendor]

    call_command("migrate", stdout=StringIO())

    assert append_only.missing(using="default") == []


def test_system_check_tells_where_they_are_missing(media: Path) -> None:
    def found() -> list[str]:
        return [one.msg for one in run_checks(databases=["default"]) if one.id == "auditor.W002"]

    assert found() == []
    append_only.remove(using="default")

    (message,) = found()
    assert message.startswith("The database 'default' would let the audit log be changed: ")


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_table_that_sqlite_rebuilds_has_them_again_after_the_migrate(media: Path) -> None:
    append(deleted(root_of(media), "a.jpg"))
    field = models.IntegerField(default=0)
    field.set_attributes_from_name("spare")
    with connection.schema_editor() as editor:
        editor._remake_table(Event, create_field=field)  # type: ignore[attr-defined]
        editor._remake_table(Event)  # type: ignore[attr-defined]
    assert len(append_only.missing(using="default")) == 3

    call_command("migrate", stdout=StringIO())

    assert append_only.missing(using="default") == []


@pytest.mark.django_db(transaction=True)
def test_only_migrating_back_removes_them(media: Path) -> None:
    append(deleted(root_of(media), "a.jpg"))
    try:
        call_command("migrate", "auditor", "0005", stdout=StringIO())
        assert not append_only._present("default")
        Batch.objects.update(seal="changed")
    finally:
        call_command("migrate", "auditor", stdout=StringIO())

    assert append_only.missing(using="default") == []
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes("auditor")) == []
    assert store.head_position("default") == 1


@pytest.mark.django_db(transaction=True)
def test_flush_goes_through_where_a_test_suite_allows_it(media: Path) -> None:
    flush = connection.ops.execute_sql_flush
    statements = connection.ops.sql_flush(no_style(), [Event._meta.db_table])
    append(deleted(root_of(media), "a.jpg"))

    with pytest.raises(IntegrityError, match="auditor_event is append-only"):
        flush.__wrapped__(statements)
    flush(statements)

    assert not Event.objects.exists()
    assert append_only.missing(using="default") == []
