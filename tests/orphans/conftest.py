"""What the tests of this room share."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage

from auditor.orphans import registry
from tests.s3_server import s3  # noqa: F401 - a fixture
from tests.shapes.models import Archived


@pytest.fixture
def archive(media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the other root."""
    folder = media.with_name("archive")
    folder.mkdir()
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=folder))
    return folder


@pytest.fixture
def nothing_named(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that has not been configured at all."""
    settings.AUDITOR_MODELS = []
    monkeypatch.setattr(registry, "_registrations", {})
