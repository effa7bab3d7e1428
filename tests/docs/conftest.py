"""The site of the pages, and whether the pages are to be written anew."""

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.docs.site import Site, make_site

IS_WRITING = bool(os.environ.get("WRITE_DOCS"))


@pytest.fixture
def site(db: None, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A filled gallery in a folder of its own."""
    return make_site(tmp_path, settings, monkeypatch)
