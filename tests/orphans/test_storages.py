"""Storage adapters: which storage has one, and what such a place must prove before it is believed."""

import subprocess
import sys
import threading
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from storages.backends.s3 import S3Storage

from auditor.auditlog import store
from auditor.errors import AuditorError, ExitCode
from auditor.marker import MARKER, content_of
from auditor.models import Root
from auditor.orphans import remote, storages
from auditor.orphans.disk import MISSING, PRESENT, Look, Verdict
from auditor.orphans.registry import audited_models, roots
from auditor.orphans.remote import RemoteDisk, adapters, look_now, probe, register
from auditor.orphans.s3 import S3Adapter
from auditor.orphans.storages import NO_ADAPTER, Home, home_of, register_storage
from auditor.roots import Registration
from tests.orphans.planning import finding, keys, planned
from tests.orphans.storing import Shelf, ShelfStorage, make_shelf, store_documents
from tests.running import PROJECT, environment
from tests.shapes.models import Document

OURS = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")
OTHERS = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")


@pytest.fixture(autouse=True)
def own_registrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(storages, "_factories", dict(storages._factories))


# Which storage has an adapter


class DeepShelfStorage(ShelfStorage):
    """A subclass, as most projects have one."""


@pytest.mark.parametrize("name", [ShelfStorage, "tests.orphans.storing.ShelfStorage"])
@pytest.mark.parametrize("adapter", [Shelf, "tests.orphans.storing.Shelf"])
def test_adapter_is_found_by_the_class_of_a_storage_or_its_parent(name: Any, adapter: Any) -> None:
    register_storage(name, adapter)

    home = home_of(DeepShelfStorage())

    assert (home.root, home.fault, type(home.adapter)) == ("shelf://one/", "", Shelf)


def test_adapter_of_the_nearest_class_is_taken() -> None:
    register_storage(InMemoryStorage, "never.imported")
    register_storage(DeepShelfStorage, Shelf)

    assert isinstance(home_of(DeepShelfStorage()).adapter, Shelf)


def test_adapter_is_found_behind_the_default_storage(settings: LazySettings) -> None:
    settings.STORAGES = {"default": {"BACKEND": "tests.orphans.storing.ShelfStorage"}}
    register_storage(ShelfStorage, Shelf)

    photo = audited_models(["gallery.Photo"])[0]

    assert [type(one.adapter) for one in photo.fields] == [Shelf, Shelf]


def test_plain_folder_needs_no_adapter(media: object) -> None:
    register_storage(FileSystemStorage, Shelf)

    assert home_of(FileSystemStorage(location="/srv/media")) == Home(root="/srv/media")


