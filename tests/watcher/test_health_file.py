"""The health file as it is written, and what the page says of it."""

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from auditor.errors import ExitCode
from tests.docs.pages import DOCS, table_rows
from tests.watcher.health_files import alter, document, judged, judged_at, written
from tests.watcher.statuses import AT, UNTIL, make_root, make_status
from watcher import health
from watcher.health import NAME, Moment
from watcher.status import STALE_SECONDS, RootStatus, State

pytestmark = pytest.mark.sqlite

PAGE = DOCS / "how-to/watch-the-watcher.md"


def test_the_file_holds_everything_that_the_status_says(tmp_path: Path) -> None:
    written(tmp_path, make_status(make_root(observer="inotify", seen=3, gaps={"overflow": 2})))

    found = document(tmp_path)

    [root] = found["roots"]
    assert set(root) == {field.name for field in fields(RootStatus)}
    assert (root["observer"], root["seen"], root["gaps"]) == ("inotify", 3, {"overflow": 2})
    assert (found["state"], root["state"], root["covered_until"]) == ("covered", "covered", UNTIL.isoformat())
    assert (found["pid"], found["at"]) == (os.getpid(), AT.isoformat())


@pytest.mark.parametrize("kind", [dict, Counter, MappingProxyType])
def test_gaps_may_be_any_mapping(tmp_path: Path, kind: Callable[[dict[str, int]], Any]) -> None:
    written(tmp_path, make_status(make_root(gaps=kind({"overflow": 2}))))

    assert document(tmp_path)["roots"][0]["gaps"] == {"overflow": 2}


def test_the_file_is_replaced_whole_and_others_may_read_it(tmp_path: Path) -> None:
    written(tmp_path / "state", make_status())
    with (tmp_path / "state" / NAME).open() as reader:
        written(tmp_path / "state", make_status(make_root(state=State.BLIND)))
        seen = json.load(reader)

    assert seen["state"] == "covered"
    assert document(tmp_path / "state")["state"] == "blind"
    assert stat.S_IMODE((tmp_path / "state" / NAME).stat().st_mode) == 0o644
    assert os.listdir(tmp_path / "state") == [NAME]


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    told = health.write(make_status(), str(tmp_path))

    assert told == f"{tmp_path / NAME} cannot be written: Is a directory."
    assert os.listdir(tmp_path) == [NAME]


def test_a_state_directory_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    told = health.write(make_status(), str(tmp_path / "state"))

    assert told == f"{tmp_path / 'state' / NAME} cannot be written: File exists."


def test_exit_codes_are_those_of_the_page() -> None:
    rows = table_rows(PAGE, section="The four states")

    codes = {row[0].strip("`"): ExitCode(int(row[2])) for row in rows}

    assert codes == {state: health.exit_code(state) for state in State}


def shown_statuses() -> list[RootStatus]:
    """What the page shows a line for, as long as the watcher lives."""
    comparing = {"reason": "checkpoint", "detail": "comparing references with the disk"}
    denied = {"reason": "not_watched", "detail": "/srv/media/photos cannot be watched: Permission denied."}
    return [
        make_root(),
        make_root(state=State.STANDBY, detail="It is watched by process 4711 on web-1 since 2026-11-22 10:02 UTC."),
        make_root(state=State.CATCHING_UP, **comparing),
        make_root(state=State.BLIND, **denied),
    ]


def test_lines_on_the_page_are_those_of_the_check(tmp_path: Path) -> None:
    found = []
    for root in shown_statuses():
        written(tmp_path, make_status(root))
        found.append(judged(tmp_path))
    absent = health.judge(str(tmp_path / "absent"), stale_after=STALE_SECONDS)
    alter(tmp_path, process_started="1")
    ended = judged(tmp_path)
    written(tmp_path, make_status())
    found += [absent, ended, judged(tmp_path, after=75), judged_at(tmp_path, Moment(boot="another", seconds=0))]

    rows = table_rows(PAGE, section="Health checks")

    varying = {
        str(tmp_path / "absent"): "/var/lib/media-auditor/default-5f2a81c0d3b7",
        f"process {os.getpid()}": "process 4711",
    }
    expected = []
    for one in found:
        [line] = one.sentences
        for ours, shown in varying.items():
            line = line.replace(ours, shown)
        expected.append([f"`{line}`", str(int(health.exit_code(one.state)))])
    assert rows == expected


def test_pages_say_when_a_status_is_stale() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (PAGE, DOCS / "reference/metrics.md"))
    told = re.findall(r"(?:older than|noticed after) (\S+) s", text)

    assert told == [f"{STALE_SECONDS:.0f}"] * 3
