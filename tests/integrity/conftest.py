"""Files are old enough to be unused at once, unless a test wants it otherwise."""

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def files_are_old(settings: LazySettings) -> None:
    settings.AUDITOR_UNUSED_MIN_AGE = "0"
