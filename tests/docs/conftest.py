"""The site of the pages."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.docs.site import Site, make_site


@pytest.fixture
def site(db: None, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A filled gallery in a folder of its own."""
    return make_site(tmp_path, settings, monkeypatch)
