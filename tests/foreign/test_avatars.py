"""An app that knows nothing of the auditor, audited by every command without any configuration."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.running import PROJECT, Ran

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
RESIZED = [f"avatars/{user}/resized/80/80/me{upload}.png" for user in (1, 2) for upload in (0, 1)]


class Site:
    """A folder with the project's database and media."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.media, self.names = folder, folder / "media", names

    def program(self, *arguments: str) -> Ran:
        state = str(self.folder / "state")
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.foreign.settings",
            "FOREIGN_FOLDER": str(self.folder),
            "STATE_DIRECTORY": state,
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def run(self, *arguments: str) -> Ran:
        return self.program("manage.py", *arguments)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.media)) for path in self.media.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site after the uploads; each test gets a copy."""
    site = Site(tmp_path_factory.mktemp("filled"), [])
    site.names = json.loads(site.program("-m", "tests.foreign.uploads").stdout)
    return site


@pytest.fixture
def site(filled: Site, tmp_path: Path) -> Site:
    shutil.copytree(filled.folder, tmp_path / "site")
    return Site(tmp_path / "site", filled.names)


def found(ran: Ran) -> list[tuple[Any, ...]]:
    lines = [line for line in ran.log if line["event"] == "finding.found"]
    return [(line["severity"], line["kind"], line["path"], line.get("model")) for line in lines]


def unused(ran: Ran) -> list[str]:
    return [line["path"] for line in ran.log if line["event"] == "file.unused"]


def test_uploads_went_through_the_pages_of_the_app(site: Site) -> None:
    assert site.names == [f"avatars/{user}/me{upload}.png" for user in (1, 2) for upload in (0, 1)]
    assert site.files() == sorted([*site.names, *RESIZED])


def test_sound_library_has_only_files_that_nothing_names_which_are_resized_avatars(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_UNUSED_MIN_AGE", "0")  # as if a day had passed
    before = site.files()

    ran = site.run("check_media_integrity", "--check", "--deep", "--list")

    assert ran.code == 0
    assert found(ran) == [("note", "unused", name, None) for name in RESIZED]
    assert unused(site.run("cleanup_unused_files", "--dry-run")) == RESIZED
    assert "  Avatars: 4 records, 4 files, " in ran.stdout
    assert "  - user0: 2 avatars, " in ran.stdout
    assert site.files() == before


def test_avatar_whose_file_is_gone_and_one_that_is_rotten_are_found(site: Site) -> None:
    site.run("check_media_integrity", "--checksums")
    (site.media / site.names[0]).unlink()
    rot(site.media / site.names[1], lambda content: content[:-1] + b"x")

    ran = site.run("check_media_integrity", "--check", "--checksums")

    assert ran.code == 3
    assert found(ran) == [
        (
            "warning",
            "derived_missing",
            site.names[0],
            "avatar.Avatar",
        ),  # the app's own field allows that none is there
        ("error", "bit_rot", site.names[1], "avatar.Avatar"),
    ]


def rot(path: Path, change: Callable[[bytes], bytes]) -> None:
    status = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_clean_up_reports_the_loss_and_deletes_nothing_that_nobody_named(site: Site) -> None:
    (site.media / site.names[0]).unlink()

    dry = site.run("cleanup_orphaned_media", "--dry-run")
    forced = site.run("cleanup_orphaned_media", "--force")

    assert (dry.code, "  - avatar.Avatar.avatar: 1 missing out of 4 records\n" in dry.stdout) == (0, True)
    assert forced.code == 2
    assert "No model is named for deletion" in forced.stderr + forced.stdout


def test_media_folder_is_registered(site: Site) -> None:
    ran = site.run("register_media_root")

    assert (ran.code, ran.stdout.startswith(f"registered {site.media} (marker ")) == (0, True)
    assert found(site.run("check_media_integrity")) == []


def test_watcher_compares_everything_once_and_the_log_knows_the_loss(site: Site) -> None:
    site.run("register_media_root")
    (site.media / site.names[0]).unlink()

    ran = site.run("watch_media", "--once")

    assert ran.code == 0
    assert found(site.run("check_media_integrity")) == [
        ("warning", "derived_missing", site.names[0], "avatar.Avatar"),
    ]


def test_there_is_no_run_to_undo(site: Site) -> None:
    ran = site.run("restore_orphaned_media", "--dry-run")

    assert ran.code == 2


def test_system_checks_have_nothing_to_say(site: Site) -> None:
    ran = site.run("check")

    assert (ran.code, ran.stderr) == (0, ""), ran.stdout
