"""A listing that lies, changes under the reader's hands or fails: nothing is told that is not so."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from auditor.auditlog.coverage import GapReason
from tests.watcher.listening import created, removed
from tests.watcher.surveys import fail_at, gap_of, look, make, told

pytestmark = pytest.mark.sqlite

UNTRUSTED = [errno.EIO, errno.ESTALE, errno.EACCES, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EMFILE]


@pytest.mark.parametrize("name", ["a.jpg", "sub"])
def test_what_a_listing_leaves_out_although_it_is_there_is_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make(root, "a.jpg", "sub/b.jpg")
    before = look(root)
    real = os.scandir

    class Forgetful:
        """A listing without one name."""

        def __init__(self, path: bytes) -> None:
            self._entries = real(path)

        def __enter__(self) -> list[os.DirEntry[bytes]]:
            with self._entries as entries:
                return iter([entry for entry in entries if entry.name != name.encode()])

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", Forgetful)

    after = look(root, before)

    assert (told(after), after.listings) == ([], before.listings)


def test_a_directory_that_vanishes_in_the_middle_of_a_look_is_told_at_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    real = os.scandir

    def vanishing(path: bytes) -> Any:
        if path.endswith(b"/a"):
            (root / "a").rename(tmp_path / "elsewhere")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", vanishing)
        during = look(root, before)
    make(root, "a/c.jpg")
    after = look(root, during)

    assert (told(during), during.listings) == ([removed(b"a")], {b"": b""})
    assert told(after) == [created(b"a", is_directory=True), created(b"a/c.jpg")]


def test_a_directory_that_is_back_at_once_is_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    real, failures = os.scandir, [FileNotFoundError(errno.ENOENT, "gone")]

    def blinking(path: bytes) -> Any:
        if path.endswith(b"/a") and failures:
            raise failures.pop()
        return real(path)

    monkeypatch.setattr(os, "scandir", blinking)

    assert (told(look(root, before)), failures) == ([], [])


def test_a_directory_that_is_there_and_cannot_be_found_is_unknown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    fail_at(monkeypatch, "scandir", root / "a", errno.ENOENT)

    assert gap_of(root, before) == (GapReason.NOT_WATCHED, f"{root}/a cannot be listed: No such file or directory.")


@pytest.mark.parametrize("number", UNTRUSTED, ids=errno.errorcode.get)
def test_a_directory_that_cannot_be_listed_is_unknown(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    fail_at(monkeypatch, "scandir", root / "a", number)

    assert gap_of(root, before) == (GapReason.NOT_WATCHED, f"{root}/a cannot be listed: {os.strerror(number)}.")


@pytest.mark.parametrize("number", UNTRUSTED, ids=errno.errorcode.get)
def test_a_name_that_cannot_be_looked_at_again_is_unknown(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    make(root, "a/b.jpg")
    before = look(root)
    (root / "a/b.jpg").unlink()
    fail_at(monkeypatch, "lstat", root / "a/b.jpg", number)

    assert gap_of(root, before) == (
        GapReason.NOT_WATCHED,
        f"{root}/a/b.jpg cannot be looked at: {os.strerror(number)}.",
    )


def test_a_root_that_is_not_there_is_gone(root: Path) -> None:
    before = look(root)
    root.rmdir()

    assert gap_of(root, before) == (GapReason.ROOT_GONE, f"{root} cannot be listed: No such file or directory.")
