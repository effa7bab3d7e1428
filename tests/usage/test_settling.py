"""A run that is killed leaves nothing untold, and the next one explains what it left."""

from pathlib import Path
from typing import Any

import pytest

from auditor.models import Event, Run
from auditor.trash import TRASH
from auditor.usage import cleaning, moving
from tests.makers import make_album, make_file, make_photo
from tests.usage.worlds import clean, files_below, in_trash, make_used

pytestmark = pytest.mark.django_db
NAMES = [f"old/{number}.bin" for number in range(6)]


class KilledError(BaseException):
    """A process that is not there any more can do nothing more."""


@pytest.fixture
def library(media: Path) -> Path:
    make_used(media)
    for name in NAMES:
        make_file(media, name, name.encode())
    return media


def kill_at(monkeypatch: pytest.MonkeyPatch, step: str, after: int) -> None:
    """Ends the run at a move, after so many, without leaving it time to tidy up."""
    honest, done = getattr(moving, step), [0]

    def killed(*arguments: Any) -> Any:
        if done[0] == after:
            raise KilledError
        done[0] += 1
        return honest(*arguments)

    monkeypatch.setattr(cleaning.moving, step, killed)
    monkeypatch.setattr("auditor.management.unused.settle", lambda *_: None)


def killed(monkeypatch: pytest.MonkeyPatch, step: str, after: int, *arguments: str) -> None:
    with monkeypatch.context() as patched:
        kill_at(patched, step, after)
        with pytest.raises(KilledError):
            clean(*arguments)


def where_the_log_says(media: Path) -> dict[str, str]:
    """{name: where its last event says that it is}."""
    places = {"file.trashed": "trash", "file.untrashed": "place", "file.freed": "nowhere"}
    rows = Event.objects.filter(type__in=places).order_by("position")
    return {row.path: places[row.type] for row in rows}


def where_they_are(media: Path) -> dict[str, str]:
    places = dict.fromkeys(NAMES, "nowhere")
    places |= dict.fromkeys(in_trash(media), "trash")
    return places | dict.fromkeys((name for name in files_below(media) if name in NAMES), "place")


@pytest.mark.parametrize("after", [0, 3, 5])
def test_next_run_puts_right_what_a_killed_one_told_and_did_not_do(
    library: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    killed(monkeypatch, "into_trash", after, "--force")
    assert where_they_are(library) == dict.fromkeys(NAMES[:after], "trash") | dict.fromkeys(NAMES[after:], "place")
    first = Run.objects.get()

    listed = clean("--restore", str(first.uid), "--force") if after else clean("--force", "--keep", "*")

    assert (listed.code, listed.stdout.splitlines()[0]) == (
        0,
        f"An earlier run, {first.uid}, did not reach its end: of 6 files that it was to move, {6 - after} had not "
        "been moved. The audit log says so now.",
    )
    assert set(where_they_are(library).values()) == {"place"}
    assert where_the_log_says(library) == where_they_are(library)
    assert clean("--force", "--keep", "*").stdout.startswith("Looking for files")


@pytest.mark.parametrize("after", [0, 2, 5])
def test_killed_restore_is_put_right_and_can_be_run_again(
    library: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    clean("--force")
    run = Run.objects.get()
    killed(monkeypatch, "out_of_trash", after, "--restore", str(run.uid), "--force")
    clean("--force", "--keep", "*")
    assert where_the_log_says(library) == where_they_are(library)

    ran = clean("--restore", str(run.uid), "--force")

    assert (ran.code, (library / TRASH).exists()) == (0, False)
    assert where_the_log_says(library) == where_they_are(library) == dict.fromkeys(NAMES, "place")


@pytest.mark.parametrize("after", [0, 2])
def test_killed_emptying_is_put_right(library: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    clean("--force")
    killed(monkeypatch, "remove", after, "--empty-trash", "--older-than", "0", "--force")

    clean("--force", "--keep", "*")

    assert where_the_log_says(library) == where_they_are(library)
    assert list(where_they_are(library).values()).count("nowhere") == after


def test_last_look_of_a_killed_run_is_taken_by_the_next_one(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(monkeypatch, "into_trash", 4, "--force")
    make_photo(f"./{NAMES[0]}")

    ran = clean("--force", "--keep", "*")

    assert ran.stdout.splitlines()[0].endswith(" A record names 1 file of the others by now: put back.")
    assert where_they_are(library)[NAMES[0]] == "place"
    assert where_the_log_says(library) == where_they_are(library)


def test_last_look_of_a_killed_run_looks_into_texts(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(monkeypatch, "into_trash", 4, "--force")
    make_album(f"see /media/{NAMES[0]}")

    clean("--force", "--keep", "*")

    assert where_they_are(library)[NAMES[0]] == "place"
    assert where_the_log_says(library) == where_they_are(library)


def test_kill_between_a_link_and_its_end_leaves_one_file(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean("--force")
    run = Run.objects.get()
    place = library / TRASH / str(run.uid) / NAMES[0]
    (library / NAMES[0]).hardlink_to(place)

    ran = clean("--restore", str(run.uid), "--force")

    assert (ran.code, where_they_are(library)) == (0, dict.fromkeys(NAMES, "place"))


def test_interrupt_says_what_was_done(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, done = moving.into_trash, list[bytes]()

    def interrupted(one: Any, seen: Any) -> str:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(one.path)
        return honest(one, seen)

    monkeypatch.setattr(cleaning.moving, "into_trash", interrupted)

    ran = clean("--force")

    run = Run.objects.get().uid
    assert (ran.code, ran.log[-1]["message"]) == (
        130,
        f"Interrupted. Before that: 2 files moved to the trash (--restore {run}).",
    )
    assert where_the_log_says(library) == where_they_are(library)
    assert clean("--force", "--keep", "*").stdout.startswith("Looking for files")
