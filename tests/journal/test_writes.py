"""Every write that gives a row a name, or another one, is in the journal; no other is."""

import json
import os
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from auditor.journal.columns import Column, column_of, key_text, with_keys
from auditor.models import UncheckedReference
from deploy.gallery.models import Photo
from tests.journal.journaled import PHOTO, entries, fetched, forget, keys, run
from tests.makers import make_album, make_photo
from tests.shapes.models import Contract, Document, Exhibit, Invoice, Page, Pair, Part

EXHIBIT = column_of(Exhibit, "file")
ODD_TEXTS = ["it's", 'a "quoted" one', "back\\slash", "tab\tand\nline", "ümlaut", "{}", "%s"]

ROLE = f"auditor_test_writer_{os.getpid()}"  # a role belongs to the whole server

pytestmark = pytest.mark.django_db


def make_exhibits(*codes: str, file: str = "exhibits/a.jpg") -> None:
    Exhibit.objects.bulk_create(Exhibit(code=code, file=file) for code in codes)


def test_a_new_record_is_journaled_for_each_name_it_has() -> None:
    photo = make_photo("photos/a.jpg", thumbnail="thumbnails/a.jpg")
    Pair.objects.create(left="pairs/a.jpg", right="")

    pair = Pair.objects.get().pk
    assert sorted(entries()) == [
        ("gallery.Photo.image", str(photo.pk)),
        ("gallery.Photo.thumbnail", str(photo.pk)),
        ("shapes.Pair.left", str(pair)),
    ]


def test_many_new_records_are_journaled_each_once() -> None:
    album = make_album()
    Photo.objects.bulk_create(Photo(image=f"photos/{number}.jpg", album=album) for number in range(1_000))

    assert sorted(keys(PHOTO)) == sorted(str(key) for key in Photo.objects.values_list("pk", flat=True))


def test_a_new_name_is_journaled_by_save_and_by_update() -> None:
    photo, other, untouched = make_photo("photos/a.jpg"), make_photo("photos/b.jpg"), make_photo("photos/c.jpg")
    forget()

    photo.image = "photos/d.jpg"
    photo.save()
    Photo.objects.filter(pk=other.pk).update(image=Concat(F("image"), Value(".old")))

    assert keys(PHOTO) == [str(photo.pk), str(other.pk)]
    assert untouched.pk


def test_a_name_that_stays_is_not_journaled() -> None:
    photo = make_photo("photos/a.jpg")
    forget()

    photo.save()
    Photo.objects.update(album=make_album("Another"))
    Photo.objects.update(image=F("image"))

    assert entries() == []


def test_a_name_that_differs_only_in_case_is_another_one() -> None:
    photo = make_photo("photos/a.jpg")
    forget()

    Photo.objects.update(image="photos/A.jpg")

    assert keys(PHOTO) == [str(photo.pk)]


def test_an_empty_name_is_journaled_when_it_is_filled_and_not_when_it_is_emptied() -> None:
    make_exhibits("full")
    make_exhibits("empty", file="")
    forget()

    Exhibit.objects.filter(code="full").update(file="")
    Exhibit.objects.filter(code="empty").update(file="exhibits/b.jpg")

    assert keys(EXHIBIT) == ["empty"]


def test_a_statement_that_changes_many_is_journaled_after_one_that_changed_one() -> None:
    make_exhibits(*(f"{number:04}" for number in range(500)))
    forget()

    Exhibit.objects.filter(code="0007").update(file="exhibits/b.jpg")
    Exhibit.objects.filter(code__gte="0100").update(file="exhibits/c.jpg")

    assert sorted(keys(EXHIBIT)) == ["0007", *(f"{number:04}" for number in range(100, 500))]


def test_another_key_is_journaled() -> None:
    make_exhibits("a", "b")
    forget()

    Exhibit.objects.filter(code="a").update(code="c")

    assert keys(EXHIBIT) == ["c"]


