"""The system check tells where triggers are missing, and what to do about it."""

import pytest
from django.conf import LazySettings
from django.core import checks
from django.core.checks import CheckMessage, run_checks

from auditor.journal import triggers
from auditor.orphans import journaled, references
from tests.journal.journaled import PHOTO

pytestmark = pytest.mark.django_db


def found() -> list[CheckMessage]:
    return [one for one in run_checks(databases=["default"]) if one.id == "auditor.W001"]


def test_it_is_silent_where_all_are_in_place() -> None:
    assert found() == []


def test_each_column_without_triggers_is_named() -> None:
    columns = journaled.audited_columns("default")
    triggers.remove(using="default")
    triggers.install([column for column in columns if column != PHOTO], using="default")

    assert found() == [
        checks.Warning(
            "The reference journal has no triggers for gallery.Photo.image.",
            hint="Run: python manage.py reference_journal --install",
            id="auditor.W001",
        )
    ]


def test_it_is_silent_where_the_setting_is_off(settings: LazySettings) -> None:
    settings.AUDITOR_JOURNAL = False
    triggers.remove(using="default")

    assert found() == []


def test_it_is_silent_before_the_first_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    triggers.remove(using="default")
    present = references.tables("default")
    monkeypatch.setattr(references, "tables", lambda using: present - {"auditor_uncheckedreference"})

    assert found() == []


def test_it_asks_no_database_unless_one_is_named() -> None:
    triggers.remove(using="default")

    assert [one for one in run_checks() if one.id == "auditor.W001"] == []
