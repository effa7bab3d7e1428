"""What the tests of this room share."""

from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from tests.shapes.models import Archived


@pytest.fixture
def archive(media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the other root."""
    folder = media.with_name("archive")
    folder.mkdir()
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=folder))
    return folder
