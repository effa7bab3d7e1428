"""On PostgreSQL, what is in the schemas of other tenants counts, and rows that are hidden end the run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from auditor.errors import AuditorError
from auditor.usage.plan import Kept
from tests.makers import make_album, make_file
from tests.usage.worlds import clean, in_trash, kept_in, looked, make_used, unused_in

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def library(media: Path) -> Path:
    make_used(media)
    make_file(media, "photos/theirs.jpg")
    return media


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def tenant(library: Path) -> None:
    execute("CREATE SCHEMA tenant", 'CREATE TABLE tenant."odd ""name" (id int, body jsonb, raw bytea, tags text[])')


def test_file_of_another_tenant_is_used(library: Path, tenant: None, settings: LazySettings) -> None:
    settings.AUDITOR_SEARCH_TEXTS = False
    execute(
        "CREATE TABLE tenant.gallery_photo (LIKE public.gallery_photo)",
        "INSERT INTO tenant.gallery_photo SELECT * FROM public.gallery_photo",
        "UPDATE tenant.gallery_photo SET image = 'photos/theirs.jpg'",
    )

    assert (unused_in(library), kept_in(library)) == ([], {})


def test_file_of_a_tenant_who_has_other_columns_is_used(library: Path, tenant: None) -> None:
    execute(
        "CREATE TABLE tenant.gallery_photo (image text)",
        "INSERT INTO tenant.gallery_photo VALUES ('photos/theirs.jpg')",
    )

    assert unused_in(library) == []


def test_file_in_a_text_of_another_tenant_stays(library: Path, tenant: None) -> None:
    execute('INSERT INTO tenant."odd ""name" (id, body) VALUES (1, \'{"cover": "/media/photos/theirs.jpg"}\')')

    assert (unused_in(library), kept_in(library)) == ([], {Kept.MENTIONED: 1})


def test_file_that_another_tenant_names_meanwhile_comes_back(
    library: Path, tenant: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> str:
        execute('INSERT INTO tenant."odd ""name" (id, tags) VALUES (1, \'{photos/theirs.jpg}\')')
        return "yes\n"

    monkeypatch.setattr("sys.stdin", type("Person", (), {"readline": lambda _: answer(), "isatty": lambda _: False})())

    assert (clean().code, in_trash(library)) == (4, {})


@pytest.fixture
def tenants_user() -> Iterator[None]:
    """A user to whom the database shows some rows only; the end of the test rolls all this back."""
    execute(
        "CREATE ROLE tenants_user",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenants_user",
        "GRANT UPDATE ON ALL TABLES IN SCHEMA public TO tenants_user",
    )
    yield
    execute("RESET ROLE")


@pytest.mark.parametrize("table", ["gallery_photo", "gallery_tag"])
def test_table_of_which_only_some_rows_are_shown_ends_the_run(library: Path, tenants_user: None, table: str) -> None:
    execute(
        "SET CONSTRAINTS ALL IMMEDIATE",  # what is pending stands in the way
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own ON {table} USING (id % 2 = 0)",
        "SET ROLE tenants_user",
    )

    with pytest.raises(AuditorError, match=f"hides rows of {table} from this user") as raised:
        looked(library)

    assert ("AUDITOR_SEARCH_TEXTS" in raised.value.hint) == (table == "gallery_tag")


def test_schema_that_this_user_may_not_read_is_left_out(library: Path, tenant: None, tenants_user: None) -> None:
    execute("SET ROLE tenants_user")

    assert unused_in(library) == ["photos/theirs.jpg"]


def test_texts_are_read_where_a_pool_keeps_no_cursor_open(
    library: Path, tenant: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    monkeypatch.setattr(connection, "chunked_cursor", None)
    make_album("see photos/theirs.jpg")

    assert kept_in(library) == {Kept.MENTIONED: 1}
