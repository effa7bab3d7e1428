"""Several databases: a model that a router keeps in another one is not judged here."""

from pathlib import Path
from typing import Any

import pytest
from django.db import router

from auditor.errors import AuditorError, ExitCode
from auditor.management.base import usable
from auditor.orphans import references
from auditor.orphans.finder import find
from auditor.orphans.registry import AuditedModel, audited_models, roots
from auditor.orphans.survey import make_survey
from deploy.gallery.models import Photo
from tests.makers import make_photo, real
from tests.orphans.planning import finding
from tests.running import Ran, run
from tests.shapes.models import Archived

PHOTO = "gallery.Photo"


def route(monkeypatch: pytest.MonkeyPatch, *routers: Any) -> None:
    monkeypatch.setattr(router, "routers", list(routers))


class Writes:
    """Says where the records of a model are written."""

    def __init__(self, alias: str | None, model: type = Photo) -> None:
        self.alias, self.model = alias, model

    def db_for_write(self, model: type, **hints: Any) -> str | None:
        return self.alias if model is self.model else None


class Migrates:
    """Says where the table of the photos may be."""

    def __init__(self, *aliases: str) -> None:
        self.aliases = aliases

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        return db in self.aliases if (app_label, model_name) == ("gallery", "photo") else None


class Reads:
    """Sends readers to a replica, and says nothing of writing."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        return "replica"


def photo() -> AuditedModel:
    return audited_models([PHOTO])[0]


@pytest.mark.parametrize(
    ("routers", "elsewhere"),
    [
        ([], ""),
        ([Reads()], ""),
        ([Writes("media")], "media"),
        ([Writes("default")], ""),
        ([Writes(None), Writes("media")], "media"),
        ([Writes("default"), Writes("media")], ""),  # the first that answers
        ([Reads(), Writes("media")], "media"),
        ([Migrates("default")], ""),
        ([Migrates("media")], "media"),
        ([Migrates()], ""),  # made by hand, for all that a router says
        ([Writes("default"), Migrates("media")], ""),  # left to Django, and written here all the same
    ],
)
def test_router_that_answers_first_says_where_a_model_is(
    routers: list[Any], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "connections", ["default", "media"])
    route(monkeypatch, *routers)

    assert references.kept_elsewhere(photo(), "default") == elsewhere


@pytest.mark.django_db
def test_table_that_is_left_over_here_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    route(monkeypatch, Writes("media"))

    assert PHOTO not in [one.id for one in references.in_database(audited_models(), "default")]


@pytest.mark.django_db
def test_model_that_is_kept_elsewhere_comes_last_and_may_not_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    route(monkeypatch, Writes("media"))

    found = usable("default", audited_models())

    assert [(one.id, one.named, one.kept_in) for one in found if one.named or one.kept_in] == [
        ("gallery.Video", True, ""),
        (PHOTO, False, "media"),
    ]


@pytest.mark.django_db
def test_command_that_can_do_nothing_here_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    route(monkeypatch, Writes("media"))

    with pytest.raises(AuditorError) as caught:
        usable("default", audited_models([PHOTO]))

    assert caught.value.message == "A router keeps gallery.Photo in the database 'media'."
    assert caught.value.hint == "Run this with --database media."
    assert caught.value.exit_code is ExitCode.USAGE


def clean_up(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """A clean-up by a site whose router keeps the photos in another database."""
    route(monkeypatch, Writes("media"))
    return run("cleanup_orphaned_media", "--force")


@pytest.mark.django_db
def test_records_that_are_left_over_here_stay_and_are_not_judged(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photo("photos/gone.jpg")

    done = clean_up(monkeypatch)

    assert (done.code, Photo.objects.using("default").count()) == (0, 1)
    assert "photos/gone.jpg" not in done.stdout
    assert (
        "Not checked:\n"
        "  - gallery.Photo.image: kept in database 'media': run with --database media\n"
        "  - gallery.Photo.thumbnail: kept in database 'media': run with --database media\n"
    ) in done.stdout


@pytest.mark.django_db
def test_model_that_is_kept_elsewhere_leaves_no_doubt_here(
    media: Path, nothing_named: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    route(monkeypatch, Writes("media"))

    done = run("cleanup_orphaned_media", "--dry-run")

    assert (done.code, "photos" in done.stdout, "Not checked:" in done.stdout) == (0, False, True)


@pytest.mark.django_db
def test_folder_of_a_model_that_is_kept_elsewhere_is_no_root_here(
    media: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    route(monkeypatch, Writes("media", Archived))

    assert roots(audited_models()) == [real(media), real(archive)]
    assert roots(usable("default", audited_models())) == [real(media)]


@pytest.mark.django_db
def test_plan_counts_nothing_of_a_model_that_is_kept_elsewhere(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photo("photos/gone.jpg")
    route(monkeypatch, Writes("media"))
    audited = usable("default", audited_models())

    plan = find(audited, make_survey(audited, using="default"))

    found = finding(plan, PHOTO)
    assert (found.total, found.orphans, list(found.unchecked)) == (0, (), ["image", "thumbnail"])
    assert plan.is_certain
