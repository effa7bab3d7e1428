"""What a `media_audit.py` can say of a model, and what is told of one that does not fit."""

from typing import Any

import pytest

from auditor.orphans.registry import (
    AuditedModel,
    audited_models,
    name_fault,
    register,
    registration_faults,
)
from deploy.gallery.models import Photo
from tests.shapes.models import Contract, Pair


def found_pair() -> AuditedModel:
    return next(one for one in audited_models() if one.model is Pair)


def roles(one: AuditedModel) -> dict[str, bool]:
    return {field.name: field.is_primary for field in one.fields}


@pytest.mark.parametrize("name", ["shapes.Pair", "shapes.pair", "shapes.PAIR"])
def test_registration_holds_however_the_name_is_spelled(nothing_named: None, name: str) -> None:
    register(name, primary=["left"], derived=["right"], label="Shoes")

    pair = found_pair()

    assert (pair.label, pair.named, roles(pair)) == ("Shoes", True, {"left": True, "right": False})


def test_registration_of_a_proxy_is_one_of_its_table(nothing_named: None) -> None:
    register("shapes.SignedContract", primary=[], derived=["file"], label="Signed contracts")

    contract = next(one for one in audited_models() if one.model is Contract)

    assert (contract.label, contract.named, roles(contract)) == ("Signed contracts", True, {"file": False})


def test_last_registration_of_a_model_counts(nothing_named: None) -> None:
    register("shapes.Pair", primary=["left"])
    register("shapes.pair", primary=["right"])

    assert roles(found_pair()) == {"right": True}


def test_registration_makes_an_optional_file_primary(nothing_named: None) -> None:
    register("shapes.Profile", primary=["avatar"])

    profile = audited_models()[0]

    assert (profile.id, profile.named, roles(profile)) == ("shapes.Profile", True, {"avatar": True})
    assert name_fault("shapes.Profile") is None


def test_good_names_and_registrations_have_no_fault() -> None:
    assert [name_fault(name) for name in ("gallery.Photo", "gallery.photo", "shapes.SignedContract")] == [None] * 3
    assert list(registration_faults()) == []


def test_model_itself_is_no_name(nothing_named: None) -> None:
    name: Any = Photo

    register(name, primary=["image"])

    assert list(registration_faults()) == [f"{Photo!r} is not a model name of the form 'app.Model'."]


@pytest.mark.parametrize("group", ["renditions", "tags", "custom_albums", "nothing"])
def test_group_that_is_no_column_is_a_fault(nothing_named: None, group: str) -> None:
    register("gallery.Photo", primary=["image"], group=group)

    assert list(registration_faults()) == [
        f"gallery.Photo is registered with the group {group!r}, which is no field of it."
    ]


@pytest.mark.parametrize("group", ["album", "album_id", "uploaded_at"])
def test_group_may_be_any_column(nothing_named: None, group: str) -> None:
    register("gallery.Photo", primary=["image"], group=group)

    assert list(registration_faults()) == []


def test_faults_of_a_registration_are_told_all_at_once(nothing_named: None) -> None:
    register("gallery.Photo", primary=[], derived=["thumbnail", "tags", "caption"], group="shelf")

    assert list(registration_faults()) == [
        "gallery.Photo is registered without a primary field.",
        "gallery.Photo is registered with 'tags', which is not a file field of it.",
        "gallery.Photo is registered with 'caption', which is not a file field of it.",
        "gallery.Photo is registered with the group 'shelf', which is no field of it.",
    ]


@pytest.mark.parametrize("name", ["", ".", "gallery", "gallery.", ".Photo", "gallery.Photo.image", None, 7, b"a.b"])
def test_what_names_no_model_is_refused_in_a_sentence(name: object) -> None:
    fault = name_fault(name)

    assert fault in (
        f"{name!r} is not a model name of the form 'app.Model'.",
        f"No installed app has a model {name!r}.",
    )
