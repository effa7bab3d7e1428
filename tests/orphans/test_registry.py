"""Which models are audited, and which of them a person named for deletion."""

from pathlib import Path

import django
import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from auditor.errors import AuditorError, ExitCode
from auditor.orphans import registry
from auditor.orphans.registry import (
    AuditedField,
    AuditedModel,
    Registration,
    audited_models,
    roots,
)
from auditor.orphans.storages import NO_ADAPTER
from tests.makers import real
from tests.shapes.models import Contract, Document, Pair


def test_every_table_with_a_file_field_is_found_once_without_configuration(nothing_named: None) -> None:
    found = {one.id: [field.name for field in one.fields] for one in audited_models()}

    # The proxy and the multi-table child hold no file field of their own.
    assert found == {
        "gallery.Photo": ["image", "thumbnail"],
        "gallery.Rendition": ["file"],
        "gallery.Video": ["video", "thumbnail"],
        "shapes.Archived": ["file"],
        "shapes.Detail": ["image"],
        "shapes.Document": ["file"],
        "shapes.Exhibit": ["file"],
        "shapes.Invoice": ["scan"],
        "shapes.Locked": ["file"],
        "shapes.Measured": ["image"],
        "shapes.Page": ["file"],
        "shapes.Pair": ["left", "right"],
        "shapes.Part": ["file"],
        "shapes.Passport": ["scan"],
        "shapes.Profile": ["avatar"],
        "shapes.Voucher": ["scan"],
    } | ({"shapes.Painting": ["file"]} if django.VERSION >= (6, 1) else {})
    assert not any(one.named for one in audited_models())


def test_required_fields_are_primary_and_optional_ones_derived(nothing_named: None) -> None:
    primary = {one.id: [field.name for field in one.primary] for one in audited_models()}

    assert primary["gallery.Photo"] == ["image"]
    assert primary["shapes.Pair"] == ["left", "right"]
    assert primary["shapes.Profile"] == []


def test_models_of_settings_and_registrations_come_first_and_in_their_order(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDITOR_MODELS = ["shapes.Pair", "gallery.Video"]
    registration = Registration(model="shapes.Locked", primary=("file",))
    monkeypatch.setattr(registry, "_registrations", {"shapes.Locked": registration})

    found = audited_models()

    assert [one.id for one in found if one.named] == ["shapes.Pair", "gallery.Video", "shapes.Locked"]
    assert [one.id for one in found[3:]] == sorted(one.id for one in found[3:])


def test_one_call_can_name_other_models() -> None:
    assert [one.id for one in audited_models(["shapes.Pair"]) if one.named] == ["shapes.Pair"]


def test_registration_says_roles_label_and_group(nothing_named: None, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = Registration(model="shapes.Pair", primary=("left",), label="Shoes", group="right")
    monkeypatch.setitem(registry._registrations, "shapes.Pair", registration)

    pair = next(one for one in audited_models() if one.model is Pair)

    assert (pair.label, pair.label_of_one, pair.group, pair.named) == ("Shoes", "Shoes", "right", True)
    assert [(field.name, field.is_primary) for field in pair.fields] == [("left", True)]


def test_label_is_the_plural_name(nothing_named: None) -> None:
    invoice = next(one for one in audited_models() if one.id == "shapes.Invoice")

    assert (invoice.label, invoice.label_of_one) == ("Invoices", "Invoice")


def test_named_child_of_several_tables_is_audited_with_its_parents_field(nothing_named: None) -> None:
    contract = audited_models(["shapes.Contract"])[0]

    assert (contract.model, [field.id for field in contract.fields]) == (Contract, ["shapes.Contract.file"])


def test_child_is_not_audited_a_second_time_beside_its_parent(nothing_named: None) -> None:
    named = [one.model for one in audited_models(["shapes.Contract", "shapes.Document"]) if one.named]

    assert named == [Document]


def test_proxy_stands_for_its_table(nothing_named: None) -> None:
    assert audited_models(["shapes.SignedContract"])[0].model is Contract


def test_name_that_is_no_audited_model_is_refused() -> None:
    with pytest.raises(AuditorError) as caught:
        audited_models(["gallery.Painting"])

    assert caught.value.message == "No installed app has a model 'gallery.Painting'."
    assert caught.value.hint == "Name a model as 'app.Model'."
    assert caught.value.exit_code is ExitCode.USAGE


def test_field_knows_the_real_folder_of_its_storage(media: Path, tmp_path: Path, settings: LazySettings) -> None:
    link = tmp_path / "link"
    link.symlink_to(media)
    settings.MEDIA_ROOT = str(link)

    photo = audited_models(["gallery.Photo"])[0]

    assert photo.fields[0] == AuditedField(model="gallery.Photo", name="image", is_primary=True, root=real(media))


def test_every_folder_is_named_once(media: Path) -> None:
    assert roots(audited_models()) == [real(media), "/nonexistent/elsewhere"]


def found_pair() -> AuditedModel:
    return next(one for one in audited_models() if one.model is Pair)


class ShardedStorage(FileSystemStorage):
    """Keeps a file elsewhere than its name says."""

    def path(self, name: str) -> str:
        return super().path(f"{name[:1]}/{name}")


class SealedStorage(FileSystemStorage):
    """Keeps a file under another name than its own."""

    def exists(self, name: str) -> bool:
        return super().exists(f"{name}.sealed")


@pytest.mark.parametrize(
    ("storage", "fault"),
    [
        (InMemoryStorage(), f"InMemoryStorage keeps its files in no local folder, {NO_ADAPTER}"),
        (ShardedStorage(), f"ShardedStorage may keep a file elsewhere than its name says, {NO_ADAPTER}"),
        (SealedStorage(), f"SealedStorage may keep a file elsewhere than its name says, {NO_ADAPTER}"),
        (
            FileSystemStorage(location="media"),
            "its folder 'media' depends on where the command is started: make it absolute",
        ),
    ],
)
def test_storage_that_does_not_say_where_its_files_are_has_no_root(
    storage: Storage, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pair._meta.get_field("left"), "storage", storage)

    left = found_pair().fields[0]

    assert (left.root, left.storage_fault) == (None, fault)


def test_default_storage_is_named_by_its_class(settings: LazySettings) -> None:
    settings.STORAGES = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}

    left = found_pair().fields[0]

    assert (left.root, left.storage_fault) == (
        None,
        f"InMemoryStorage keeps its files in no local folder, {NO_ADAPTER}",
    )
