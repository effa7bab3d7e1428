"""A clean-up on a file system that fails: whatever the errno, and wherever it comes from, no record goes."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.gallery.models import Photo
from tests.commands.library import Person
from tests.commands.programs import NAME
from tests.faults.fuse import Mount, mounted, needs_fuse
from tests.makers import make_known, make_photo
from tests.removal.rows import untold
from tests.running import manage, run

pytestmark = [pytest.mark.live, needs_fuse]
HERE = ("top.jpg", "photos/a.jpg", "photos/b.jpg", "photos/2024/c.jpg")
GONE = ("gone.jpg", "photos/gone.jpg", "photos/2024/gone.jpg")
# Those that FileSystemStorage.exists() was seen to take for "no such file", and others that disks and networks give.
ERRNOS = [
    "EIO",
    "EACCES",
    "EPERM",
    "ESTALE",
    "ETIMEDOUT",
    "ENOTCONN",
    "EHOSTDOWN",
    "ENODEV",
    "ENOMEM",
    "EMFILE",
    "ELOOP",
    "ENAMETOOLONG",
    "EINTR",
    "EAGAIN",
    "ENXIO",
    "EREMOTEIO",
    "EHOSTUNREACH",
    "ENFILE",
    "EBUSY",
    "ENOSYS",
    "EINVAL",
    "ENOLINK",
    "EBADF",
    "EUCLEAN",
    "ENOSPC",
    "EOVERFLOW",
]
# What fails. The kernel asks for each part of a path in turn, so all in a folder fails with it.
NAMES = "\n".join(f"getattr {{0}} /{name}" for name in GONE)
WHERE = {
    "lstat of missing names": (NAMES, 4),
    "lstat of a folder": ("getattr {0} /photos/2024", 5),
    "lstat of all folders": ("getattr {0} /photos", 5),
    "lstat of the root": ("getattr {0}", 5),
    "readdir of a folder": ("readdir {0} /photos/2024", 5),
    "readdir of all folders": ("readdir {0} /photos", 5),
    "readdir of the root": ("readdir {0}", 4),  # then nothing is left that could be deleted
}


@pytest.fixture
def fuse(db: None, media: Path, tmp_path: Path) -> Iterator[Mount]:
    """The media folder as a file system that fails when it is told to; some of its records have no file."""
    source = tmp_path / "source"
    source.mkdir()
    with mounted(source, media) as mount:
        for name in HERE:
            make_photo(name, media=media)
        for name in GONE:
            make_photo(name)
        make_known(media)
        yield mount


def names() -> set[str]:
    return set(Photo.objects.values_list("image", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("where", WHERE)
def test_file_system_that_fails_loses_nothing(fuse: Mount, where: str) -> None:
    orders, code = WHERE[where]
    before, ended = untold(), {}

    for name in ERRNOS:
        fuse.order(orders.format(name))
        ended[name] = run(NAME, "--force").code
        assert names() == {*HERE, *GONE}, name

    assert ended == dict.fromkeys(ERRNOS, code)
    assert code != 5 or untold() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("orders", "code", "gone"),
    [(NAMES, 4, set()), ("getattr {0} /photos", 4, {"gone.jpg"}), ("getattr {0}", 5, set())],
    ids=["names", "folders", "root"],
)
def test_file_system_that_fails_after_the_answer_loses_nothing(
    fuse: Mount, monkeypatch: pytest.MonkeyPatch, orders: str, code: int, gone: set[str]
) -> None:
    ended = {}

    for name in ERRNOS:
        person = Person("yes\n", meanwhile=partial(fuse.order, orders.format(name)))
        monkeypatch.setattr(sys, "stdin", person)
        ended[name] = run(NAME).code
        assert names() == {*HERE, *GONE} - gone, name
        fuse.heal()
        for one in gone:
            make_photo(one)

    assert ended == dict.fromkeys(ERRNOS, code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("orders", "code", "gone"),
    [
        (NAMES, 0, GONE),
        ("getattr {0} /photos/2024", 0, (*GONE, "photos/2024/c.jpg")),
        ("getattr {0}", 5, ()),
        # A listing that says so is asked about each name.
        ("readdir {0} /photos", 0, GONE),
        ("readdir {0}", 0, GONE),
    ],
)
def test_no_such_file_is_believed_but_for_the_root(fuse: Mount, orders: str, code: int, gone: tuple[str, ...]) -> None:
    ends = []

    for name in ("ENOENT", "ENOTDIR"):
        fuse.order(orders.format(name))
        ends.append((run(NAME, "--force").code, names()))
        for one in gone:
            make_photo(one)

    assert ends == [(code, {*HERE, *GONE} - set(gone))] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["lstat of missing names", "lstat of the root", "readdir of a folder", "nobody"])
def test_command_as_a_program_loses_nothing(fuse: Mount, where: str) -> None:
    orders, code = WHERE.get(where, ("", 5))
    fuse.order(orders.format("EIO"))
    if where == "nobody":  # the server has crashed, and everything ends in ENOTCONN
        fuse.kill()

    ran = manage(NAME, "--force")

    assert (ran.code, names()) == (code, {*HERE, *GONE})
