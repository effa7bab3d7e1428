"""A file that is not as it was written is put aside and never read; one of a newer program is left alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.watcher.spools import deleted, fill, names, opened, why_not
from watcher.notices import GapError
from watcher.spool import Spool

pytestmark = pytest.mark.sqlite


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "spool")


@pytest.fixture
def spool(path: str) -> Iterator[Spool]:
    with opened(path) as spool:
        yield spool


@pytest.mark.parametrize("content", [b"no database", b"x" * 10_000, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_file_that_is_no_spool_is_put_aside(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    Path(f"{path}.broken-1").write_text("an older one")

    with opened(path) as spool:
        fill(spool, "a.jpg")

        assert (spool.put_aside, names(spool)) == (f"{path}.broken-2", ["a.jpg"])
    assert Path(f"{path}.broken-1").read_text() == "an older one"
    assert Path(f"{path}.broken-2").read_bytes() == content


def test_a_database_of_somebody_else_is_put_aside(path: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE entry (what)")
    content = Path(path).read_bytes()

    with opened(path) as spool:
        assert (spool.put_aside, list(spool.entries())) == (f"{path}.broken-1", [])
    assert Path(spool.put_aside).read_bytes()[100:] == content[100:]  # but for the header: it was tried


def test_a_changed_letter_in_an_event_puts_the_file_aside(spool: Spool, path: str) -> None:
    fill(spool, "the-name-that-changes.jpg")
    spool.close()
    content = Path(path).read_bytes()
    assert content.count(b"the-name-that-changes.jpg") == 1
    Path(path).write_bytes(content.replace(b"the-name-that-changes.jpg", b"the-name-that-chXnges.jpg"))

    with opened(path) as again:
        assert (again.put_aside, again.count, names(again)) == (f"{path}.broken-1", 0, [])


def test_a_damaged_page_puts_the_file_aside(spool: Spool, path: str) -> None:
    fill(spool, *(f"{number}.jpg" for number in range(50)), times=10)
    spool.close()
    content = bytearray(Path(path).read_bytes())
    content[4_096 : 2 * 4_096] = bytes(4_096)
    Path(path).write_bytes(content)

    with opened(path) as again:
        assert (again.put_aside, again.count, names(again)) == (f"{path}.broken-1", 0, [])
    assert Path(f"{path}.broken-1").read_bytes() == content


def test_a_spool_laid_out_by_a_newer_version_is_left_alone(spool: Spool, path: str) -> None:
    fill(spool, "a.jpg")
    spool._database().execute("PRAGMA user_version = 2")
    spool.close()

    said = why_not(path)

    assert said == f"The spool {path} was written by a newer version of this program. Run that version again."
    assert b"a.jpg" in Path(path).read_bytes()


@pytest.mark.parametrize(
    ("old", "new"), [('"file.deleted",1', '"file.eaten",1'), ('"file.deleted",1', '"file.deleted",2')]
)
def test_an_event_of_a_newer_version_stops_the_reading_and_stays(spool: Spool, path: str, old: str, new: str) -> None:
    fill(spool, "known.jpg")
    rewrite_as_newer(spool, old, new)

    read = spool.entries()
    first = next(read)
    with pytest.raises(GapError) as raised:
        next(read)

    assert first.events == (deleted("known.jpg"),)
    assert raised.value.detail == (
        f"The spool {path} was written by a newer version of this program. Run that version again."
    )
    assert spool.count == 2
    spool.close()
    with opened(path) as again:
        assert (again.count, again.put_aside) == (2, "")


def rewrite_as_newer(spool: Spool, old: str, new: str) -> None:
    """Appends an entry that differs from one of ours as a newer program's would."""
    fill(spool, "unknown.jpg")
    db = spool._database()
    db.execute(
        "UPDATE entry SET events = CAST(replace(CAST(events AS TEXT), ?, ?) AS BLOB) WHERE number = 2", [old, new]
    )
    db.execute("UPDATE entry SET checksum = checksum_of(uid, count, events) WHERE number = 2")
    assert new.encode() in db.execute("SELECT events FROM entry WHERE number = 2").fetchone()[0]
