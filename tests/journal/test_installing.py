"""Where the triggers can be, where they cannot, and that they come and go as they should."""

import logging
import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.files.storage import InMemoryStorage
from django.core.management import call_command
from django.db import DatabaseError, connection, models

from auditor.auditlog import append_only
from auditor.journal import triggers
from auditor.journal.columns import Column, column_of
from auditor.journal.names import name_of
from auditor.journal.triggers import TriggerSeen, TriggerState
from auditor.models import UncheckedReference
from auditor.orphans import journaled, registry
from auditor.orphans.journaled import audited_columns
from auditor.orphans.registry import Registration
from deploy.gallery.models import Photo
from tests.journal.journaled import PHOTO, entries, fetched, keys, run, seen
from tests.makers import make_photo
from tests.shapes.models import Contract, Document, Part

PART = column_of(Part, "file")
ROLE = f"auditor_test_site_{os.getpid()}"  # a role belongs to the whole server
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'auditor%%'",
}


def all_triggers() -> list[str]:
    """All but those that keep the audit log as it is."""
    return [name for name in fetched(TRIGGERS[connection.vendor]) if name not in append_only.wanted(using="default")]


def of(column: Column) -> list[str]:
    return [name for name in all_triggers() if name.startswith(name_of(column))]


def impossible(why: str) -> TriggerSeen:
    return TriggerSeen(state=TriggerState.IMPOSSIBLE, why=why)


@pytest.fixture
def installed() -> Iterator[None]:
    """Leaves the triggers as a test of the whole database found them."""
    yield
    triggers.install(audited_columns("default"), using="default")


@pytest.mark.django_db
def test_every_audited_column_has_triggers_after_migrate() -> None:
    columns = audited_columns("default")

    found = triggers.look(columns, using="default")

    assert {column.id for column in columns} >= {"gallery.Photo.thumbnail", "shapes.Document.file", "shapes.Page.file"}
    assert {one.state for one in found.values()} == {TriggerState.IN_PLACE}
    assert list(found) == [column.id for column in columns]


@pytest.mark.django_db
def test_names_are_short_and_each_columns_own() -> None:
    columns = audited_columns("default")

    assert len({name_of(column) for column in columns}) == len(columns)
    assert all(len(name) <= 63 and name.startswith("auditor_journal_") for name in all_triggers())
    assert name_of(PHOTO) == "auditor_journal_gallery_photo_image_f6afa7f1"


@pytest.mark.django_db
def test_one_look_takes_two_queries_at_most(django_assert_max_num_queries: object) -> None:
    columns = audited_columns("default")

    with django_assert_max_num_queries(2):  # type: ignore[operator]
        triggers.look(columns, using="default")


@pytest.mark.django_db
def test_making_triggers_removes_none() -> None:
    before = sorted(all_triggers())
    Part.objects.create(file="parts/a.jpg")

    triggers.install([PHOTO], using="default")

    assert (sorted(all_triggers()), keys(PART)) == (before, [str(Part.objects.get().pk)])


@pytest.mark.django_db
def test_columns_that_are_not_wanted_lose_their_triggers_and_entries() -> None:
    photo = make_photo("photos/a.jpg")
    Part.objects.create(file="parts/a.jpg")

    triggers.remove_others([PHOTO], apps.get_models(), using="default")

    assert entries() == [("gallery.Photo.image", str(photo.pk))]
    assert (seen(PHOTO).state, seen(PART)) == (TriggerState.IN_PLACE, TriggerSeen(state=TriggerState.MISSING))
    assert set(all_triggers()) == set(of(PHOTO))


@pytest.mark.django_db
@pytest.mark.parametrize("journal", [True, False])
def test_what_another_project_has_put_on_its_tables_stays(settings: LazySettings, journal: bool) -> None:
    settings.AUDITOR_JOURNAL = journal
    theirs = column_of(Elsewhere, "file")  # of a model that is not for this project to manage
    run("CREATE TABLE shapes_elsewhere (id integer, file text)")
    triggers.install([theirs], using="default")
    run("INSERT INTO shapes_elsewhere VALUES (7, 'a.jpg')")

    journaled.keep(using="default")

    assert (seen(theirs).state, keys(theirs)) == (TriggerState.IN_PLACE, ["7"])
    assert seen(PART).state is (TriggerState.IN_PLACE if journal else TriggerState.MISSING)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_what_is_on_no_table_any_more_is_removed() -> None:
    theirs = column_of(Elsewhere, "file")
    run("CREATE TABLE shapes_elsewhere (id integer, file text)")
    triggers.install([theirs], using="default")
    run("DROP TABLE shapes_elsewhere")

    journaled.keep(using="default")

    assert fetched("SELECT proname FROM pg_proc WHERE proname = %s", name_of(theirs)) == []


