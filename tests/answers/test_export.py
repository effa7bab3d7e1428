"""`audit_log export` and `rebuild`: the whole log as lines, and projections made from it."""

import json
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F

from auditor.auditlog import digests, rebuilding
from auditor.auditlog.events import CheckpointCompleted, DirectoryDeleted, FileFound
from auditor.auditlog.seal import HEADER, LEAF, NODE
from auditor.models import Checkpoint, MissingFile, Span
from tests.answers.happening import NAME, SPAN, append, at, deleted, root_of, watched
from tests.running import run

pytestmark = pytest.mark.django_db
Lines = list[tuple[str, dict[str, Any]]]


def exported(*flags: str) -> Lines:
    """(kind, values) of each line."""
    answer = run(NAME, "export", *flags)
    assert (answer.code, answer.stderr) == (0, "")
    return [one for line in answer.stdout.splitlines() for one in json.loads(line).items()]


def make_log(media: Path) -> None:
    """Three batches of three events."""
    for letter in "abc":
        append(*(deleted(root_of(media), f"photos/ä{letter}{number}.jpg") for number in range(3)))


def places(lines: Lines) -> list[tuple[str, int]]:
    return [(kind, values.get("number", values.get("position", 0))) for kind, values in lines]


def test_export_has_every_batch_with_its_events_between_beginning_and_end(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(media)
    monkeypatch.setattr(digests, "EVENTS_AT_ONCE", 2)

    lines = exported()

    assert places(lines) == [
        ("log", 0),
        *[("batch", 1), ("event", 1), ("event", 2), ("event", 3)],
        *[("batch", 2), ("event", 4), ("event", 5), ("event", 6)],
        *[("batch", 3), ("event", 7), ("event", 8), ("event", 9)],
        ("end", 9),
    ]


def test_export_goes_on_behind_a_position(media: Path) -> None:
    make_log(media)

    assert places(exported("--after", "5"))[1:4] == [("batch", 2), ("event", 6), ("batch", 3)]
    assert places(exported("--after", "9")) == [("log", 0), ("end", 9)]


def test_export_of_an_empty_log_is_whole(media: Path) -> None:
    assert places(exported()) == [("log", 0), ("end", 0)]


def test_seals_can_be_computed_from_an_export_alone(media: Path) -> None:
    """The recipe of the page on seals, without a line of the program."""
    make_log(media)

    def canonical(value: Any) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    (_, log), *lines, (_, end) = exported()
    seal = "0" * 64
    for is_batch, group in groupby(lines, key=lambda line: line[0] == "batch"):
        if is_batch:
            ((_, batch),) = group
            continue
        node = sha256(NODE)
        for _, event in group:
            moment = datetime.fromisoformat(event["occurred_at"])
            micros = int(moment.timestamp()) * 1_000_000 + moment.microsecond
            leaf = [event["type"], event["version"], event["root"], event["path"], micros, event["run_id"]]
            node.update(sha256(LEAF + canonical([*leaf, event["data"]])).digest())
        recorded = datetime.fromisoformat(batch["recorded_at"])
        header = [log["format"], log["log_id"], batch["number"], batch["uid"], batch["first_position"], batch["count"]]
        header += [int(recorded.timestamp()) * 1_000_000 + recorded.microsecond, node.hexdigest(), seal]
        seal = sha256(HEADER + canonical(header)).hexdigest()
        assert seal == batch["seal"]
    assert seal == end["seal"]


def make_projections(media: Path) -> None:
    """A closed span, an open one with a checkpoint, and names that went in every way."""
    root = root_of(media)
    watched(root, 0, 60, reason="overflow", span=uuid4())
    watched(root, 120, 180)
    append(
        deleted(root, "photos/a.jpg", 130),
        DirectoryDeleted(root=root.pk, path="photos", occurred_at=at(131), cause="removed"),
        deleted(root, "photos/b.jpg", 132),
        deleted(root, "c.jpg", 133),
        CheckpointCompleted(
            root=root.pk, occurred_at=at(134), span=str(SPAN), compared={"a.B.c": {}}, references=1, missing=1
        ),
    )
    append(FileFound(root=root.pk, path="c.jpg", occurred_at=at(140), as_of=9_999))


def rebuild(*flags: str) -> list[str]:
    return run(NAME, "rebuild", *flags, "--log-format", "none").stdout.splitlines()


RIGHT = [
    "auditor_missingfile: as the events say",
    "auditor_span: as the events say",
    "auditor_checkpoint: as the events say",
]


@pytest.mark.parametrize("at_once", [1, 2, 2_000])
def test_projections_are_what_the_events_say(at_once: int, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_projections(media)
    monkeypatch.setattr(rebuilding, "READ_AT_ONCE", at_once)

    assert sorted(MissingFile.objects.values_list("path", flat=True)) == ["photos", "photos/b.jpg"]
    assert rebuild("--dry-run") == RIGHT


def test_rebuild_says_what_differed_and_sets_it_right(media: Path) -> None:
    make_projections(media)
    root = root_of(media)
    MissingFile.objects.filter(path="photos").delete()
    MissingFile.objects.create(root=root, path="there.jpg", is_directory=False, position=1)
    MissingFile.objects.filter(path="photos/b.jpg").update(position=F("position") - 1)
    Checkpoint.objects.all().delete()
    Span.objects.filter(closed_at=None).update(closed_reason="stopped")
    differed = [
        "auditor_missingfile: 1 lacking, 1 too many, 1 wrong",
        "auditor_span: 1 wrong",
        "auditor_checkpoint: 1 lacking",
    ]

    assert rebuild("--dry-run") == differed
    assert rebuild() == [f"{line}, set right" for line in differed]
    assert rebuild() == RIGHT


def test_lost_spans_come_back_with_their_checkpoints(media: Path) -> None:
    make_projections(media)
    Span.objects.all().delete()

    assert rebuild()[1:] == ["auditor_span: 2 lacking, set right", "auditor_checkpoint: 1 lacking, set right"]
    assert Span.objects.get(closed_at=None).covered_until == at(120)


def test_watermark_is_never_moved_forward_by_a_rebuild(media: Path) -> None:
    make_projections(media)
    Span.objects.exclude(closed_at=None).update(covered_until=at(90))
    Span.objects.filter(closed_at=None).update(covered_until=at(170))

    assert rebuild()[1] == "auditor_span: 1 wrong, set right"
    assert sorted(Span.objects.values_list("covered_until", flat=True)) == [at(60), at(60) + timedelta(seconds=110)]
