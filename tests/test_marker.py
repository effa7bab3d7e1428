"""The marker file: what is read as one, and how it is written."""

import errno
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.marker import LONGEST_MARKER, MARKER, read_marker, write_marker
from tests.makers import make_file
from tests.marking import OTHERS, OURS, content_of, fail, put_marker, refusal, refuse_writing, replacing

NOT_A_UUID = "it does not begin with a line that is a UUID"


@contextmanager
def open_mask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# Reading


def test_a_root_without_a_marker_has_none(media: Path) -> None:
    assert read_marker(str(media)) is None


def test_a_marker_is_its_first_line(media: Path) -> None:
    make_file(media, MARKER, f"{OURS}\n# a note of somebody's own\n".encode())

    assert read_marker(str(media)) == OURS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello\n",
        str(OURS).encode(),
        str(OURS)[:20].encode(),
        f"\ufeff{OURS}\n".encode(),
        b"\xff\xfe\n",
        f"# {OURS}\n".encode(),
        f"{OURS}\n".encode().ljust(LONGEST_MARKER + 1, b"#"),
    ],
    ids=["empty", "blank", "words", "cut", "cut short", "byte order mark", "binary", "comment", "too long"],
)
def test_what_is_not_a_marker_is_refused_and_never_taken_for_absent(media: Path, content: bytes) -> None:
    make_file(media, MARKER, content)

    assert refusal(lambda: read_marker(str(media))) == (
        f"{media}/{MARKER} is no marker: {NOT_A_UUID}.",
        replacing(media),
    )


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_symlink_is_no_marker(media: Path, target: str) -> None:
    make_file(media, "elsewhere", content_of(OURS).encode())
    (media / MARKER).symlink_to(target)

    assert refusal(lambda: read_marker(str(media)))[0] == f"{media}/{MARKER} is no marker: it is a symlink."


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_folder_or_a_pipe_is_no_marker(media: Path, make: Callable[[Path], object]) -> None:
    make(media / MARKER)

    assert refusal(lambda: read_marker(str(media)))[0] == f"{media}/{MARKER} is no marker: it is not a file."


@pytest.mark.parametrize(
    "number", sorted(set(errno.errorcode) - {errno.ENOENT, errno.ELOOP}), ids=lambda number: errno.errorcode[number]
)
def test_no_errno_but_one_is_taken_for_an_absent_marker(
    media: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    put_marker(media, OURS)
    fail(monkeypatch, "open", number, path=MARKER)

    assert refusal(lambda: read_marker(str(media))) == (
        f"{media}/{MARKER} cannot be read: {os.strerror(number)}.",
        "Mend its permissions or the disk, and run the command again.",
    )


def test_a_marker_whose_content_cannot_be_read_is_refused(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_marker(media, OURS)

    def fail_to_read(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail_to_read)

    assert refusal(lambda: read_marker(str(media)))[0] == f"{media}/{MARKER} cannot be read: Input/output error."


def test_an_absent_root_is_refused_and_not_a_root_without_a_marker(media: Path) -> None:
    media.rmdir()

    assert refusal(lambda: read_marker(str(media))) == (
        f"The media root {media} cannot be read: No such file or directory.",
        "This is what an unmounted volume or a wrong MEDIA_ROOT looks like: mount it or correct the setting.",
    )


# Writing


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_marker_is_written_for_all_to_read(media: Path, mask: int) -> None:
    with open_mask(mask):
        assert write_marker(str(media), OURS)

    assert os.listdir(media) == [MARKER]
    assert (media / MARKER).read_text() == content_of(OURS)
    assert stat.S_IMODE((media / MARKER).stat().st_mode) == 0o644
    assert read_marker(str(media)) == OURS


def test_a_marker_is_written_where_no_file_can_be_without_a_name(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, "open", errno.EOPNOTSUPP, path=".")

    assert write_marker(str(media), OURS)

    assert (os.listdir(media), (media / MARKER).read_text()) == ([MARKER], content_of(OURS))


@pytest.mark.parametrize("nameless", [True, False], ids=["nameless", "named"])
def test_a_marker_is_never_overwritten_by_itself(media: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool) -> None:
    put_marker(media, OTHERS)
    if not nameless:
        fail(monkeypatch, "open", errno.EOPNOTSUPP, path=".")

    with pytest.raises(FileExistsError):
        write_marker(str(media), OURS)

    assert (os.listdir(media), read_marker(str(media))) == ([MARKER], OTHERS)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM], ids=lambda n: errno.errorcode[n])
def test_a_root_that_cannot_be_written_to_gets_no_marker(
    media: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse_writing(monkeypatch, number)

    assert not write_marker(str(media), OURS)

    assert os.listdir(media) == []


@pytest.mark.parametrize("nameless", [True, False], ids=["nameless", "named"])
def test_a_marker_that_finds_no_room_leaves_nothing_behind(
    media: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    def fail_to_write(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fail_to_write)
    if not nameless:
        fail(monkeypatch, "open", errno.EOPNOTSUPP, path=".")

    assert refusal(lambda: write_marker(str(media), OURS)) == (
        f"{media}/{MARKER} cannot be written: No space left on device.",
        "Mend its permissions or the disk, and run the command again.",
    )
    assert os.listdir(media) == []


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_file_system_mounted_read_only_gets_no_marker(media: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tests", media], check=True)
    try:
        assert not write_marker(str(media), OURS)
    finally:
        subprocess.run(["umount", media], check=True)
