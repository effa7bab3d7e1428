"""Which folder a root is, and whether there is anything in it."""

import errno
import os
from pathlib import Path

import pytest

from auditor.errors import AuditorError, ExitCode
from auditor.orphans.disk import is_directory
from auditor.roots import holds_files, identity
from tests.makers import make_file, real
from tests.orphans.looking import broken, shared_media, without_privileges

HINT = "This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting."


def test_the_root_is_known_by_its_device_and_inode(media: Path) -> None:
    status = media.stat()

    assert identity(str(media)) == f"{status.st_dev}:{status.st_ino}"


def assert_refused(root: Path, why: str) -> None:
    with pytest.raises(AuditorError) as refused:
        identity(str(root))

    assert refused.value.message == f"The media root {root} cannot be read: {why}."
    assert (refused.value.hint, refused.value.exit_code) == (HINT, ExitCode.REFUSED_ROOT)


def test_an_absent_root_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "media", "No such file or directory")


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    assert_refused(make_file(tmp_path, "media"), "Not a directory")


def test_a_root_below_a_file_is_refused(tmp_path: Path) -> None:
    assert_refused(make_file(tmp_path, "media") / "photos", "Not a directory")


def test_an_unreadable_root_is_refused() -> None:
    with shared_media() as media:
        os.chmod(media, 0o111)

        with without_privileges():
            assert_refused(media, "Permission denied")


@pytest.mark.parametrize("function", ["stat", "scandir"])
def test_a_root_that_fails_is_refused(function: str, media: Path) -> None:
    with broken(function, errno.ESTALE):
        assert_refused(media, "Stale file handle")


def test_a_root_without_a_single_file_is_told_from_one_with_some(media: Path) -> None:
    (media / "photos/2024").mkdir(parents=True)
    assert not holds_files(real(media))

    make_file(media, "photos/2024/a.jpg")

    assert holds_files(real(media))


@pytest.mark.parametrize("target", ["nowhere", "photos", ".."])
def test_a_symlink_counts_as_a_file(target: str, media: Path) -> None:
    (media / "photos").mkdir()
    (media / "a.jpg").symlink_to(target)

    assert holds_files(real(media))


def test_a_folder_that_cannot_be_listed_may_hold_files(media: Path) -> None:
    with broken("scandir", errno.EIO):
        assert holds_files(real(media))


def test_a_directory_is_one_only_where_no_symlink_leads_to_it(media: Path) -> None:
    make_file(media, "photos/2024/a.jpg")
    (media / "link").symlink_to("photos")

    paths = ["photos", "photos/2024", "photos/2024/a.jpg", "link", "link/2024", "gone"]

    assert [path for path in paths if is_directory(real(media), path)] == ["photos", "photos/2024"]
