"""`audit_log` show, spans, runs and stats: what they list, in which order, and by which index."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet

from auditor.answers import listing
from auditor.answers.figures import figures
from auditor.answers.life import life_of
from auditor.answers.listing import Wish, follow, list_events
from auditor.archive.exporting import exported
from auditor.auditlog import append_only
from auditor.auditlog.events import FileMoved, RunCompleted
from auditor.auditlog.verifying import Place, verify
from auditor.models import Batch, Root
from tests.answers.happening import NAME, RUN, UNDONE, append, at, deleted, ran, root_of, watched
from tests.makers import real
from tests.running import Ran, run

pytestmark = pytest.mark.django_db


def ask(question: str, *flags: str) -> Ran:
    return run(NAME, question, *flags, "--log-format", "none")


def positions(*flags: str) -> list[int]:
    """The positions that `show` lists with these flags."""
    lines = run(NAME, "show", *flags, "--json").stdout.splitlines()
    return [line["position"] for line in map(json.loads, lines) if line["event"] == "event.listed"]


def test_events_are_shown_newest_first_with_what_they_say(media: Path) -> None:
    root = root_of(media)
    append(deleted(root, "photos/a.jpg", 131))
    append(FileMoved(root=root.pk, path="b.jpg", to="c.jpg", occurred_at=at(140)))

    assert ask("show").stdout == (
        "        2  2026-03-01 10:02:20  file.moved            b.jpg -> c.jpg\n"
        "        1  2026-03-01 10:02:11  file.deleted          photos/a.jpg (unlinked)\n"
    )


def test_pages_follow_one_another_without_a_hole(media: Path) -> None:
    append(*(deleted(root_of(media), f"{number}.jpg") for number in range(5)))

    first = ask("show", "--limit", "2").stdout.splitlines()

    assert first[-1] == "There are more: --before 4"
    assert [positions("--limit", "2", "--before", before) for before in ("4", "2")] == [[3, 2], [1]]
    assert "There are more" not in ask("show", "--limit", "5").stdout


def test_filters_choose_and_combine(media: Path, tmp_path: Path) -> None:
    root, other = root_of(media), root_of(tmp_path / "other")
    append(
        deleted(root, "photos/a.jpg"), deleted(root, "photos/b.jpg", cause="census"), deleted(other, "photos/a.jpg")
    )
    append(FileMoved(root=root.pk, path="photos/a.jpg", to="c.jpg", occurred_at=at(1)))
    append(deleted(root, "photos0", run=RUN))
    ran(RUN, "cleanup_unused_files", 0)

    assert positions("--type", "file.moved") == [4]
    assert positions("--name", "photos/a.jpg") == [4, 3, 1]
    assert positions("--name", "photos/a.jpg", "--root", str(media)) == [4, 1]
    assert positions("--prefix", "photos/") == [4, 3, 2, 1]
    assert positions("--prefix", "photos/", "--type", "file.deleted", "--root", other.path) == [3]
    assert positions("--run", str(RUN)[:4]) == [5]
    assert positions("--root", other.path) == [3]


def test_times_are_those_of_recording(media: Path) -> None:
    for number in range(4):
        append(deleted(root_of(media), f"{number}.jpg"))
    with append_only.lifted("default"):
        for batch in Batch.objects.all():
            Batch.objects.filter(pk=batch.pk).update(recorded_at=at(60 * batch.number))

    assert positions("--since", "2026-03-01 10:02") == [4, 3, 2]
    assert positions("--until", "2026-03-01T10:03:00+00:00") == [2, 1]
    assert positions("--since", "2026-03-02") == []
    assert positions("--since", "1h") == []


def test_common_prefix_is_walked_and_the_walk_ends(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, other = root_of(media), root_of(media / "other")
    append(*(deleted(root, f"photos/{number}.jpg") for number in range(12)))
    append(*(deleted(other, f"{number}.jpg") for number in range(12)))
    for name, value in (("FEW", 3), ("WINDOW", 4), ("WALKED", 8)):
        monkeypatch.setattr(listing, name, value)

    stopped = ask("show", "--prefix", "photos/", "--limit", "2")

    assert stopped.stdout == "Stopped at position 17, as it took too long: --before 17\n"
    assert positions("--prefix", "photos/", "--limit", "2", "--before", "17") == [12, 11]


def test_nothing_found_is_said(media: Path) -> None:
    assert ask("show", "--type", "file.trashed").stdout == "No event in the audit log is like that.\n"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--name", "a", "--prefix", "b"], "--name and --prefix contradict each other."),
        (["--limit", "0"], "--limit 0 leaves nothing to show."),
        (
            ["--since", "yesterday"],
            "--since must be a time such as 2026-03-01, '2026-03-01 10:00' or 2h, not 'yesterday'.",
        ),
        (["--run", "beef"], "No runs have an id that begins with 'beef'."),
        (["--root", "/elsewhere"], "/elsewhere is no media folder that this site uses or that the log knows."),
    ],
)
def test_flags_that_mean_nothing_are_refused(flags: list[str], sentence: str, media: Path) -> None:
    answer = ask("show", *flags)

    assert (answer.code, answer.stdout.splitlines()[0]) == (2, f"CommandError: {sentence}")


def test_spans_and_the_gaps_between_them(media: Path) -> None:
    root = root_of(media)
    watched(root, 0, 60, reason="overflow")
    watched(root, 120, 125, span=uuid4())

    lines = ask("spans").stdout.splitlines()

    assert [lines[0], *lines[2:]] == [
        real(media),
        "  covered  2026-03-01 10:02:00 to 2026-03-01 10:02:05  5 s so far",
        "  blind    2026-03-01 10:01:00 to 2026-03-01 10:02:00  1 min (overflow)",
        "  covered  2026-03-01 10:00:00 to 2026-03-01 10:01:00  1 min",
    ]
    assert lines[1].startswith("  blind    2026-03-01 10:02:05 to now")
    assert lines[1].endswith("(the watcher is not heard)")


def test_root_that_nobody_watched_is_listed_without_spans(media: Path) -> None:
    root_of(media)

    assert ask("spans").stdout == f"{real(media)}\n  no watcher has ever looked after it\n"


def test_runs_and_what_they_did(media: Path) -> None:
    ran(RUN, "cleanup_orphaned_media", 0)
    ran(UNDONE, "restore_orphaned_media", 60)
    append(
        RunCompleted(
            occurred_at=at(0),
            run_id=RUN,
            command="cleanup_orphaned_media",
            deleted={"gallery.Photo": 2},
            cascade={"gallery.Rendition": 3},
            kept={},
        )
    )

    assert ask("runs").stdout.splitlines() == [
        f"{UNDONE}  2026-03-01 10:01:00  restore_orphaned_media by anna: not completed",
        f"{RUN}  2026-03-01 10:00:00  cleanup_orphaned_media by anna: 2 deleted, 3 along",
    ]
    assert ask("runs", "--before", str(UNDONE)).stdout.splitlines() == [
        f"{RUN}  2026-03-01 10:00:00  cleanup_orphaned_media by anna: 2 deleted, 3 along"
    ]


def test_figures_come_from_positions_and_not_from_counting(media: Path) -> None:
    append(*(deleted(root_of(media), f"{number}.jpg") for number in range(3)))
    append(deleted(root_of(media), "4.jpg", 60))
    with append_only.lifted("default"):
        Batch.objects.filter(number=1).update(recorded_at=Batch.objects.get(number=2).recorded_at - timedelta(days=3))

    with mock.patch.object(QuerySet, "count", side_effect=AssertionError("counted")):
        lines = ask("stats").stdout.splitlines()

    assert lines[:3] == [
        "4 events in 2 batches",
        "  oldest: position 1, of 2026-03-01 10:00:00",
        "  newest: position 4, of 2026-03-01 10:01:00",
    ]
    assert [line.split()[1:] for line in lines[-14:]] == [
        *[["0"]] * 10,
        ["3", "#" * 40],
        *[["0"]] * 2,
        ["1", "#" * 14],
    ]


def test_empty_log_has_no_figures(media: Path) -> None:
    assert ask("stats").stdout == "The audit log is empty.\n"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["show", "--since", "999999999d"], "--since must be a time such as 2026-03-01"),
        (["show", "--since", "0001-01-01"], "--since must be a time such as 2026-03-01"),
        (["show", "--limit", "99999999999999999999"], "--limit 99999999999999999999 is more than is shown at once."),
        (["runs", "--limit", "100001"], "--limit 100001 is more than is shown at once."),
        (["show", "--type", "file.delete"], "No event has the type 'file.delete'."),
        (["why", ""], "'' is no name of a file in a media folder."),
        (["why", "."], "'.' is no name of a file in a media folder."),
        (["why", "a/../../b.jpg"], "'a/../../b.jpg' is no name of a file in a media folder."),
    ],
)
def test_what_can_mean_nothing_is_refused_in_a_sentence(flags: list[str], sentence: str, media: Path) -> None:
    answer = run(NAME, *flags, "--log-format", "none")

    assert answer.code == 2
    assert answer.stdout.startswith(f"CommandError: {sentence}")


def test_log_without_a_folder_has_no_spans(media: Path) -> None:
    assert run(NAME, "spans", "--log-format", "none").stdout == "The log knows of no media folder yet.\n"


def plans(ask: Callable[[], object]) -> str:
    """How the database goes about every query on the events that is made."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    explained: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FROM" in sql and "auditor_event" in sql and not sql.startswith("EXPLAIN"):
            with connection.cursor() as cursor:
                prefix = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
                cursor.execute(prefix + sql, params)
                explained.extend(" ".join(map(str, row)) for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        ask()
    assert explained
    return "\n".join(explained)


def is_full_scan(plan: str) -> bool:
    return "Seq Scan" in plan or "SCAN auditor_event\n" in f"{plan}\n"


def make_events() -> None:
    root = Root.objects.create(pk=1, path="/srv/media")
    append(*(deleted(root, f"photos/{letter}.jpg") for letter in "abcd"))
    append(FileMoved(root=root.pk, path="in.jpg", to="photos/e.jpg", occurred_at=at(1)))


@pytest.mark.parametrize(
    ("wish", "index"),
    [
        ({}, "pkey"),
        ({"before": 3}, "pkey"),
        ({"kind": "file.deleted"}, "auditor_event_by_type"),
        ({"name": "photos/a.jpg", "roots": [1]}, "auditor_event_by_path"),
        ({"prefix": "photos/", "roots": [1]}, "auditor_event_by_path"),
        ({"run": RUN}, "auditor_event_by_run"),
        ({"roots": [1]}, "auditor_event_by_path"),
    ],
    ids=str,
)
def test_every_listing_goes_by_an_index(wish: dict[str, Any], index: str) -> None:
    make_events()

    plan = plans(lambda: list_events(Wish(limit=2, **wish), using="default"))

    name = index.replace("pkey", "sqlite_autoindex_auditor_event_1") if connection.vendor == "sqlite" else index
    assert name in plan
    assert not is_full_scan(plan)
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    "ask",
    [
        lambda: life_of("/srv/media", "photos/a.jpg", using="default"),
        lambda: life_of("/srv/media", "photos/e.jpg", using="default"),
        lambda: list(follow(2, using="default")),
        lambda: figures(at(0), using="default"),
        lambda: list(exported(2, using="default")),
        lambda: verify(Place(), key=None, using="default"),
    ],
    ids=["life of a lost file", "life of a moved file", "tail", "stats", "export", "verify"],
)
def test_no_other_answer_reads_the_whole_table_at_once(ask: Callable[[], object]) -> None:
    make_events()

    assert not is_full_scan(plans(ask))
