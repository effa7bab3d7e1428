"""On SQLite, what the host does to its tables, or to ours, never fails because of our triggers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, models, transaction

from auditor.auditlog import append_only
from auditor.journal import giving_way, triggers
from auditor.journal.columns import column_of
from auditor.journal.triggers import TriggerState
from auditor.models import UncheckedReference
from auditor.orphans.journaled import audited_columns
from deploy.gallery.models import Photo
from tests.journal.journaled import fetched, run, seen
from tests.makers import make_photo
from tests.shapes.models import Part

PART = column_of(Part, "file")
DROP = "ALTER TABLE shapes_part DROP COLUMN file"

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def all_triggers() -> list[str]:
    """All but those that keep the audit log as it is."""
    return [
        name
        for name in fetched("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        if name not in append_only.wanted(using="default")
    ]


@pytest.fixture
def installed() -> Iterator[None]:
    """Gives all tables their triggers again."""
    yield
    triggers.install(audited_columns("default"), using="default")


@pytest.fixture
def put_back(installed: None) -> Iterator[None]:
    """Gives the table of parts its column again."""
    yield
    with connection.schema_editor() as editor:
        editor.add_field(Part, Part._meta.get_field("file"))


def test_a_column_that_triggers_read_can_be_dropped() -> None:
    run(DROP)

    assert (seen(PART).state, seen(PART).why) == (TriggerState.IMPOSSIBLE, "shapes_part has no column file")
    assert all_triggers() == []


def test_triggers_are_back_if_the_host_changes_its_mind() -> None:
    before = sorted(all_triggers())

    with transaction.atomic():
        run(DROP)
        transaction.set_rollback(True)

    assert (sorted(all_triggers()), seen(PART).state) == (before, TriggerState.IN_PLACE)
    assert before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [True, False])
def test_a_migration_outside_of_migrate_can_remove_a_field(put_back: None, atomic: bool) -> None:
    with connection.schema_editor(atomic=atomic) as editor:
        triggers.install(audited_columns("default"), using="default")  # as a running watcher does at any moment
        editor.remove_field(Part, Part._meta.get_field("file"))

    assert seen(PART).why == "shapes_part has no column file"


def test_a_journal_that_is_gone() -> None:
    run("DROP TABLE auditor_uncheckedreference")

    photo = make_photo("photos/a.jpg")
    Photo.objects.update(image="photos/b.jpg")

    assert Photo.objects.values_list("pk", "image").get() == (photo.pk, "photos/b.jpg")
    assert all_triggers() == []


@pytest.mark.django_db(transaction=True)
def test_the_journals_own_table_can_be_rebuilt(installed: None) -> None:
    field = UncheckedReference._meta.get_field("field")
    longer = models.CharField(max_length=300)
    longer.set_attributes_from_name("field")

    with connection.schema_editor() as editor:
        editor.alter_field(UncheckedReference, field, longer)
        editor.alter_field(UncheckedReference, longer, field)
    make_photo("photos/a.jpg")

    assert (Photo.objects.count(), seen().state) == (1, TriggerState.MISSING)


def test_a_journal_with_another_column() -> None:
    run("ALTER TABLE auditor_uncheckedreference RENAME COLUMN key TO other")

    make_photo("photos/a.jpg")

    assert Photo.objects.count() == 1


def test_a_table_is_renamed_while_the_journal_is_gone() -> None:
    run("DROP TABLE auditor_uncheckedreference")

    run("ALTER TABLE shapes_pair RENAME TO shapes_couple")

    assert all_triggers() == []


def test_many_rows_are_written_once() -> None:
    run("DROP TABLE auditor_uncheckedreference")

    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO shapes_part (file) VALUES (%s)", [("parts/a.jpg",), ("parts/b.jpg",)])

    assert list(Part.objects.values_list("file", flat=True)) == ["parts/a.jpg", "parts/b.jpg"]


def test_an_error_that_is_the_hosts_own_stays_one() -> None:
    with pytest.raises(OperationalError, match="no such column"):
        run("ALTER TABLE shapes_part DROP COLUMN missing")

    assert seen(PART).state is TriggerState.IN_PLACE


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_opened_again_gives_way_once() -> None:
    connection.close()
    connection.connect()

    assert connection.execute_wrappers == [giving_way.give_way]


def test_rows_from_a_generator_are_all_written() -> None:
    run("DROP TABLE auditor_uncheckedreference")

    with connection.cursor() as cursor:
        rows = ((f"parts/{letter}.jpg",) for letter in "abc")
        cursor.executemany("INSERT INTO shapes_part (file) VALUES (%s)", rows)

    assert list(Part.objects.values_list("file", flat=True)) == ["parts/a.jpg", "parts/b.jpg", "parts/c.jpg"]


@pytest.mark.django_db(transaction=True)
def test_a_wrapper_of_the_hosts_ends_with_its_block_on_a_new_connection() -> None:
    told: list[str] = []

    def tell(execute: Any, sql: str, *rest: Any) -> Any:
        told.append(sql)
        return execute(sql, *rest)

    connection.close()
    connection.execute_wrappers.clear()
    with connection.execute_wrapper(tell):
        run("SELECT 1")
    run("SELECT 2")

    assert (told, connection.execute_wrappers) == (["SELECT 1"], [giving_way.give_way])
