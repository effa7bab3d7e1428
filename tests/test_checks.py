"""The system checks: a broken setting or registration is told, with its id, before any command runs."""

import pytest
from django.conf import LazySettings
from django.core.checks import Error, run_checks

from auditor.checks import HINT
from auditor.conf import PRESETS
from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.usage import registry as name_hooks


def found() -> list[Error]:
    return [message for message in run_checks(tags=["auditor"]) if isinstance(message, Error)]


def test_good_project_is_silent() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("AUDITOR_MODELS", "a.Photo", "must be a list of model names such as 'gallery.Photo', not 'a.Photo'"),
        ("AUDITOR_FRESHNESS_SECONDS", "30", "must be a number of seconds, not '30'"),
        ("AUDITOR_FRESHNESS_SECONDS", 0, "must be at least 1, not 0"),
        ("AUDITOR_MIN_AGE", 7, "must be a length of time such as '7d', not 7"),
        ("AUDITOR_MIN_AGE", "7 days", "must be a length of time such as '7d', not '7 days'"),
        ("AUDITOR_WATERMARK_SECONDS", True, "must be a number of seconds, not True"),
        ("AUDITOR_CHECKPOINT_HOURS", None, "must be a number of hours, not None"),
        ("AUDITOR_QUEUE_LIMIT", 10.5, "must be a number of notices held in memory, not 10.5"),
        ("AUDITOR_FINGERPRINTS", 1, "must be True or False, not 1"),
        ("AUDITOR_RETENTION_DAYS", 1e9, "must be a number of days, or 0 for ever, not 1000000000.0"),
        ("AUDITOR_TOMBSTONE_DAYS", float("nan"), "must be a number of days, or 0 for ever, not nan"),
        ("AUDITOR_KEEP", "press/*", "must be a list of patterns such as 'press/*', not 'press/*'"),
        ("AUDITOR_KEEP", [""], "must be a list of patterns such as 'press/*', not ['']"),
        ("AUDITOR_PRESETS", ["sorl", "thumbs"], f"must be {PRESETS.words}, not ['sorl', 'thumbs']"),
        ("AUDITOR_UNUSED_MIN_AGE", "a day", "must be a length of time such as '24h', not 'a day'"),
        ("AUDITOR_MAX_UNUSED", "many", "must be a number of files, or a percentage such as '5%', not 'many'"),
    ],
)
def test_setting_of_the_wrong_type_or_size(settings: LazySettings, name: str, value: object, fault: str) -> None:
    setattr(settings, name, value)

    assert found() == [Error(f"{name} {fault}", hint="Correct it in settings.py.", id="auditor.E001")]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("Photo", "'Photo' is not a model name of the form 'app.Model'."),
        (7, "7 is not a model name of the form 'app.Model'."),
        ("gallery.Painting", "No installed app has a model 'gallery.Painting'."),
        ("gallery.Album", "gallery.Album has no file field, so none of its records can be an orphan."),
        (
            "shapes.Profile",
            "shapes.Profile has only optional file fields: a registration must say which of them is primary.",
        ),
    ],
)
def test_model_that_cannot_be_cleaned_up(settings: LazySettings, name: object, fault: str) -> None:
    settings.AUDITOR_MODELS = ["gallery.Photo", name]

    assert found() == [Error(f"AUDITOR_MODELS: {fault}", hint=HINT, id="auditor.E002")]


@pytest.mark.parametrize(
    ("registration", "fault"),
    [
        (
            Registration(model="gallery.Painting", primary=("image",)),
            "No installed app has a model 'gallery.Painting'.",
        ),
        (
            Registration(model="shapes.Pair", primary=()),
            "shapes.Pair is registered without a primary field.",
        ),
        (
            Registration(model="shapes.Pair", primary=("left", "middle")),
            "shapes.Pair is registered with 'middle', which is not a file field of it.",
        ),
        (
            Registration(model="shapes.Profile", primary=("name",)),
            "shapes.Profile is registered with 'name', which is not a file field of it.",
        ),
        (
            Registration(model="shapes.Pair", primary=("left",), group="shelf"),
            "shapes.Pair is registered with the group 'shelf', which is no field of it.",
        ),
    ],
)
def test_registration_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, registration: Registration, fault: str
) -> None:
    monkeypatch.setitem(registry._registrations, registration.model, registration)

    assert found() == [Error(f"media_audit.py: {fault}", hint=HINT, id="auditor.E003")]


def test_times_without_a_zone_are_refused(settings: LazySettings) -> None:
    settings.USE_TZ = False

    assert found() == [
        Error("USE_TZ is False.", hint="Set USE_TZ = True: the audit log keeps times in UTC.", id="auditor.E004")
    ]


def test_a_limit_for_a_model_that_is_none_is_told(settings: LazySettings) -> None:
    settings.AUDITOR_MAX_ORPHANS = {"gallery.Foto": "5%", "run": 10}

    assert found() == [
        Error(
            "AUDITOR_MAX_ORPHANS: No installed app has a model 'gallery.Foto'.",
            hint=HINT,
            id="auditor.E002",
        )
    ]


def test_a_limit_that_cannot_be_understood_is_told(settings: LazySettings) -> None:
    settings.AUDITOR_MAX_ORPHANS = "5 per cent"

    assert found() == [
        Error(
            "AUDITOR_MAX_ORPHANS must be a number of records, a percentage such as '5%', "
            "or one of these for each model, not '5 per cent'",
            hint="Correct it in settings.py.",
            id="auditor.E001",
        )
    ]


def test_names_from_what_cannot_be_called_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_hooks, "_hooks", [])
    name_hooks.register_names("covers/a.jpg")  # type: ignore[arg-type] - as somebody may write it

    assert found() == [
        Error(
            "media_audit.py: register_names() takes a function that yields names, not 'covers/a.jpg'.",
            hint="Give register_names() a function that takes nothing and yields names of files.",
            id="auditor.E005",
        )
    ]
