"""A health check: it believes a watcher that speaks, and silence is never health."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.watcher.health_files import alter, blind, document, judged, judged_at, written
from tests.watcher.statuses import AT, UNTIL, make_root, make_status
from tests.watcher.waiting import wait_until
from watcher import health
from watcher.health import NAME, Health, Moment
from watcher.status import STALE_SECONDS, State, WatcherStatus

pytestmark = pytest.mark.sqlite


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until the test ends it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_covered_root_is_told_with_its_watermark(tmp_path: Path) -> None:
    written(tmp_path, make_status())

    found = judged(tmp_path)

    assert found == Health(state=State.COVERED, sentences=("covered     /srv/media, up to 10:02:11 (1 s ago)",))


def test_the_age_of_the_watermark_grows_while_nothing_is_written(tmp_path: Path) -> None:
    written(tmp_path, make_status())

    found = judged(tmp_path, after=10)

    assert found.sentences == ("covered     /srv/media, up to 10:02:11 (11 s ago)",)


def test_a_watermark_of_another_day_has_its_date(tmp_path: Path) -> None:
    until = datetime.fromisoformat("2026-11-20T08:00:00+00:00")
    written(tmp_path, make_status(make_root(state=State.BLIND, reason="root_gone", covered_until=until)))

    found = judged(tmp_path)

    line = "blind       /srv/media: root gone, up to 2026-11-20 08:00:00 (266532 s ago)."
    assert found == Health(state=State.BLIND, sentences=(line,))


def test_every_root_has_its_line_and_the_worst_one_decides(tmp_path: Path) -> None:
    blind_root = make_root("/srv/b", State.BLIND, reason="unmounted", detail="/srv/b was unmounted.")
    written(
        tmp_path,
        make_status(
            make_root("/srv/a"), blind_root, make_root("/srv/c", State.STANDBY, detail="It is watched by process 1.")
        ),
    )

    found = judged(tmp_path)

    lines = (
        "covered     /srv/a, up to 10:02:11 (1 s ago)",
        "blind       /srv/b: unmounted: /srv/b was unmounted.",
        "standby     /srv/c: It is watched by process 1.",
    )
    assert found == Health(state=State.BLIND, sentences=lines)


def test_a_root_that_catches_up_is_not_hidden_by_one_on_standby(tmp_path: Path) -> None:
    written(tmp_path, make_status(make_root("/srv/a", State.STANDBY), make_root("/srv/b", State.CATCHING_UP)))

    assert judged(tmp_path).state is State.CATCHING_UP


def test_a_watcher_without_a_root_is_blind(tmp_path: Path) -> None:
    written(tmp_path, WatcherStatus(pid=os.getpid(), at=AT, roots=()))

    assert judged(tmp_path) == blind("The watcher looks after no media folder.")


def test_names_cannot_draw_on_the_terminal(tmp_path: Path) -> None:
    written(tmp_path, make_status(make_root("/srv/\x1b[2J\udcff\n")))

    assert judged(tmp_path).sentences == ("covered     /srv/\\x1b[2J\\xff\\n, up to 10:02:11 (1 s ago)",)


def test_without_a_file_nobody_is_well(tmp_path: Path) -> None:
    found = health.judge(str(tmp_path), stale_after=STALE_SECONDS)

    path = tmp_path / NAME
    why = "No watcher runs, or its AUDITOR_STATE_DIR is another one."
    assert found == blind(f"No watcher has said how it is: {path} is not there. {why}")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    found = health.judge(str(tmp_path), stale_after=STALE_SECONDS)

    assert found == blind(f"{tmp_path / NAME} cannot be read: Is a directory.")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"pid": 1}', "\xff"],
)
def test_a_file_that_no_watcher_wrote_is_blindness(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="latin-1")

    found = health.judge(str(tmp_path), stale_after=STALE_SECONDS)

    assert found == blind(f"{tmp_path / NAME} is not what a watcher writes.")


def test_a_truncated_file_is_never_health(tmp_path: Path) -> None:
    written(tmp_path, make_status())
    whole = (tmp_path / NAME).read_text()

    found = set()
    for length in range(0, len(whole) - 2, 7):  # what follows the last brace is no part of it
        (tmp_path / NAME).write_text(whole[:length])
        found.add(health.judge(str(tmp_path), stale_after=STALE_SECONDS))

    assert found == {blind(f"{tmp_path / NAME} is not what a watcher writes.")}


@pytest.mark.parametrize("pid", [0, -1, 2**31, "self"])
def test_a_number_that_no_process_has_is_not_asked_about(tmp_path: Path, pid: Any) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, pid=pid)

    assert judged(tmp_path) == blind(f"{tmp_path / NAME} is not what a watcher writes.")


def test_an_earlier_version_may_tell_less(tmp_path: Path) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, roots=[{"path": "/srv/media", "state": "covered"}])

    assert judged(tmp_path) == Health(state=State.COVERED, sentences=("covered     /srv/media",))


def test_a_later_version_may_tell_more(tmp_path: Path) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, surprise=1, roots=[document(tmp_path)["roots"][0] | {"surprise": 1}])

    assert judged(tmp_path).state is State.COVERED


@pytest.mark.parametrize(
    ("after", "state"), [(STALE_SECONDS - 0.1, State.COVERED), (STALE_SECONDS + 0.1, State.BLIND)]
)
def test_a_file_is_believed_until_it_is_stale(tmp_path: Path, after: float, state: State) -> None:
    written(tmp_path, make_status())

    assert judged(tmp_path, after=after).state is state


def test_a_stale_file_is_told_as_silence(tmp_path: Path) -> None:
    written(tmp_path, make_status())

    assert judged(tmp_path, after=75) == blind("The watcher has not said how it is for 75 s.")


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_clock_on_the_wall_that_jumped_is_no_sign_of_death(tmp_path: Path, year: int) -> None:
    shift = AT.replace(year=year) - AT

    written(tmp_path, replace(make_status(make_root(covered_until=UNTIL + shift)), at=AT + shift))

    found = health.judge(str(tmp_path), stale_after=STALE_SECONDS)
    assert found.sentences == ("covered     /srv/media, up to 10:02:11 (1 s ago)",)


@pytest.mark.parametrize("values", [{"boot": "another"}, {"boot_seconds": 1e12}])
def test_a_file_from_before_the_machine_started_is_blindness(tmp_path: Path, values: dict[str, Any]) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, **values)

    found = judged_at(tmp_path, Moment.now())

    assert found == blind("The machine has started anew since the watcher said how it is.")


@pytest.mark.live
def test_a_process_that_ended_is_blindness_at_once(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    written(tmp_path, make_status(pid=child.pid))
    before = judged(tmp_path).state

    child.kill()
    child.wait()

    assert (before, judged(tmp_path)) == (State.COVERED, blind(f"The watcher (process {child.pid}) has ended."))


@pytest.mark.live
def test_a_process_that_nobody_has_waited_for_has_ended(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    written(tmp_path, make_status(pid=child.pid))

    child.kill()
    wait_until(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")

    assert judged(tmp_path) == blind(f"The watcher (process {child.pid}) has ended.")


def test_another_process_under_the_same_number_is_not_the_watcher(tmp_path: Path) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, process_started="1")

    assert judged(tmp_path) == blind(f"The watcher (process {os.getpid()}) has ended.")


@pytest.mark.parametrize("after", [0.0, STALE_SECONDS + 1])
def test_of_a_process_in_another_container_only_the_age_is_judged(tmp_path: Path, after: float) -> None:
    written(tmp_path, make_status())
    alter(tmp_path, pid=2**22 + 1, pid_namespace="pid:[1]")  # above the highest number that the kernel gives

    assert judged(tmp_path, after=after).state is (State.BLIND if after else State.COVERED)


def test_a_command_to_copy_ends_without_a_full_stop(tmp_path: Path) -> None:
    hint = "It has another marker. If this folder is meant, run: python manage.py register_media_root --replace /srv/a"
    written(tmp_path, make_status(make_root("/srv/a", State.BLIND, reason="root_replaced", detail=hint)))

    assert judged(tmp_path).sentences == (f"blind       /srv/a: root replaced: {hint}",)
