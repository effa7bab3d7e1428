"""The folders that the fields keep files in: absent, empty, unreadable, or none at all."""

import errno
import os
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.storage import InMemoryStorage

from auditor.errors import AuditorError, ExitCode
from auditor.mounts import mounted_in
from auditor.orphans import registry
from auditor.orphans.plan import Finding, RootSeen, Unknown
from auditor.orphans.storages import NO_ADAPTER
from auditor.roots import identity
from tests.makers import make_file, make_photo, real
from tests.orphans.planning import finding, keys, planned
from tests.shapes.models import Archived, Locked

pytestmark = pytest.mark.django_db


def test_absent_folder_of_a_model_that_nobody_named_is_reported(media: Path) -> None:
    Archived.objects.create(file="old.zip")

    found = finding(planned(), "shapes.Archived")

    assert found.unchecked == {
        "file": "The media root /nonexistent/elsewhere cannot be read: No such file or directory"
    }


def test_absent_folder_of_a_named_model_is_refused(media: Path) -> None:
    Archived.objects.create(file="old.zip")

    with pytest.raises(AuditorError) as caught:
        planned("shapes.Archived")

    assert caught.value.exit_code is ExitCode.REFUSED_ROOT
    assert caught.value.message == "The media root /nonexistent/elsewhere cannot be read: No such file or directory."


def test_folder_that_no_record_needs_may_be_absent(media: Path) -> None:
    assert finding(planned("shapes.Archived"), "shapes.Archived").unchecked == {}


def test_two_roots_are_told_apart(media: Path, archive: Path) -> None:
    make_file(media, "photos/b.jpg")
    make_file(archive, "photos/a.jpg")
    photo = make_photo("photos/a.jpg")
    archived = Archived.objects.create(file="photos/b.jpg")

    plan = planned("gallery.Photo", "shapes.Archived")

    assert (keys(plan, "gallery.Photo"), keys(plan, "shapes.Archived")) == ([photo.pk], [archived.pk])
    paths = (real(media), real(archive))
    assert plan.roots == tuple(
        RootSeen(path=path, identity=identity(path), is_unproven=True, mounted=mounted_in(path)) for path in paths
    )
    assert {root: list(routes) for root, routes in plan.routes.items()} == {
        real(media): ["gallery.Photo.image", "gallery.Photo.thumbnail"],
        real(archive): ["shapes.Archived.file"],
    }


def test_absent_root_is_refused_where_no_model_is_named(
    media: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDITOR_MODELS = []
    monkeypatch.setattr(registry, "_registrations", {})
    Archived.objects.create(file="old.zip")

    with pytest.raises(AuditorError) as caught:
        planned()

    assert caught.value.exit_code is ExitCode.REFUSED_ROOT


def test_files_in_no_folder_are_reported_and_not_judged(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Locked._meta.get_field("file"), "storage", InMemoryStorage())
    Locked.objects.create(file="gone.bin")

    plan = planned("shapes.Locked")

    assert finding(plan, "shapes.Locked") == Finding(
        model="shapes.Locked",
        label="Lockeds",
        label_of_one="Locked",
        total=1,
        named=True,
        has_primary=True,
        unchecked={"file": f"InMemoryStorage keeps its files in no local folder, {NO_ADAPTER}"},
    )
    assert plan.roots == ()


def test_folder_that_cannot_be_listed_is_seen_in_the_plan(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = make_photo("photos/a.jpg", media=media)

    def fail(_: object) -> list[str]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "listdir", fail)
    plan = planned()

    assert keys(plan, "gallery.Photo") == []
    assert plan.unknown == (Unknown("gallery.Photo", photo.pk, "image", "photos/a.jpg", "EIO: Input/output error"),)
    assert [root.unlisted for root in plan.roots] == [{"photos": "EIO: Input/output error"}]


def test_root_without_a_single_file_is_seen_in_the_plan(media: Path) -> None:
    make_photo("photos/gone.jpg")
    (media / "photos").mkdir()

    plan = planned()

    assert [(root.path, root.is_empty) for root in plan.unproven] == [(real(media), True)]
