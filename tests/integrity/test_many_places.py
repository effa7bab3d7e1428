"""Names in other databases, and files in storages that are no folders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError

from auditor.auditlog import store
from auditor.orphans import references, remote, storages
from auditor.usage import sources
from tests.commands.test_two_databases import MAKE, python
from tests.integrity.checking import NAME, check, found, healed, lines, make_sound, states
from tests.makers import make_file
from tests.orphans.storing import Shelf, ShelfStorage, make_shelf, store_documents
from tests.shapes.models import Document


@pytest.mark.live
@pytest.mark.sqlite
def test_file_that_only_another_database_names_is_used(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_UNUSED_MIN_AGE", "0")
    make_file(media, "photos/here.jpg")
    make_file(media, "documents/here.pdf")
    make_file(media, "photos/unused.jpg")
    assert python(media, "-c", MAKE).code == 0

    ran = python(media, "manage.py", NAME, "--list")

    assert [(kind, path) for kind, path, _ in found(ran)] == [
        ("missing", "documents/gone.pdf"),
        ("unused", "photos/unused.jpg"),
    ]
    assert {line["what"]: line["reason"] for line in lines(ran, "check.omitted")} == {
        "gallery.Photo": "kept in database 'media': run with --database media",
        "gallery.Video": "kept in database 'media': run with --database media",
        "gallery.Rendition": "kept in database 'media': run with --database media",
    }


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A storage in memory that is registered, in which two documents are."""
    made = make_shelf("documents/a.pdf", "documents/b.pdf")
    monkeypatch.setitem(storages._factories, storages._dotted(ShelfStorage), lambda _: made)
    store_documents(made.storage, monkeypatch)
    remote.register(store.register_root(made.root, using="default"), made, using="default")
    return made


@pytest.mark.django_db
def test_object_store_is_asked_for_each_name_and_never_read(media: Path, shelf: Shelf) -> None:
    make_sound(media)
    for name in ("a", "b", "gone", "A"):
        Document.objects.create(title=name, file=f"documents/{name}.pdf")

    ran = check("--checksums", "--list")

    assert [(kind, path) for kind, path, _ in found(ran)] == [
        ("missing", "documents/A.pdf"),
        ("twins", "documents/A.pdf"),
        ("twins", "documents/a.pdf"),
        ("missing", "documents/gone.pdf"),
    ]
    assert ran.log[-1]["read"] == 1
    assert {line["what"]: line["reason"] for line in lines(ran, "check.omitted")} == dict.fromkeys(
        ("unused files of shapes.Document.file", f"the content of {shelf.root}"), "its files are in no local folder"
    )


@pytest.mark.django_db
def test_object_store_that_is_broken_is_said_to_be_so(media: Path, shelf: Shelf) -> None:
    make_sound(media)
    Document.objects.create(title="a", file="documents/a.pdf")
    shelf.broken = OSError("no route")

    ran = check()

    assert (ran.code, found(ran)) == (5, [])
    assert [line["what"] for line in lines(ran, "check.omitted")] == [
        shelf.root,
        "unused files of shapes.Document.file",
    ]


@pytest.mark.django_db
def test_nothing_has_healed_in_an_object_store_whose_adapter_cannot_be_made(
    media: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media)
    for name in ("a", "A"):
        Document.objects.create(title=name, file=f"documents/{name}.pdf")
    check()

    def fail(_: object) -> Shelf:
        raise OSError("no credentials")

    with monkeypatch.context() as patched:
        patched.setitem(storages._factories, storages._dotted(ShelfStorage), fail)
        ran = check()

    assert (healed(ran), ran.log[-1]["still_open"]) == ([], 3)
    assert set(states(check()).values()) == {"open"}


@pytest.mark.django_db
def test_database_that_cannot_be_asked_leaves_open_which_files_are_unused(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media)
    make_file(media, "tmp/a.bin")
    monkeypatch.setattr(sources, "databases", lambda: ["default", "away"])
    monkeypatch.setattr(references, "tables", of_one_that_is_away(references.tables))

    ran = check("--list")

    assert (ran.code, found(ran), "unused" in ran.log[-1]) == (0, [], False)
    assert [(line["what"], line["reason"]) for line in lines(ran, "check.omitted")] == [
        (
            "unused files",
            "The database 'away' cannot be asked which files its records name: the server is away",
        )
    ]


def of_one_that_is_away(honest: Callable[[str], set[str]]) -> Callable[[str], set[str]]:
    def tables(alias: str) -> set[str]:
        if alias == "away":
            raise OperationalError("the server is away")
        return honest(alias)

    return tables
