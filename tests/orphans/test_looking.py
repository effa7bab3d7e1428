"""A scan of many records has a second process that looks at the disk."""

import errno
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import AuditorError
from auditor.orphans import disk, looking
from auditor.orphans.disk import MISSING, Disk, Verdict
from auditor.orphans.looking import Looking, answered, looking_at
from tests.makers import make_file, make_photo, real, settle
from tests.orphans.looking import failing
from tests.orphans.planning import finding, planned

MANY = looking.WORTH_A_PROCESS
# Other tests may have left threads behind.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the threads that are there already."""
    before = threading.active_count()
    count = threading.active_count
    monkeypatch.setattr(threading, "active_count", lambda: max(1, count() - before + 1))


@pytest.fixture
def aside(media: Path) -> Iterator[Looking]:
    """A process that looks at the media folder."""
    with looking_at({real(media): Disk(real(media))}, records=MANY) as one:
        assert len(multiprocessing.active_children()) == 1
        yield one
    assert multiprocessing.active_children() == []


def child() -> int:
    [process] = multiprocessing.active_children()
    assert process.pid
    return process.pid


def test_it_answers_what_is_not_there(media: Path, aside: Looking) -> None:
    make_file(media, "photos/here")

    aside.ask([(real(media), ["photos/here", "photos/gone", "a\ud800"]), (real(media), [])])

    assert aside.answer() == [{"photos/gone": MISSING, "a\ud800": disk.NOT_A_NAME}, {}]


def test_what_it_listed_and_what_it_could_not_list_is_told_at_the_end(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("photos/a", "photos/b", "broken/c"):
        make_file(media, name)
    settle(media)
    root, listdir = real(media), os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: failing(errno.EIO)() if path.endswith("broken") else listdir(path))
    with looking_at({root: Disk(root)}, records=MANY) as aside:
        aside.ask([(root, ["photos/a", "broken/c"])])
        aside.answer()
        seen = aside.seen()[root]

    assert {head: set(one.names) for head, one in seen.leftovers.items()} == {"photos/": {"photos/b"}}
    assert seen.unlisted == {"broken": "EIO: Input/output error"}


@pytest.mark.parametrize("ahead", [1, 4])
def test_each_item_meets_its_own_answer(
    media: Path, aside: Looking, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr(looking, "AHEAD", ahead)

    found = [
        (number, answer)
        for number, _, answer in answered(aside, range(50), lambda number: [(real(media), [f"gone/{number}"])])
    ]

    assert found == [(number, [{f"gone/{number}": MISSING}]) for number in range(50)]


def test_questions_and_answers_larger_than_a_pipe_get_through(media: Path, aside: Looking) -> None:
    names = [f"gone/{number:060}" for number in range(20_000)]

    answers = [answer for *_, answer in answered(aside, range(8), lambda _: [(real(media), names)])]

    assert [len(answer[0]) for answer in answers] == [20_000] * 8


@pytest.mark.django_db
def test_a_scan_finds_by_two_processes_what_it_finds_by_one(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        make_photo(f"photos/{number}.jpg", media=media if number % 3 else None, thumbnail=f"thumbnails/{number}.jpg")
    (media / "photos" / "odd").symlink_to("nowhere")
    make_photo("photos/odd/x.jpg")
    settle(media)
    by_one = planned()
    monkeypatch.setattr(looking, "WORTH_A_PROCESS", 0)

    by_two = planned()

    assert (by_two.findings, by_two.unknown, by_two.roots) == (by_one.findings, by_one.unknown, by_one.roots)
    assert [seen.leftovers for seen in by_two.roots] == [seen.leftovers for seen in by_one.roots]
    assert (len(finding(by_two, "gallery.Photo").orphans), by_two.roots[0].is_witnessed) == (11, True)


def test_an_error_is_raised_where_the_answer_is_awaited(media: Path) -> None:
    class Broken(Disk):
        def judge(self, names: object) -> dict[str, disk.Look]:
            raise ZeroDivisionError("broken")

    with looking_at({real(media): Broken(real(media))}, records=MANY) as aside:
        aside.ask([(real(media), ["a"])])
        with pytest.raises(ZeroDivisionError, match="broken"):
            aside.answer()


def test_a_process_that_was_killed_ends_the_search_with_a_word(media: Path, aside: Looking) -> None:
    os.kill(child(), signal.SIGKILL)

    with pytest.raises(AuditorError) as error:
        for _ in answered(aside, range(100), lambda number: [(real(media), [f"gone/{number}"] * 10_000)]):
            pass

    assert error.value.message == ("The process that looked at the disk has ended before it answered (exit code -9).")


def test_an_interrupt_from_the_terminal_is_left_to_the_other_process(media: Path, aside: Looking) -> None:
    aside.ask([(real(media), ["gone"])])
    aside.answer()

    os.kill(child(), signal.SIGINT)
    aside.ask([(real(media), ["gone"])])

    assert aside.answer() == [{"gone": MISSING}]


def test_it_ends_with_the_process_that_asks(media: Path) -> None:
    """Even if that is killed, and cannot say so."""
    reader, writer = os.pipe()
    asking = os.fork()
    if not asking:
        try:
            with looking_at({real(media): Disk(real(media))}, records=MANY):
                os.write(writer, str(child()).encode())
                time.sleep(60)
        finally:
            os._exit(1)
    os.close(writer)
    looking_process = int(os.read(reader, 20))

    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)

    deadline = time.monotonic() + 10
    while Path(f"/proc/{looking_process}/cmdline").exists() and not is_zombie(looking_process):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_zombie(process: int) -> bool:
    return ") Z " in Path(f"/proc/{process}/stat").read_text()


def test_it_keeps_no_file_open_but_its_connection(media: Path) -> None:
    with open(media / "lock", "w") as held, looking_at({real(media): Disk(real(media))}, records=MANY) as aside:
        aside.ask([(real(media), ["gone"])])
        aside.answer()
        opened = {os.readlink(one) for one in Path(f"/proc/{child()}/fd").iterdir()}

    assert held.name not in opened
    assert len([one for one in opened if one.startswith("socket:")]) == 1


def test_few_records_or_other_threads_or_other_places_are_looked_at_here(media: Path) -> None:
    root, awaited = real(media), threading.Event()
    beside = threading.Thread(target=awaited.wait)

    with looking_at({root: Disk(root)}, records=MANY - 1):
        assert multiprocessing.active_children() == []
    beside.start()
    with looking_at({root: Disk(root)}, records=MANY):
        assert multiprocessing.active_children() == []
    awaited.set()
    beside.join()


def test_verdicts_keep_their_identity_between_processes(media: Path, aside: Looking) -> None:
    aside.ask([(real(media), ["gone"])])

    [looks] = aside.answer()

    assert looks["gone"].verdict is Verdict.MISSING
