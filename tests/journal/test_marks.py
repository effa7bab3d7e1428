"""A mark stays while every write goes through the triggers, and changes with whatever lets one pass."""

from typing import Any

import pytest
from django.db import connection, models

from auditor.journal import triggers
from auditor.journal.columns import column_of
from auditor.journal.names import name_of
from auditor.journal.triggers import TriggerState
from auditor.orphans.journaled import audited_columns
from deploy.gallery.models import Photo
from tests.journal.journaled import PHOTO, fetched, forget, run, seen
from tests.makers import make_photo
from tests.shapes.models import Part

PART = column_of(Part, "file")
NAME = name_of(PART)
COPIED = "CREATE TABLE copied (id integer PRIMARY KEY, file text, whole_id integer)"


def whole(*statements: str) -> Any:
    return pytest.param(statements, id="; ".join(statements)[:60])


@pytest.mark.django_db
def test_a_mark_stays_while_rows_come_and_go() -> None:
    before = seen()

    photo = make_photo("photos/a.jpg")
    Photo.objects.update(image="photos/b.jpg")
    photo.delete()
    forget()
    triggers.install(audited_columns("default"), using="default")

    assert (seen(), before.state) == (before, TriggerState.IN_PLACE)
    assert before.mark


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_site_whose_parameters_are_bound_by_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict["OPTIONS"], "server_side_binding", True)
        connection.close()
        bound = seen()
    connection.close()

    assert (bound, bound.state) == (seen(), TriggerState.IN_PLACE)


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statements",
    [
        whole("TRUNCATE shapes_part CASCADE"),
        whole("TRUNCATE auditor_uncheckedreference"),
        whole(f"ALTER TABLE shapes_part DISABLE TRIGGER {NAME}_i"),
        whole(f"ALTER TABLE shapes_part DISABLE TRIGGER {NAME}_r"),
        whole(
            f"ALTER TABLE shapes_part DISABLE TRIGGER {NAME}_u",
            f"ALTER TABLE shapes_part ENABLE ALWAYS TRIGGER {NAME}_u",
        ),
        whole("ALTER TABLE shapes_part DISABLE TRIGGER ALL", "ALTER TABLE shapes_part ENABLE TRIGGER ALL"),
        whole(f"DROP TRIGGER {NAME}_i ON shapes_part"),
        whole(f"DROP FUNCTION {NAME} CASCADE"),
        whole(f"ALTER FUNCTION {NAME} SECURITY INVOKER"),
        whole(
            "CREATE TABLE copied (LIKE shapes_part INCLUDING ALL)",
            "DROP TABLE shapes_part CASCADE",
            "ALTER TABLE copied RENAME TO shapes_part",
        ),
        whole(
            "CREATE TABLE copied (LIKE shapes_part INCLUDING ALL)",
            "ALTER TABLE shapes_part RENAME TO old",
            "ALTER TABLE copied RENAME TO shapes_part",
        ),
        whole(
            "ALTER TABLE shapes_part RENAME COLUMN file TO other",
            "ALTER TABLE shapes_part RENAME COLUMN other TO file",
        ),
    ],
)
def test_what_lets_a_write_pass_changes_the_mark(statements: tuple[str, ...]) -> None:
    before = seen(PART)

    run(*statements)

    after = seen(PART)
    assert before.state is TriggerState.IN_PLACE
    assert before.mark != after.mark
    assert bool(after.mark) is (after.state is TriggerState.IN_PLACE)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_triggers_that_are_not_as_they_should_be_are_made_anew() -> None:
    run("ALTER TABLE shapes_part DISABLE TRIGGER ALL", "ALTER TABLE shapes_part ENABLE TRIGGER ALL")

    broken = seen(PART).state
    triggers.install(audited_columns("default"), using="default")

    assert (broken, seen(PART).state) == (TriggerState.MISSING, TriggerState.IN_PLACE)
    modes = "SELECT tgenabled FROM pg_trigger WHERE tgname LIKE %s ORDER BY tgname"
    assert fetched(modes, f"{NAME}%") == ["A", "R", "A"]


@pytest.mark.sqlite
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statements",
    [
        whole(f"DROP TRIGGER {NAME}_i"),
        whole(f"DROP TRIGGER {NAME}_u"),
        whole(
            COPIED,
            "DROP TABLE shapes_part",
            "ALTER TABLE copied RENAME TO shapes_part",
        ),
        whole(
            COPIED,
            "ALTER TABLE shapes_part RENAME TO old",
            "ALTER TABLE copied RENAME TO shapes_part",
        ),
        whole("ALTER TABLE shapes_part RENAME COLUMN file TO other"),
    ],
)
def test_triggers_that_went_with_their_table_are_missing(statements: tuple[str, ...]) -> None:
    before = seen(PART)

    run(*statements)

    assert (before.state, seen(PART).mark) == (TriggerState.IN_PLACE, "")


@pytest.mark.sqlite
@pytest.mark.django_db
def test_a_table_that_is_restored_with_its_triggers_has_another_mark() -> None:
    before = seen(PART)
    made = fetched(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'shapes_part' AND sql IS NOT NULL ORDER BY type = 'trigger'"
    )

    # As the .dump of one table does, which fills it before it makes the triggers.
    tables = [one for one in made if one.startswith("CREATE TABLE")]
    run(
        "PRAGMA defer_foreign_keys = ON",
        "DROP TABLE shapes_part",
        *tables,
        "INSERT INTO shapes_part (id, file) VALUES (7, 'parts/a.jpg')",
        *(one for one in made if one not in tables),
    )

    after = seen(PART)
    assert (after.state, after.mark != before.mark) == (TriggerState.IN_PLACE, True)


@pytest.mark.django_db(transaction=True)
def test_an_altered_field_changes_the_mark_and_the_next_migrate_makes_what_is_gone() -> None:
    before, column = seen(PART), Part._meta.get_field("file")
    wider = models.FileField(upload_to="parts/", blank=True, max_length=300)
    wider.set_attributes_from_name("file")
    wider.model = Part

    alter(column, wider)
    altered = seen(PART)
    alter(wider, column)
    installed = triggers.install(audited_columns("default"), using="default")

    state = TriggerState.MISSING if connection.vendor == "sqlite" else TriggerState.IN_PLACE
    assert (altered.state, installed[PART.id].state) == (state, TriggerState.IN_PLACE)
    assert len({before.mark, altered.mark, installed[PART.id].mark}) == 3
    assert PHOTO.id in installed


def alter(old: Any, new: Any) -> None:
    with connection.schema_editor() as editor:
        editor.alter_field(Part, old, new)
