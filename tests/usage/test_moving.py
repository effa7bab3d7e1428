"""A file goes to the trash and comes back as it was, and never through a link or over another file."""

import os
import subprocess
from collections.abc import Iterator
from errno import EIO
from pathlib import Path
from typing import Any

import pytest

from auditor.trash import TRASH
from auditor.usage import moving
from tests.makers import make_file
from tests.usage.worlds import clean, files_below, in_trash, make_used, run_of

pytestmark = pytest.mark.django_db
DEPTH = 1_500  # folders in one another: more than Python calls itself


@pytest.fixture
def library(media: Path) -> Path:
    make_used(media)
    make_file(media, "old/sub/a.bin", b"old")
    return media


@pytest.mark.parametrize("kind", ["symlink", "dangling", "file"])
def test_trash_that_is_no_folder_is_refused(library: Path, tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    if kind == "file":
        make_file(library, TRASH)
    else:
        (library / TRASH).symlink_to(outside)
    if kind == "symlink":
        outside.mkdir()

    ran = clean("--force")

    reason = "File exists" if kind == "file" else "it is a symlink"
    assert (ran.code, ran.log[-1]["message"]) == (
        5,
        f"The trash {library.resolve() / TRASH} cannot be used: {reason}. Nothing was moved.",
    )
    assert (library / "old/sub/a.bin").exists()
    assert list(tmp_path.glob("outside/*")) == []


def test_trash_has_its_folders_before_the_first_move(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the watcher listens in them when a file comes, and knows where it went."""
    make_file(library, "young/b.bin")
    honest, there = moving.into_trash, list[set[str]]()

    def into_trash(one: Any, seen: Any) -> str:
        place = library / TRASH / str(one.run)
        there.append({str(path.relative_to(place)) for path in place.rglob("*")})
        return honest(one, seen)

    monkeypatch.setattr(moving, "into_trash", into_trash)

    clean("--force")

    assert there[0] == {"old", "old/sub", "young"}


def test_file_that_takes_the_name_at_the_last_moment_goes_back(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that overwrites saves an upload between the look and the rename."""
    honest, file = os.rename, library / "old/sub/a.bin"

    def rename(source: bytes, target: bytes) -> None:
        file.unlink()
        file.write_bytes(b"an upload of that name")
        honest(source, target)

    monkeypatch.setattr(moving.os, "rename", rename)

    ran = clean("--force")

    assert (ran.code, "- old/sub/a.bin (it has changed since it was listed)" in ran.stdout) == (4, True)
    assert (file.read_bytes(), in_trash(library)) == (b"an upload of that name", {})


def test_all_names_of_a_file_go_together(library: Path) -> None:
    (library / "old/b.bin").hardlink_to(library / "old/sub/a.bin")

    assert clean("--force").code == 0
    assert in_trash(library) == {"old/b.bin": b"old", "old/sub/a.bin": b"old"}


def test_folders_are_as_open_in_the_trash_as_they_were_and_are_again(library: Path) -> None:
    """What nobody else could read in a closed folder, nobody else reads in the trash."""
    (library / "old").chmod(0o700)
    (library / "old/sub").chmod(0o2755)

    gone = clean("--force")

    inside = library / TRASH / str(run_of(gone)) / "old"
    assert [(inside / name).stat().st_mode & 0o7777 for name in (".", "sub")] == [0o700, 0o2755]
    (library / "old/sub").rmdir()
    (library / "old").rmdir()
    assert clean("--restore", str(run_of(gone)), "--force").code == 0
    assert [(library / name).stat().st_mode & 0o7777 for name in ("old", "old/sub")] == [0o700, 0o2755]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, which only root may")
def test_trash_belongs_to_those_to_whom_the_folders_belong(library: Path) -> None:
    """Run once by root, the next run may be the site's own user's."""
    library.chmod(0o775)
    for path in (library, *library.rglob("*")):
        os.chown(path, 1_234, 2_345)

    gone = clean("--force")

    trash = library / TRASH
    made = [trash, trash / str(run_of(gone)), trash / str(run_of(gone)) / "old/sub"]
    assert [(path.stat().st_uid, path.stat().st_gid) for path in made] == [(1_234, 2_345)] * 3
    assert trash.stat().st_mode & 0o777 == 0o775


@pytest.mark.parametrize("is_quicker", [False, True])
def test_upload_is_not_overwritten_where_there_are_no_links(
    library: Path, monkeypatch: pytest.MonkeyPatch, is_quicker: bool
) -> None:
    gone = clean("--force")

    def link(*_: Any, **__: Any) -> None:
        if is_quicker:
            make_file(library, "old/sub/a.bin", b"an upload of that name")
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(moving.os, "link", link)

    back = clean("--restore", str(run_of(gone)), "--force")

    assert back.code == (4 if is_quicker else 0)
    assert (library / "old/sub/a.bin").read_bytes() == (b"an upload of that name" if is_quicker else b"old")
    assert in_trash(library) == ({"old/sub/a.bin": b"old"} if is_quicker else {})


def test_nothing_is_left_of_a_file_that_could_not_be_put_back(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = clean("--force")

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(EIO, "Input/output error")

    monkeypatch.setattr(moving.os, "link", fails)
    monkeypatch.setattr(moving.os, "rename", fails)

    back = clean("--restore", str(run_of(gone)), "--force")

    assert (back.code, "- old/sub/a.bin (EIO: Input/output error)" in back.stdout) == (4, True)
    assert ((library / "old/sub/a.bin").exists(), in_trash(library)) == (False, {"old/sub/a.bin": b"old"})


def test_nothing_is_put_back_through_a_symlink(library: Path, tmp_path: Path) -> None:
    gone = clean("--force")
    outside = tmp_path / "outside"
    outside.mkdir()
    (library / "old/sub").rmdir()
    (library / "old").rmdir()
    (library / "old").symlink_to(outside)

    back = clean("--restore", str(run_of(gone)), "--force")

    assert (back.code, "- old/sub/a.bin (a symlink leads to its folder now)" in back.stdout) == (4, True)
    assert (list(outside.iterdir()), in_trash(library)) == ([], {"old/sub/a.bin": b"old"})


def test_nothing_is_put_back_where_its_folder_is_a_file(library: Path) -> None:
    gone = clean("--force")
    (library / "old/sub").rmdir()
    make_file(library, "old/sub", b"new")

    back = clean("--restore", str(run_of(gone)), "--force")

    assert (back.code, "- old/sub/a.bin (another file has its place)" in back.stdout) == (4, True)
    assert ((library / "old/sub").read_bytes(), in_trash(library)) == (b"new", {"old/sub/a.bin": b"old"})


@pytest.fixture
def deep(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders in folders, with a file in the last one."""
    monkeypatch.chdir(library)
    for _ in range(DEPTH):
        os.mkdir("d")
        os.chdir("d")
    make_file(Path(), "deep.bin")
    os.chdir(library)
    yield library
    subprocess.run(["rm", "-rf", *library.iterdir()], check=True)  # pytest's own way is not deep enough


def test_folders_may_be_as_deep_as_the_system_allows(deep: Path) -> None:
    gone = clean("--force")
    listed = clean("--list-trash")
    back = clean("--restore", str(run_of(gone)), "--force")

    assert (gone.code, listed.code, back.code) == (0, 0, 0)
    assert "2 files" in listed.stdout
    assert not (deep / TRASH).exists()


def test_trash_that_cannot_be_read_is_told(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean("--force")
    honest, trash = os.scandir, os.fsencode(library.resolve() / TRASH)

    def scandir(path: Any) -> Any:
        if path == trash:
            raise PermissionError(13, "Permission denied")
        return honest(path)

    monkeypatch.setattr(os, "scandir", scandir)

    ran = clean("--list-trash")

    assert (ran.code, ran.log[-1]["message"]) == (
        5,
        f"The trash cannot be read: {os.fsdecode(trash)}: Permission denied.",
    )


def test_files_of_the_trash_are_those_that_went_there(library: Path) -> None:
    """Whatever somebody else has put into it is left alone."""
    gone = clean("--force")
    for name in ("stray.bin", "not-a-run/a.bin", "6f0d0c38-0000-4000-8000-000000000000"):
        make_file(library / TRASH, name)

    back = clean("--restore", str(run_of(gone)), "--force")

    assert (back.code, sorted(files_below(library))) == (0, ["old/sub/a.bin", "photos/used.jpg"])
