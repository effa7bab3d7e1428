"""Two programs that append to the audit log at once."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.auditlog import store
from auditor.auditlog.events import FileDeleted
from auditor.auditlog.seal import GENESIS, events_hash
from auditor.models import Batch, Head, MissingFile
from tests.running import PROJECT, environment

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
ROUNDS = 30
EVENTS = 60  # of each writer: one, two, three, and again
CODE = """
import sys

import django

django.setup()
from tests.auditlog.test_two_processes import append_when_told

append_when_told(sys.argv[1], int(sys.argv[2]))
"""


def append_when_told(writer: str, root: int) -> None:
    """Appends a batch for each line of stdin; its paths say who wrote them and in which order."""
    for number, _ in enumerate(sys.stdin):
        names = [f"{writer}/{number:03}/{part}.jpg" for part in range(number % 3 + 1)]
        now = datetime.now(UTC)
        events = [FileDeleted(root=root, path=name, occurred_at=now, cause="unlinked") for name in names]
        batch = store.append(events, using="default")
        assert batch is not None
        sys.stdout.write(f"{batch.number}\n")
        sys.stdout.flush()


def start(writer: str, root: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CODE, writer, str(root)],
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_no_event_is_lost_or_out_of_order(media: Path) -> None:
    root = store.register_root(str(media), using="default").pk

    with start("a", root) as one, start("b", root) as two:
        for _ in range(ROUNDS):
            for writer in (one, two):
                assert writer.stdin is not None
                print(file=writer.stdin, flush=True)
            for writer in (one, two):
                assert writer.stdout is not None
                assert writer.stdout.readline()
    assert (one.returncode, two.returncode) == (0, 0)

    events = list(store.read(using="default"))
    assert [position for position, _ in events] == list(range(1, 2 * EVENTS + 1))
    for name in ("a", "b"):
        paths = [event.path for _, event in events if event.path.startswith(f"{name}/")]
        assert (paths, len(paths)) == (sorted(paths), EVENTS)
    assert MissingFile.objects.count() == len(events)

    head, batches = Head.objects.get(), list(Batch.objects.order_by("number"))
    assert [batch.number for batch in batches] == list(range(1, 2 * ROUNDS + 1))
    assert [batch.previous_seal for batch in batches] == [GENESIS, *(batch.seal for batch in batches[:-1])]
    assert (head.position, head.batch, head.seal) == (len(events), len(batches), batches[-1].seal)
    first = 1
    for batch in batches:
        inside = [event for _, event in events[first - 1 : first - 1 + batch.count]]
        sealed = (first, events_hash(inside), store.seal_of(head.log_id, batch, None))
        assert (batch.first_position, batch.events_hash, batch.seal) == sealed
        first += batch.count
