"""Models that make their records, or keep their keys, in a way of their own."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from auditor.journal.columns import column_of, key_text
from auditor.models import Run
from auditor.removal.deletion import Deletion, Toll
from tests.removal.removing import RUN
from watcher.root_fields import names_by_key

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def in_database(*made: type[models.Model]) -> Iterator[None]:
    """Within it, the models have their tables."""
    with connection.schema_editor() as editor:
        for model in made:
            editor.create_model(model)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(made):
                editor.delete_model(model)


def delete(model: type[models.Model], *keys: Any) -> tuple[list[Any], dict[Any, str]]:
    """The keys of those that went, and the reasons why others did not."""
    Run.objects.create(
        uid=RUN.uid, command=RUN.command, user=RUN.user, started_at=RUN.started_at, finished_at=RUN.started_at
    )
    deletion = Deletion(model, RUN.uid, "default", Toll())
    gone = [key for some in deletion.execute(keys) for key in some]
    return gone, deletion.refused


class ByInit:
    """Remembers what it was made with."""

    file: Any
    title: str

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.before = (self.file.name, self.title)


class ByFromDb:
    """Remembers what it was loaded with."""

    @classmethod
    def from_db(cls, db: str, names: Any, values: Any, **named: Any) -> Any:
        made = super().from_db(db, names, values, **named)  # type: ignore[misc]
        made.before = dict(zip(names, values, strict=False))["title"]
        return made


@isolate_apps("tests.shapes")
@pytest.mark.parametrize("way", [ByInit, ByFromDb])
def test_a_record_that_remembers_what_it_was(way: Any) -> None:
    class Remembering(way, models.Model):
        file = models.FileField()
        title = models.CharField(max_length=50)

        class Meta:
            app_label = "shapes"

    with in_database(Remembering):
        Remembering.objects.bulk_create(Remembering(pk=pk, file="gone.jpg", title="Gone") for pk in (1, 2))

        assert delete(Remembering, 1, 2) == ([1, 2], {})


class Shifted(models.IntegerField):
    """A number that is kept as another one."""

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return None if value is None else value + 1_000

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else value - 1_000


@isolate_apps("tests.shapes")
def test_a_key_that_is_kept_as_another_number() -> None:
    class Hidden(models.Model):
        id = Shifted(primary_key=True)
        file = models.FileField()

        class Meta:
            app_label = "shapes"

    class Note(models.Model):
        about = models.ForeignKey(Hidden, models.CASCADE)

        class Meta:
            app_label = "shapes"

    with in_database(Hidden, Note):
        for pk in (1_001, 2_001, 3_001):
            Hidden.objects.create(pk=pk, file="gone.jpg")
            Note.objects.create(pk=pk, about_id=pk)

        assert delete(Hidden, 2_001) == ([2_001], {})
        assert list(Hidden.objects.values_list("pk", flat=True)) == [1_001, 3_001]
        assert list(Note.objects.values_list("about_id", flat=True)) == [1_001, 3_001]


@isolate_apps("tests.shapes")
def test_what_points_to_another_record_of_the_second_parent_does_not_matter() -> None:
    class Scan(models.Model):
        file = models.FileField()

        class Meta:
            app_label = "shapes"

    class Paper(models.Model):
        number = models.AutoField(primary_key=True)

        class Meta:
            app_label = "shapes"

    class Letter(Scan, Paper):
        class Meta:
            app_label = "shapes"

    class Stamp(models.Model):
        paper = models.ForeignKey(Paper, models.DO_NOTHING)

        class Meta:
            app_label = "shapes"

    with in_database(Scan, Paper, Letter, Stamp):
        for number in range(1, 4):
            Paper.objects.create(number=number)
        letter = Letter.objects.create(id=2, number=7, file="gone.jpg")
        Stamp.objects.create(paper_id=2)

        assert delete(Letter, letter.pk) == ([2], {})
        assert Paper.objects.count() == 3


@pytest.fixture
def few_parameters() -> Iterator[None]:
    """As many to a statement as SQLite took before 3.32."""
    connection.ensure_connection()
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


@pytest.mark.sqlite
@isolate_apps("tests.shapes")
@pytest.mark.parametrize("kind", [models.IntegerField, Shifted])
def test_many_records_to_which_others_point_by_a_number_that_some_lack(few_parameters: None, kind: Any) -> None:
    class Numbered(models.Model):
        number = kind(unique=True, null=True)
        file = models.FileField()

        class Meta:
            app_label = "shapes"

    class Sheet(models.Model):
        book = models.ForeignKey(Numbered, models.CASCADE, to_field="number")

        class Meta:
            app_label = "shapes"

    with in_database(Numbered, Sheet):
        Numbered.objects.bulk_create(Numbered(pk=pk, number=pk if pk > 1 else None) for pk in range(1, 1_101))
        Sheet.objects.create(book_id=2)

        gone, refused = delete(Numbered, *range(1, 1_101))

        assert (len(gone), refused, Sheet.objects.count()) == (1_100, {}, 0)


class Hiding(models.Manager[Any]):
    """Shows no record."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().none()


@isolate_apps("tests.shapes")
def test_a_hidden_record_to_which_others_point_by_two_columns() -> None:
    class Seat(models.Model):
        row = models.IntegerField()
        number = models.IntegerField()
        file = models.FileField()

        every = models.Manager()
        hiding = Hiding()

        class Meta:
            app_label = "shapes"
            base_manager_name = "hiding"
            constraints = [models.UniqueConstraint(fields=["row", "number"], name="shapes_one_seat")]

    class Sitting(models.Model):
        row = models.IntegerField()
        number = models.IntegerField()
        seat = models.ForeignObject(Seat, models.CASCADE, from_fields=["row", "number"], to_fields=["row", "number"])

        class Meta:
            app_label = "shapes"

    with in_database(Seat, Sitting):
        for number in (1, 2):
            Seat.every.create(pk=number, row=3, number=number, file="gone.jpg")
            Sitting.objects.create(row=3, number=number)

        assert delete(Seat, 1) == ([1], {})
        assert list(Sitting.objects.values_list("number", flat=True)) == [2]


@isolate_apps("tests.shapes")
def test_a_key_that_is_kept_as_another_number_is_read_back_from_its_text() -> None:
    class Veiled(models.Model):
        id = Shifted(primary_key=True)
        file = models.FileField()

        class Meta:
            app_label = "shapes"

    with in_database(Veiled):
        for pk in (1_001, 2_001):
            Veiled.objects.create(pk=pk, file=f"{pk}.jpg")
        column = column_of(Veiled, "file")
        text = key_text(column, 2_001, "default")

        assert (text, names_by_key(Veiled, column, [text], "default")) == ("1001", {"1001": (2_001, "2001.jpg")})


@pytest.mark.sqlite
@isolate_apps("tests.shapes")
def test_a_key_that_differs_only_by_case_is_that_of_another_record() -> None:
    class Coded(models.Model):
        code = models.CharField(max_length=9, primary_key=True, db_collation="NOCASE")
        file = models.FileField()

        class Meta:
            app_label = "shapes"

    with in_database(Coded):
        Coded.objects.create(code="abc", file="gone.jpg")
        column = column_of(Coded, "file")

        assert names_by_key(Coded, column, ["ABC"], "default") == {}
        assert names_by_key(Coded, column, ["ABC", "abc"], "default") == {"abc": ("abc", "gone.jpg")}
