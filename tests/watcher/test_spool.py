"""What the spool has taken is there again: after a close, a kill, on a full disk, in order, as it was."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, get_type_hints
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.auditlog.events import (
    LONGEST_PATH,
    REGISTRY,
    Event,
    from_stored,
    readable,
    to_stored,
)
from tests.watcher.spools import deleted, fill, names, opened, why_not
from watcher.notices import GapError
from watcher.spool import SMALL, Entry, Spool

pytestmark = pytest.mark.sqlite
KINDS = sorted((kind for name, kind in REGISTRY.items() if name), key=lambda kind: kind.type)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {dict[str, Any]: st.dictionaries(st.text(), JSON, max_size=3)}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "spool")


@pytest.fixture
def spool(path: str) -> Iterator[Spool]:
    with opened(path) as spool:
        yield spool


@st.composite
def events(draw: st.DrawFn, kind: type[Event]) -> Event:
    """Any event of a kind, about any name that a disk can hold."""
    path, path_bytes = readable(draw(st.binary(max_size=255)))
    own = {name: hint for name, hint in get_type_hints(kind).items() if name not in get_type_hints(Event)}
    return kind(
        occurred_at=draw(st.datetimes(timezones=st.sampled_from([UTC]))),
        root=draw(st.none() | st.integers(min_value=1, max_value=2**63 - 1)),
        path=path,
        path_bytes=path_bytes,
        run_id=draw(st.none() | st.uuids()),
        **{name: draw(VALUES.get(hint, st.from_type(hint))) for name, hint in own.items()},
    )


@pytest.fixture(scope="module")
def any_spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    """One for all examples of a law, each of which empties it."""
    with opened(str(tmp_path_factory.mktemp("state") / "spool")) as spool:
        yield spool


@settings(deadline=None, max_examples=12)  # of each kind; each waits for the disk
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_any_event_comes_back_as_it_was(kind: type[Event], data: st.DataObject, any_spool: Spool) -> None:
    uid = data.draw(st.uuids())
    put_in = data.draw(st.lists(events(kind), min_size=1, max_size=3))

    any_spool.append(uid, put_in)
    entries = list(any_spool.entries())
    for entry in entries:
        any_spool.remove(entry.number)

    number = entries[0].number
    assert entries == [Entry(number=number, uid=uid, events=tuple(put_in))]


def test_a_name_too_long_for_the_log_comes_back_in_its_stored_form(spool: Spool) -> None:
    event = deleted("é" * LONGEST_PATH)

    spool.append(uuid4(), [event])

    [entry] = spool.entries()
    assert [to_stored(one) for one in entry.events] == [to_stored(event)]
    assert entry.events == (from_stored(to_stored(event)),)


def test_entries_come_oldest_first_and_are_counted_by_event(spool: Spool, path: str) -> None:
    uids = [uuid4() for _ in range(3)]
    for number, uid in enumerate(uids):
        spool.append(uid, [deleted(f"{number}/{part}.jpg") for part in range(number + 1)])
    before = (list(spool.entries()), spool.count, spool.is_empty)
    spool.close()

    with opened(path) as again:
        after = (list(again.entries()), again.count, again.is_empty)

    expected = [
        Entry(
            number=number + 1,
            uid=uid,
            events=tuple(deleted(f"{number}/{part}.jpg") for part in range(number + 1)),
        )
        for number, uid in enumerate(uids)
    ]
    assert before == after == (expected, 6, False)


def test_a_new_spool_is_empty(spool: Spool) -> None:
    assert (list(spool.entries()), spool.count, spool.is_empty, spool.put_aside) == ([], 0, True, "")


def test_what_was_removed_is_gone_for_good(spool: Spool, path: str) -> None:
    fill(spool, "a.jpg", "b.jpg")

    spool.remove(1)
    spool.remove(1)
    spool.remove(99)

    assert (names(spool), spool.count) == (["b.jpg"], 1)
    spool.close()
    with opened(path) as again:
        assert (names(again), again.count) == (["b.jpg"], 1)


def test_entries_may_be_removed_and_added_while_they_are_read(spool: Spool) -> None:
    fill(spool, "a.jpg", "b.jpg")
    seen = []

    for entry in spool.entries():
        seen.append(entry.events[0].path)
        spool.remove(entry.number)
        if len(seen) < 5:
            fill(spool, f"new/{len(seen)}.jpg")

    assert seen == ["a.jpg", "b.jpg", "new/1.jpg", "new/2.jpg", "new/3.jpg", "new/4.jpg"]
    assert spool.is_empty


def test_an_emptied_spool_gives_the_space_back_and_is_used_again(spool: Spool, path: str) -> None:
    for number in range(20):
        spool.append(uuid4(), [deleted(f"{number}/{part}.jpg") for part in range(2_000)])
    full = size_of(path)

    for entry in spool.entries():
        spool.remove(entry.number)

    assert full > 3_000_000
    assert size_of(path) < SMALL
    assert (spool.count, spool.is_empty) == (0, True)
    fill(spool, "next.jpg")
    assert names(spool) == ["next.jpg"]
    assert 0 < size_of(path) < SMALL


def size_of(path: str) -> int:
    """The bytes of the spool with all that SQLite keeps beside it."""
    return sum(one.stat().st_size for one in Path(path).parent.glob("spool*"))


def test_files_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(str(tmp_path / "var" / "state" / "spool")) as spool:
            fill(spool, "a.jpg")
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.rglob("*")}
    finally:
        os.umask(before)

    assert modes == {"var": 0o700, "state": 0o700, "spool": 0o600, "spool-wal": 0o600, "spool.lock": 0o600}


def test_every_append_waits_for_the_disk(spool: Spool) -> None:
    fill(spool, "a.jpg", "b.jpg")
    spool.remove(1)
    db = spool._database()

    settings = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}

    assert settings == {"journal_mode": "wal", "synchronous": 2}


def test_a_spool_at_its_limit_names_the_setting_and_keeps_what_it_has(path: str) -> None:
    with opened(path, limit_bytes=100_000) as spool:
        with pytest.raises(GapError) as raised:
            fill(spool, *(f"{number}.jpg" for number in range(10_000)), times=10)
        kept = names(spool)
        again = f"{len(kept)}.jpg"

        assert str(raised.value) == f"spool_failed: The spool {path} is full: AUDITOR_SPOOL_MEGABYTES allows 0.1."
        assert len(kept) > 50
        assert spool.count == len(kept) * 10
        for number in (1, 2, 3, 4, 5, 6, 7, 8, 9):
            spool.remove(number)
        fill(spool, again)
        assert names(spool) == [*kept[9:], again]


def test_an_entry_larger_than_the_limit_is_refused_whole(path: str) -> None:
    with opened(path, limit_bytes=100_000) as spool:
        with pytest.raises(GapError):
            spool.append(uuid4(), [deleted(f"{number}.jpg") for number in range(2_000)])

        assert (names(spool), spool.count) == ([], 0)


def test_a_spool_held_by_this_process_is_not_opened_twice(spool: Spool, path: str) -> None:
    assert why_not(path) == f"The spool {path} is in use by another process."

    fill(spool, "a.jpg")
    assert names(spool) == ["a.jpg"]


def test_a_closed_spool_takes_nothing(spool: Spool, path: str) -> None:
    spool.close()

    with pytest.raises(GapError) as raised:
        fill(spool, "a.jpg")

    assert raised.value.detail == (
        f"The spool {path} could not be written: it was closed. Set AUDITOR_STATE_DIR to a folder that can be written."
    )


def test_a_folder_that_cannot_be_made_says_which_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert why_not(f"{tmp_path}/file/spool") == (
        f"The spool {tmp_path}/file/spool could not be opened: Not a directory. "
        "Set AUDITOR_STATE_DIR to a folder that can be written."
    )
