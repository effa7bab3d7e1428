"""A check on a file system that fails: what cannot be read is said to be so, and is never called missing or rotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fuse import Mount, mounted, needs_fuse
from tests.integrity.checking import check, found, healed, picture
from tests.makers import make_file, make_known, make_photo

pytestmark = [pytest.mark.live, needs_fuse, pytest.mark.django_db]
ERRNOS = ["EIO", "EACCES", "ESTALE", "EUCLEAN"]


@pytest.fixture
def mount(media: Path, tmp_path: Path) -> Iterator[Mount]:
    """The media folder is a file system that can be told to fail."""
    source = tmp_path / "source"
    source.mkdir()
    with mounted(source, media) as made:
        for name in ("photos/a.jpg", "photos/b.jpg"):
            make_photo(name)
            make_file(source, name, picture())
        make_known(media)
        yield made


@pytest.mark.parametrize("errno", ERRNOS)
@pytest.mark.parametrize("how", ["open", "read"])
@pytest.mark.parametrize("flag", ["--checksums", "--deep"])
def test_file_that_cannot_be_opened_or_read_is_unreadable(mount: Mount, errno: str, how: str, flag: str) -> None:
    mount.order(f"{how} {errno} /photos/a.jpg")

    sick = [(kind, path) for kind, path, _ in found(check(flag))]
    mount.heal()
    mended = check(flag)

    assert sick == [("unreadable", "photos/a.jpg")]
    assert healed(mended) == [("unreadable", "photos/a.jpg")]


@pytest.mark.parametrize("errno", ERRNOS)
def test_file_that_cannot_be_looked_at_is_unreadable_and_not_missing(mount: Mount, errno: str) -> None:
    mount.order(f"getattr {errno} /photos/a.jpg")

    assert [(kind, path) for kind, path, _ in found(check())] == [("unreadable", "photos/a.jpg")]


@pytest.mark.parametrize("errno", ERRNOS)
def test_folder_that_cannot_be_listed_is_unreadable_and_its_files_are_there(mount: Mount, errno: str) -> None:
    mount.order(f"readdir {errno} /photos")

    assert [(kind, path) for kind, path, _ in found(check())] == [("unreadable", "photos/")]


def test_entries_whose_type_the_folder_does_not_tell_are_read_all_the_same(mount: Mount) -> None:
    mount.order("readdir untyped")

    assert found(check("--list")) == []