@pytest.mark.postgresql
@pytest.mark.django_db
def test_what_reads_a_column_that_is_gone_is_removed() -> None:
    run("ALTER TABLE shapes_part DROP COLUMN file")

    journaled.keep(using="default")

    assert of(PART) == []


@pytest.mark.django_db
def test_a_field_that_is_not_audited_any_more_has_no_triggers(monkeypatch: pytest.MonkeyPatch) -> None:
    thumbnail = column_of(Photo, "thumbnail")
    registration = Registration(model="gallery.Photo", primary=("image",))

    with monkeypatch.context() as patched:
        patched.setitem(registry._registrations, "gallery.Photo", registration)
        journaled.keep(using="default")
        without = seen(thumbnail).state
    journaled.keep(using="default")

    assert (without, seen(thumbnail).state) == (TriggerState.MISSING, TriggerState.IN_PLACE)


@pytest.mark.django_db
def test_a_field_that_keeps_its_files_elsewhere_has_no_triggers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Part._meta.get_field("file"), "storage", InMemoryStorage())

    assert PART not in audited_columns("default")


@pytest.mark.django_db
def test_an_inherited_field_is_the_parents_column(settings: LazySettings) -> None:
    settings.AUDITOR_MODELS = ["shapes.Contract"]

    columns = audited_columns("default")

    assert column_of(Contract, "file") == column_of(Document, "file")
    assert columns.count(column_of(Document, "file")) == 1


@pytest.mark.django_db
def test_removal_takes_all_triggers_and_entries() -> None:
    make_photo("photos/a.jpg")
    before = all_triggers()

    removed = triggers.remove(using="default")
    make_photo("photos/b.jpg")

    assert (removed, all_triggers(), entries()) == (len(before), [], [])
    assert removed > 0


@pytest.mark.django_db
def test_migrate_removes_them_where_the_setting_is_off(settings: LazySettings) -> None:
    settings.AUDITOR_JOURNAL = False

    call_command("migrate", verbosity=0)

    assert all_triggers() == []


@pytest.mark.django_db
def test_migrate_makes_them_again() -> None:
    before = sorted(all_triggers())
    triggers.remove(using="default")

    call_command("migrate", verbosity=0)

    assert sorted(all_triggers()) == before


