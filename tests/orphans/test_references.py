"""Which records are read, in which order, and which of them are candidates."""

from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.journal import entries
from auditor.journal.columns import column_of, key_text
from auditor.models import MissingFile, Root, UncheckedReference
from auditor.orphans import references
from auditor.orphans.references import Row, lies_below, read_candidates, topmost
from auditor.orphans.registry import AuditedModel, audited_models
from deploy.gallery.models import Photo
from tests.makers import make_photo
from tests.shapes.models import Archived, Contract, Invoice


def audited(name: str) -> AuditedModel:
    return audited_models([name])[0]


def make_photos(count: int) -> list[Row]:
    photos = [make_photo(f"photos/{number}.jpg", thumbnail=f"thumbnails/{number}.jpg") for number in range(count)]
    return [(photo.pk, photo.image.name, photo.thumbnail.name) for photo in photos]


def make_invoices(count: int) -> list[Row]:
    made = [Invoice.objects.create(scan=f"invoices/{number}.pdf") for number in range(count)]
    return sorted((invoice.pk, invoice.scan.name) for invoice in made)


def make_contracts(count: int) -> list[Row]:
    made = [Contract.objects.create(title="Lease", file=f"documents/{number}.pdf") for number in range(count)]
    return [(contract.pk, contract.file.name) for contract in made]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "make"),
    [("gallery.Photo", make_photos), ("shapes.Invoice", make_invoices), ("shapes.Contract", make_contracts)],
)
@pytest.mark.parametrize(("count", "lengths"), [(0, []), (2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_all_records_are_read_once_in_the_order_of_their_keys(
    name: str, make: Callable[[int], list[Row]], count: int, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "READ_CHUNK", 3)
    made = make(count)

    chunks = list(references.read_all(audited(name), "default"))

    assert [row for chunk in chunks for row in chunk] == made
    assert [len(chunk) for chunk in chunks] == lengths


@pytest.mark.django_db
def test_what_comes_and_goes_between_two_chunks_shifts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "READ_CHUNK", 2)
    made = make_photos(5)
    reading = references.read_all(audited("gallery.Photo"), "default")
    first = next(reading)

    Photo.objects.filter(pk=made[0][0]).delete()
    Photo.objects.filter(pk=made[3][0]).delete()
    new = make_photo("photos/new.jpg")

    assert [*first, *(row for chunk in reading for row in chunk)] == [
        *made[:3],
        made[4],
        (new.pk, "photos/new.jpg", ""),
    ]


@pytest.mark.django_db
def test_what_the_default_manager_hides_is_read_and_counted() -> None:
    sealed = Archived.objects.create(file="old.zip", is_sealed=True)
    assert not Archived.objects.exists()

    assert references.counts([audited("shapes.Archived")], "default") == {"shapes.Archived": 1}
    assert list(references.read_all(audited("shapes.Archived"), "default")) == [[(sealed.pk, "old.zip")]]


@pytest.mark.django_db
def test_a_table_that_is_not_in_the_database_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [audited("shapes.Pair"), audited("shapes.Locked")]
    monkeypatch.setattr(found[1].model._meta, "db_table", "kept_elsewhere")

    assert references.in_database(found, "default") == found[:1]


def make_root(path: str = "/srv/media") -> Root:
    return Root.objects.get_or_create(path=path)[0]


def make_missing(*paths: str, root: str = "/srv/media") -> None:
    """A missing set; a path with a slash at its end is a directory."""
    for path in paths:
        MissingFile.objects.create(
            root=make_root(root), path=path.rstrip("/"), is_directory=path.endswith("/"), position=1
        )


def all_is_checked() -> None:
    """As after the watcher has looked at all that was written."""
    UncheckedReference.objects.all().delete()


def candidates(name: str = "gallery.Photo") -> list[str]:
    """The first names of the records that the log does not vouch for, each once."""
    model = audited(name)
    found = read_candidates(model, model.fields, make_root(), "default")
    return sorted({row[1] for chunk in found for row in chunk})


@pytest.fixture(params=["told apart by the database", "told apart here"])
def any_number_of_prefixes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and many missing directories are looked for in different ways."""
    if request.param == "told apart here":
        monkeypatch.setattr(references, "PREFIXES_BY_DATABASE", 0)


@pytest.mark.django_db
def test_nobody_is_a_candidate_while_nothing_is_missing() -> None:
    make_photos(3)

    all_is_checked()

    assert candidates() == []


@pytest.mark.django_db
def test_a_missing_name_in_any_field_makes_a_candidate() -> None:
    make_photos(4)
    all_is_checked()

    make_missing("photos/1.jpg", "thumbnails/2.jpg", "elsewhere/3.jpg")

    assert candidates() == ["photos/1.jpg", "photos/2.jpg"]


@pytest.mark.django_db
def test_what_is_missing_in_another_root_makes_no_candidate() -> None:
    make_photos(2)
    all_is_checked()

    make_missing("photos/1.jpg", "photos/", root="/srv/other")

    assert candidates() == []


@pytest.mark.django_db
def test_a_missing_directory_makes_candidates_of_all_below_it_and_of_its_own_name(
    any_number_of_prefixes: None,
) -> None:
    for name in ("a/b", "a/b/1.jpg", "a/b/c/2.jpg", "a/bb/3.jpg", "a/b-/4.jpg", "a/5.jpg", "x/a/b/6.jpg", "7.jpg"):
        make_photo(name)
    make_photo("8.jpg", thumbnail="a/b/8.jpg")
    all_is_checked()

    make_missing("a/b/", "a/b/c/")

    assert candidates() == ["8.jpg", "a/b", "a/b/1.jpg", "a/b/c/2.jpg"]


@pytest.mark.django_db
@pytest.mark.parametrize("directory", ["100%", "a_b", "back\\slash", "it's", "line\nbreak", "Ärger", "[a-z]*"])
def test_a_directorys_name_is_no_pattern(directory: str, any_number_of_prefixes: None) -> None:
    for name in (f"{directory}/1.jpg", "100/2.jpg", "axb/3.jpg", "backslash/4.jpg", "z/5.jpg"):
        make_photo(name)
    all_is_checked()

    make_missing(f"{directory}/")

    assert candidates() == [f"{directory}/1.jpg"]


@pytest.mark.django_db
def test_more_missing_directories_than_the_database_is_asked_for_are_all_found() -> None:
    make_photos(2)
    make_photo("70/a.jpg")
    all_is_checked()

    make_missing(*(f"{number}/" for number in range(references.PREFIXES_BY_DATABASE + 50)))

    assert candidates() == ["70/a.jpg"]


@pytest.mark.django_db
def test_a_missing_name_whose_records_are_among_the_candidates_is_not_looked_for() -> None:
    make_photos(3)
    all_is_checked()
    make_missing("photos/1.jpg", "photos/")

    Root.objects.update(resolved_until=1)

    assert candidates() == []


@pytest.mark.django_db
def test_what_nobody_has_looked_at_since_it_was_written_is_a_candidate() -> None:
    rows = make_photos(3)
    all_is_checked()

    entries_of("gallery.Photo", "image", [rows[1][0], rows[1][0]])

    assert candidates() == ["photos/1.jpg"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "make", "field"),
    [
        ("gallery.Photo", make_photos, "thumbnail"),
        ("shapes.Invoice", make_invoices, "scan"),
        ("shapes.Contract", make_contracts, "file"),
    ],
)
def test_candidates_are_found_by_any_kind_of_key(name: str, make: Callable[[int], list[Row]], field: str) -> None:
    rows = make(1200)  # more than go into one query of keys
    all_is_checked()
    column = column_of(audited(name).model, field)

    entries.add_candidates(column, [key_text(column, row[0], "default") for row in rows[::2]], using="default")

    assert candidates(name) == sorted(row[1] for row in rows[::2])


def entries_of(name: str, field: str, keys: list[object]) -> None:
    """What triggers would write of these records."""
    column = column_of(audited(name).model, field)
    UncheckedReference.objects.bulk_create(
        UncheckedReference(field=column.id, key=key_text(column, key, "default")) for key in keys
    )


@pytest.mark.postgresql
@pytest.mark.django_db
def test_candidates_are_found_in_a_column_of_another_collation(any_number_of_prefixes: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE gallery_photo ALTER COLUMN image TYPE varchar(100) COLLATE "und-x-icu"')
    make_photos(2)
    make_photo("photos-/2.jpg")
    all_is_checked()

    make_missing("photos/1.jpg", "photos/")

    assert candidates() == ["photos/0.jpg", "photos/1.jpg"]


PATHS = st.lists(st.sampled_from(["a", "b", "a-", "a0", "A", "ä"]), min_size=1, max_size=4).map("/".join)


@given(PATHS, st.frozensets(PATHS, max_size=6))
def test_a_name_lies_below_the_directories_that_its_parts_spell(name: str, directories: frozenset[str]) -> None:
    expected = any(name == directory or name.startswith(f"{directory}/") for directory in directories)

    assert lies_below(name, directories) == expected


@pytest.mark.django_db
@settings(max_examples=50, deadline=None)
@given(st.frozensets(PATHS, max_size=10))
def test_topmost_directories_hold_all_others_and_none_of_each_other(directories: frozenset[str]) -> None:
    MissingFile.objects.all().delete()
    make_missing(*(f"{directory}/" for directory in directories))

    top = topmost(MissingFile.objects.all())

    assert all(lies_below(directory, frozenset(top)) for directory in directories)
    assert not any(lies_below(one, frozenset(top) - {one}) for one in top)
    assert len(top) == len(directories.intersection(top))
