"""What every test may ask for."""

from pathlib import Path

import pytest
from django.conf import LazySettings


@pytest.fixture
def media(tmp_path: Path, settings: LazySettings) -> Path:
    """An empty media folder that the site uses."""
    folder = tmp_path / "media"
    folder.mkdir()
    settings.MEDIA_ROOT = str(folder)
    return folder
