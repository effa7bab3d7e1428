"""`audit_log tail`: shows what is there, then what comes, and ends when it is told to."""

import signal
from pathlib import Path

import pytest

from tests.answers.happening import NAME, append, deleted, root_of
from tests.commands.programs import program

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def test_tail_begins_with_the_last_events_and_follows_until_ctrl_c(media: Path, tmp_path: Path) -> None:
    root = root_of(media)
    append(*(deleted(root, f"{number}.jpg") for number in range(3)))

    with program(NAME, "tail", "--limit", "1", stderr=tmp_path / "log") as tail:
        tail.wait_for("2.jpg")
        append(deleted(root, "late.jpg"), deleted(root, "later.jpg"))
        append(deleted(root, "latest.jpg"))
        tail.wait_for("latest.jpg")
        tail.interrupt()
        code = tail.end()

    assert code == 0
    assert [line.split()[-2] for line in tail.said.splitlines()] == ["2.jpg", "late.jpg", "later.jpg", "latest.jpg"]


def test_tail_ends_when_nobody_reads_it_any_more(media: Path, tmp_path: Path) -> None:
    append(deleted(root_of(media), "a.jpg"))

    with program(NAME, "tail", stderr=tmp_path / "log") as tail:
        tail.wait_for("a.jpg")
        tail.process.stdout.close()  # type: ignore[union-attr] - it is a pipe
        code = tail.process.wait(30)

    assert code == 128 + signal.SIGPIPE