def test_an_upsert_is_journaled_where_it_inserts_and_where_it_gives_another_name() -> None:
    make_exhibits("changed", "same")
    forget()

    Exhibit.objects.bulk_create(
        [
            Exhibit(code="changed", file="exhibits/b.jpg"),
            Exhibit(code="same", file="exhibits/a.jpg"),
            Exhibit(code="new", file="exhibits/a.jpg"),
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["file"],
    )

    assert sorted(keys(EXHIBIT)) == ["changed", "new"]


@pytest.mark.sqlite
def test_a_replaced_row_is_journaled() -> None:
    Part.objects.create(pk=7, file="parts/a.jpg")
    forget()

    run("INSERT OR REPLACE INTO shapes_part (id, file) VALUES (7, 'parts/b.jpg'), (8, 'parts/c.jpg'), (9, '')")

    assert keys(column_of(Part, "file")) == ["7", "8"]


@pytest.mark.postgresql
def test_copied_rows_are_journaled() -> None:
    with connection.cursor() as cursor, cursor.copy("COPY shapes_part (id, file) FROM STDIN") as copy:
        copy.write("7\tparts/a.jpg\n8\tparts/b.jpg\n9\t\n")

    assert keys(column_of(Part, "file")) == ["7", "8"]


@pytest.mark.postgresql
def test_a_name_that_is_null_is_no_name() -> None:
    run("ALTER TABLE shapes_part ALTER COLUMN file DROP NOT NULL")

    run("INSERT INTO shapes_part (id, file) VALUES (7, NULL), (8, NULL)")
    run("UPDATE shapes_part SET file = 'parts/a.jpg' WHERE id = 7", "UPDATE shapes_part SET file = NULL")

    assert keys(column_of(Part, "file")) == ["7"]


@pytest.mark.postgresql
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_what_a_replica_applies_is_journaled(role: str) -> None:
    make_exhibits("a")
    forget()

    run(f"SET LOCAL session_replication_role = {role}")
    make_exhibits("b")
    Exhibit.objects.filter(code="a").update(file="exhibits/b.jpg")
    Exhibit.objects.filter(code="b").update(price=3)

    assert sorted(set(keys(EXHIBIT))) == ["a", "b"]


@pytest.mark.postgresql
def test_rows_that_a_subscription_applies_are_journaled_one_by_one() -> None:
    """Its worker runs as a replica, and fires no trigger for statements: here they are taken away."""
    run(*(f"DROP TRIGGER {name} ON shapes_exhibit" for name in statement_triggers()))
    make_exhibits("a", "c")

    run("SET LOCAL session_replication_role = replica")
    make_exhibits("b")
    make_exhibits("d", file="")
    Exhibit.objects.filter(code="a").update(file="exhibits/b.jpg")
    Exhibit.objects.filter(code="c").update(price=3)

    assert keys(EXHIBIT) == ["b", "a"]


def statement_triggers() -> list[str]:
    return fetched(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'shapes_exhibit'::regclass AND tgtype & 1 = 0 "
        "AND tgname LIKE 'auditor_journal_%%'"
    )


@pytest.mark.postgresql
def test_a_writer_needs_no_rights_to_the_journal() -> None:
    run(f"CREATE ROLE {ROLE}", f"GRANT ALL ON shapes_part TO {ROLE}")

    run(f"SET LOCAL ROLE {ROLE}", "INSERT INTO shapes_part (id, file) VALUES (7, 'parts/a.jpg')")
    run("RESET ROLE")

    assert keys(column_of(Part, "file")) == ["7"]


def test_what_is_rolled_back_is_not_journaled() -> None:
    with transaction.atomic():
        make_photo("photos/a.jpg")
        transaction.set_rollback(True)

    assert (entries(), Photo.objects.count()) == ([], 0)


def test_a_record_in_several_tables_is_journaled_for_the_table_that_holds_the_name() -> None:
    Document.objects.create(file="documents/a.pdf")
    contract = Contract.objects.create(file="documents/b.pdf")
    forget()

    Contract.objects.update(file="documents/c.pdf")

    column = column_of(Contract, "file")
    assert entries() == [("shapes.Document.file", str(contract.pk))]
    assert column == column_of(Document, "file")
    assert rows(column) == [contract.document_ptr]


@pytest.mark.parametrize("code", ODD_TEXTS)
def test_a_key_of_text_is_journaled_as_it_is(code: str) -> None:
    make_exhibits(code)

    assert keys(EXHIBIT) == [code] == [key_text(EXHIBIT, code, "default")]
    assert rows(EXHIBIT) == [Exhibit.objects.get()]


def test_a_uuid_is_journaled_as_the_database_keeps_it() -> None:
    uid, column = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427"), column_of(Invoice, "scan")

    Invoice.objects.create(id=uid, scan="invoices/a.pdf")

    assert keys(column) == [key_text(column, uid, "default")]
    assert rows(column) == [Invoice.objects.get()]


def test_a_key_of_two_columns_is_journaled_as_a_list() -> None:
    column = column_of(Page, "file")
    Page.objects.bulk_create(Page(book=3, number=number, file=f"pages/{number}.jpg") for number in (1, 2))
    Page.objects.create(book=4, number=1)

    Page.objects.filter(number=2).update(number=5)

    assert keys(column) == [key_text(column, (3, number), "default") for number in (1, 2, 5)]
    assert [json.loads(key) for key in keys(column)] == [["3", "1"], ["3", "2"], ["3", "5"]]
    assert rows(column) == list(Page.objects.filter(book=3).order_by("pk"))


def rows(column: Column) -> list[object]:
    """The rows that the journal's entries lead to."""
    found = with_keys(column.model._default_manager.all(), column, UncheckedReference.objects.all())
    return [row for some in found for row in some.order_by("pk")]