class Redirected(S3Storage):
    """Opens another object than the one that has the name."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        return super()._open(f"{name}.sealed", mode)


class Located(S3Storage):
    """What projects mostly make of it."""

    location = "site/uploads"
    default_acl = "private"


@pytest.mark.parametrize(
    ("storage", "fault"),
    [
        (S3Storage(), "S3Storage has no bucket name"),
        (
            Redirected(bucket_name="media"),
            f"Redirected may keep a file elsewhere than its name says, {NO_ADAPTER}",
        ),
        (
            S3Storage(bucket_name="media", location="site/../.."),
            "S3Storage has an adapter that fails: SuspiciousOperation: Attempted access to 'x' denied",
        ),
        (Located(bucket_name="media"), ""),
    ],
)
def test_s3_storage_is_judged_where_it_says_where_its_files_are(storage: S3Storage, fault: str) -> None:
    home = home_of(storage)

    assert home.fault == fault
    assert (home.root, type(home.adapter)) == (
        (None, type(None)) if fault else ("s3://media/site/uploads/", S3Adapter)
    )


@pytest.mark.live
def test_boto_is_imported_only_when_such_a_storage_is_met() -> None:
    code = (
        "import django, sys; django.setup(); from auditor.orphans.registry import audited_models; audited_models();"
        "print([name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore', 'storages')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_adapter_that_cannot_be_imported_is_told() -> None:
    register_storage(ShelfStorage, "tests.nowhere.Shelf")

    assert home_of(ShelfStorage()).fault == (
        "ShelfStorage has an adapter that fails: ModuleNotFoundError: No module named 'tests.nowhere'"
    )


def test_places_of_adapters_are_no_folders(monkeypatch: pytest.MonkeyPatch, media: object) -> None:
    register_storage(ShelfStorage, Shelf)
    store_documents(ShelfStorage(), monkeypatch)

    audited = audited_models()

    assert list(adapters(audited)) == ["shelf://one/"]
    assert "shelf://one/" not in roots(audited)


# What it must prove


def registered(shelf: Shelf, marker: UUID = OURS) -> Shelf:
    """The shelf, known to the database and with its marker."""
    shelf.write(MARKER, content_of(marker))
    root = store.register_root(shelf.root, using="default")
    root.marker = OURS
    root.save()
    return shelf


def refusal(shelf: Shelf) -> str:
    with pytest.raises(AuditorError) as caught:
        probe(shelf, using="default")
    assert caught.value.exit_code is ExitCode.REFUSED_ROOT
    return str(caught.value)


@pytest.mark.django_db
def test_registered_place_is_known_by_its_marker() -> None:
    assert probe(registered(make_shelf()), using="default") == str(OURS)


@pytest.mark.django_db
def test_place_that_is_not_registered_is_refused() -> None:
    assert refusal(make_shelf("a.pdf")) == (
        "The storage shelf://one/ is not registered.\n"
        "If this place is meant, run: python manage.py register_media_root shelf://one/"
    )


@pytest.mark.django_db
def test_place_without_its_marker_is_refused() -> None:
    shelf = registered(make_shelf("a.pdf"))
    shelf.storage.delete(MARKER)

    assert refusal(shelf) == (
        "The storage shelf://one/ has lost its marker.\n"
        f"{remote.LOOKS_LIKE}\n"
        "If this place is meant, run: python manage.py register_media_root shelf://one/"
    )


@pytest.mark.django_db
def test_place_with_a_foreign_marker_is_refused() -> None:
    assert refusal(registered(make_shelf(), OTHERS)) == (
        f"The storage shelf://one/ has a foreign marker: it is {OTHERS}, and was {OURS}.\n"
        "If this place is meant, run: python manage.py register_media_root --replace shelf://one/"
    )


class Blind(Shelf):
    """Says of everything that it is missing, as exists() of django-storages 1.14.4 did."""

    def look_at(self, name: str) -> Look:
        return MISSING


class Dreaming(Shelf):
    """Says of everything that it is there."""

    def look_at(self, name: str) -> Look:
        return PRESENT


class Forbidden(Shelf):
    """May not say that something is missing."""

    def look_at(self, name: str) -> Look:
        return PRESENT if self.storage.exists(name) else Look(Verdict.UNKNOWN, "403")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (Blind, "has a marker that cannot be looked at: it is said to be missing"),
        (Dreaming, "cannot tell a missing file from an error: it says that everything is there"),
        (Forbidden, "cannot tell a missing file from an error: 403"),
    ],
)
def test_adapter_that_cannot_tell_what_is_missing_is_refused(kind: type[Shelf], what: str) -> None:
    assert refusal(registered(make_shelf(kind=kind))).startswith(f"The storage shelf://one/ {what}.\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error"), KeyError("x"), FileNotFoundError(2, "No such file"), TimeoutError()]
)
def test_no_exception_is_missing(error: Exception) -> None:
    shelf = registered(make_shelf())
    shelf.broken = error

    assert refusal(shelf).startswith("The storage shelf://one/ cannot be read: ")
    assert remote._look_safely(shelf, "a.pdf").verdict is Verdict.UNKNOWN


# How names are judged


def test_scan_tells_what_is_not_plainly_there_and_the_last_look_tells_all() -> None:
    shelf = make_shelf("docs/a.pdf")
    names = ["docs/a.pdf", "docs/b.pdf", "../a.pdf", "docs/b.pdf"]

    scanned, now = RemoteDisk(shelf).judge(names), look_now(shelf, names)

    assert scanned == {name: look for name, look in now.items() if name != "docs/a.pdf"}
    assert {name: look.verdict for name, look in now.items()} == {
        "docs/a.pdf": Verdict.PRESENT,
        "docs/b.pdf": Verdict.MISSING,
        "../a.pdf": Verdict.UNKNOWN,
    }
    assert shelf.heard == ["docs/a.pdf", "docs/b.pdf"] * 2


class Meeting(Shelf):
    """Answers only when four looks are under way at once."""

    threads = 4
    barrier = threading.Barrier(4, timeout=10)

    def look_at(self, name: str) -> Look:
        self.barrier.wait()
        return MISSING


def test_as_many_looks_are_under_way_as_the_adapter_allows() -> None:
    names = [f"{number}.pdf" for number in range(8)]

    assert look_now(make_shelf(kind=Meeting), names) == dict.fromkeys(names, MISSING)


class Threaded(Shelf):
    """Remembers who asked."""

    def look_at(self, name: str) -> Look:
        self.heard.append(threading.current_thread().name)
        return MISSING


def test_adapter_that_allows_no_threads_is_asked_in_this_one() -> None:
    shelf = make_shelf(kind=Threaded)

    look_now(shelf, ["a.pdf", "b.pdf"])

    assert shelf.heard == [threading.current_thread().name] * 2


@pytest.mark.django_db
def test_records_in_a_place_of_an_adapter_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = registered(make_shelf("docs/here.pdf"))
    register_storage(ShelfStorage, Shelf)
    store_documents(shelf.storage, monkeypatch)
    Document.objects.create(file="docs/here.pdf")
    gone = Document.objects.create(file="docs/gone.pdf")
    odd = Document.objects.create(file="../docs/here.pdf")

    plan = planned("shapes.Document")

    assert keys(plan, "shapes.Document") == [gone.pk]
    assert [(one.key, one.reason) for one in plan.unknown] == [(odd.pk, "the name leaves the media root")]
    assert [(root.path, root.identity, root.is_empty) for root in plan.roots] == [("shelf://one/", str(OURS), False)]


@pytest.mark.django_db
def test_place_that_nobody_registered_is_only_reported_for_a_model_that_nobody_named(
    media: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_storage(ShelfStorage, Shelf)
    store_documents(make_shelf("a.pdf").storage, monkeypatch)
    Document.objects.create(file="gone.pdf")

    found = finding(planned(), "shapes.Document")

    assert (found.orphans, found.unchecked) == ((), {"file": "The storage shelf://one/ is not registered"})


# How it is registered


def registering(shelf: Shelf, *, replace: bool = False) -> tuple[Registration, UUID | None]:
    """What a registration did, and the marker that the database knows then."""
    root = store.register_root(shelf.root, using="default")
    done = register(root, shelf, using="default", replace=replace)
    return done, Root.objects.get(path=shelf.root).marker


def refused_registration(shelf: Shelf, **flags: bool) -> str:
    known = Root.objects.filter(path=shelf.root).values_list("marker", flat=True).first()
    with pytest.raises(AuditorError) as caught:
        registering(shelf, **flags)
    assert caught.value.exit_code is ExitCode.REFUSED_ROOT
    assert Root.objects.get(path=shelf.root).marker == known
    return caught.value.message


@pytest.mark.django_db
def test_new_place_gets_a_marker() -> None:
    shelf = make_shelf("a.pdf")

    done, marker = registering(shelf)

    assert done is Registration.WRITTEN
    assert probe(shelf, using="default") == str(marker)


@pytest.mark.django_db
def test_marker_that_is_there_is_adopted() -> None:
    shelf = make_shelf()
    shelf.write(MARKER, content_of(OTHERS))

    assert registering(shelf) == (Registration.ADOPTED, OTHERS)
    assert registering(shelf) == (Registration.UNCHANGED, OTHERS)


@pytest.mark.django_db
def test_lost_marker_is_written_again() -> None:
    shelf = registered(make_shelf("a.pdf"))
    shelf.storage.delete(MARKER)

    assert registering(shelf) == (Registration.RESTORED, OURS)
    assert remote.read_marker(shelf) == OURS


@pytest.mark.django_db
def test_foreign_marker_is_adopted_only_where_that_is_meant() -> None:
    shelf = registered(make_shelf("a.pdf"), OTHERS)

    assert refused_registration(shelf).startswith("The marker in shelf://one/ is not the one this database knows")
    assert registering(shelf, replace=True) == (Registration.REPLACED, OTHERS)


@pytest.mark.django_db
def test_empty_place_is_registered_only_where_that_is_meant() -> None:
    shelf = make_shelf()

    assert refused_registration(shelf) == (
        "The storage shelf://one/ has not a single file: this is what a wrong bucket or prefix looks like."
    )
    assert registering(shelf, replace=True)[0] is Registration.WRITTEN


@pytest.mark.django_db
def test_what_is_no_marker_is_written_over_only_where_that_is_meant() -> None:
    shelf = make_shelf("a.pdf")
    shelf.write(MARKER, b"<html>")

    assert refused_registration(shelf).startswith("shelf://one/.media-root is no marker")
    assert registering(shelf, replace=True)[0] is Registration.WRITTEN


class ReadOnly(Shelf):
    """Takes nothing."""

    def write(self, name: str, content: bytes) -> None:
        raise PermissionError(13, "Permission denied")


class Forgetful(Shelf):
    """Takes what is written, and keeps something else."""

    def write(self, name: str, content: bytes) -> None:
        super().write(name, content_of(OTHERS))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (ReadOnly, "cannot be written to: PermissionError: [Errno 13] Permission denied"),
        (Forgetful, "does not give back the marker that was written"),
        (Blind, "has a marker that cannot be looked at: it is said to be missing"),
    ],
)
def test_place_that_does_not_keep_its_marker_is_not_registered(kind: type[Shelf], what: str) -> None:
    assert refused_registration(make_shelf("a.pdf", kind=kind)) == f"The storage shelf://one/ {what}."


@pytest.mark.parametrize(
    ("names", "is_empty"), [((), True), ((MARKER,), True), (("a.pdf",), False), (("docs/a.pdf", MARKER), False)]
)
def test_empty_place_holds_nothing_but_its_marker(names: tuple[str, ...], is_empty: bool) -> None:
    assert make_shelf(*names).is_empty() is is_empty