@pytest.mark.django_db
def test_what_goes_wrong_is_told_and_ends_no_migrate(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(triggers, "install", fail)

    with caplog.at_level(logging.WARNING):
        journaled.keep(using="default")

    assert caplog.messages == ["The reference journal's triggers in the database 'default': the disk is full"]


@pytest.mark.django_db(transaction=True)
def test_without_the_tables_of_the_auditor_the_host_can_write(installed: None) -> None:
    try:
        call_command("migrate", "auditor", "0003", verbosity=0)
        photo = make_photo("photos/a.jpg")
        Photo.objects.update(image="photos/b.jpg")
        without = all_triggers()
    finally:
        call_command("migrate", "auditor", verbosity=0)

    assert (without, photo.pk is None) == ([], False)
    assert seen().state is TriggerState.IN_PLACE


class Elsewhere(models.Model):
    """A model whose table is nowhere."""

    file = models.FileField()

    class Meta:
        app_label = "shapes"
        managed = False


class Timed(models.Model):
    """A key that no two writers give the same text."""

    at = models.DateTimeField(primary_key=True)
    file = models.FileField()

    class Meta:
        app_label = "shapes"
        managed = False


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Elsewhere, "there is no table shapes_elsewhere in this database"),
        (Timed, "the key of its model is of a kind that cannot be journaled"),
    ],
)
def test_a_column_that_cannot_be_journaled(model: type[models.Model], why: str) -> None:
    column = column_of(model, "file")

    assert triggers.install([column], using="default") == {column.id: impossible(why)}
    assert seen(column) == impossible(why)
    assert of(column) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE VIEW shapes_elsewhere AS SELECT * FROM shapes_part", "shapes_elsewhere is a view"),
        ("CREATE TABLE shapes_elsewhere (id integer)", "shapes_elsewhere has no column file"),
    ],
)
def test_a_table_that_is_not_as_the_model_says(statement: str, why: str) -> None:
    column = column_of(Elsewhere, "file")
    run(statement)

    assert triggers.install([column], using="default") == {column.id: impossible(why)}
    assert of(column) == []


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (["CREATE TABLE below () INHERITS (shapes_part)"], "other tables inherit from shapes_part"),
        (
            ["ALTER TABLE shapes_part ALTER COLUMN file TYPE char(100)"],
            "shapes_part has a key or a name of fixed length",
        ),
        (
            [
                "DROP TABLE shapes_part CASCADE",
                "CREATE TABLE shapes_part (id bigint, file text) PARTITION BY HASH (id)",
            ],
            "shapes_part is a partitioned table",
        ),
        (
            [
                "DROP TABLE shapes_part CASCADE",
                "CREATE TABLE whole (id bigint, file text) PARTITION BY HASH (id)",
                "CREATE TABLE shapes_part PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            ],
            "shapes_part is a partition",
        ),
        (["CREATE TEMP TABLE shapes_part (id bigint, file text)"], "shapes_part is a temporary table"),
    ],
)
def test_a_table_whose_rows_may_be_written_elsewhere(statements: list[str], why: str) -> None:
    run(*statements)

    assert triggers.install([PART], using="default") == {PART.id: impossible(why)}


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_table_in_another_schema() -> None:
    column = column_of(Elsewhere, "file")
    run("CREATE SCHEMA shop", "CREATE TABLE shop.shapes_elsewhere (id bigint, file text)")
    run("SET LOCAL search_path = public, shop")

    state = triggers.install([column, PHOTO], using="default")[column.id].state
    run("SET LOCAL search_path = ''", "INSERT INTO shop.shapes_elsewhere VALUES (7, 'a.jpg')")
    run("SET LOCAL search_path = public")

    assert (state, keys(column)) == (TriggerState.IN_PLACE, ["7"])


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_schema_that_is_written_into_the_tables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    column = column_of(Elsewhere, "file")
    monkeypatch.setattr(Elsewhere._meta, "db_table", 'shop"."things')
    run("CREATE SCHEMA shop", "CREATE TABLE shop.things (id bigint, file text)")

    state = triggers.install([column], using="default")[column.id].state
    run("INSERT INTO shop.things VALUES (7, 'a.jpg')")

    assert (state, keys(column)) == (TriggerState.IN_PLACE, ["7"])


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_table_of_another_role() -> None:
    triggers.remove(using="default")
    run(
        f"CREATE ROLE {ROLE}",
        f"GRANT ALL ON SCHEMA public TO {ROLE}",
        f"ALTER TABLE auditor_uncheckedreference OWNER TO {ROLE}",
        f"ALTER TABLE shapes_part OWNER TO {ROLE}",
        f"SET LOCAL ROLE {ROLE}",
    )

    found = triggers.install([PART, PHOTO], using="default")

    assert found[PART.id].state is TriggerState.IN_PLACE
    assert found[PHOTO.id] == TriggerSeen(state=TriggerState.MISSING, why="permission denied for table gallery_photo")
    assert seen(PHOTO).why == "the table gallery_photo belongs to another role"


@pytest.mark.django_db
def test_a_database_of_another_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(vendor="mysql", display_name="MySQL")
    monkeypatch.setattr(triggers, "connections", {"default": other})

    assert triggers.look([PHOTO], using="default") == {PHOTO.id: impossible("there are no triggers for MySQL")}
    assert triggers.install([PHOTO], using="default") == {PHOTO.id: impossible("there are no triggers for MySQL")}
    assert triggers.remove(using="default") == 0
    assert UncheckedReference.objects.count() == 0


@pytest.mark.django_db
def test_a_key_that_its_field_translates_cannot_be_journaled(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Photo._meta.pk
    monkeypatch.setattr(type(key), "from_db_value", lambda _self, value, *_: f"photo-{value}", raising=False)

    assert triggers.look([PHOTO], using="default") == {
        PHOTO.id: impossible("the key of its model is of a kind that cannot be journaled")
    }
