"""The picture in the README shows what the demo prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, IS_WRITING, read
from tests.docs.recording import SHOWN, drawing
from tests.docs.test_outputs import LEFT_OUT, is_shown
from tests.running import PROJECT

pytestmark = pytest.mark.sqlite

PICTURE = DOCS / "demo.svg"


@pytest.mark.live
def test_the_demo_prints_what_the_picture_shows(tmp_path: Path) -> None:
    place = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/gallery.sqlite3",
        "GALLERY_MEDIA_ROOT": f"{tmp_path}/media",
        "STATE_DIRECTORY": f"{tmp_path}/state",
        "DJANGO_SETTINGS_MODULE": "deploy.gallery.settings",
    }

    done = subprocess.run(
        [sys.executable, PROJECT / "manage.py", "demo"],
        cwd=tmp_path,
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert is_shown(done.stdout, LEFT_OUT + SHOWN + LEFT_OUT), done.stdout


def test_the_picture_is_drawn_from_its_text() -> None:
    if IS_WRITING:
        PICTURE.write_text(drawing(), encoding="utf-8")

    assert read(PICTURE) == drawing()
