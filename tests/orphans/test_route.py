"""When the audit log may answer, and what is said when it may not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.auditlog.coverage import CheckpointSeen, Coverage, FieldSeen, SpanSeen
from auditor.orphans.route import Route, RouteKind, RouteReason, decide, words

NOW = datetime(2026, 3, 1, 10, 7, 30, tzinfo=UTC)
FIELD = "gallery.Photo.image"
MARK = "triggers 1"


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


def make_span(**columns: Any) -> SpanSeen:
    known = {"uid": "s", "identity": "8:1", "opened_at": at(10, 7), "covered_until": at(10, 7, 28)}
    return SpanSeen(**(known | columns))


COMPARED_AT = at(10, 7, 1)


def make_checkpoint(*, made_at: datetime = COMPARED_AT, **seen: Any) -> CheckpointSeen:
    return CheckpointSeen(position=9, made_at=made_at, fields={FIELD: FieldSeen(**({"journal": MARK} | seen))})


def covered(**columns: Any) -> Coverage:
    known = {"now": NOW, "span": make_span(), "checkpoint": make_checkpoint(), "deletions": 571}
    return Coverage(**(known | columns))


def route(coverage: Coverage, **asked: Any) -> Route:
    known = {"field": FIELD, "identity": "8:1", "mark": MARK, "allowed_seconds": 30.0}
    return decide(coverage, **(known | asked))


STOPPED = make_span(opened_at=at(9, 0), covered_until=at(10, 2), closed_at=at(10, 2), closed_reason="stopped")


@pytest.mark.parametrize(
    ("coverage", "reason", "said"),
    [
        (
            covered(),
            RouteReason.COVERED,
            "complete up to 2 s ago, 571 deletions since the last checkpoint",
        ),
        (
            covered(deletions=1),
            RouteReason.COVERED,
            "complete up to 2 s ago, 1 deletion since the last checkpoint",
        ),
        (
            Coverage(now=NOW),
            RouteReason.NEVER_WATCHED,
            "no watcher has ever run for this folder (manage.py watch_media starts one)",
        ),
        (
            Coverage(now=NOW, previous=STOPPED),
            RouteReason.NOT_RUNNING,
            "no watcher is running, the last one was heard at 10:02 (it was stopped)",
        ),
        (
            covered(checkpoint=None),
            RouteReason.NO_CHECKPOINT,
            "the watcher has only just started, and has not compared everything yet",
        ),
        (
            covered(checkpoint=None, previous=STOPPED),
            RouteReason.NO_CHECKPOINT,
            "the watcher was not running between 10:02 and 10:07, and has not compared everything since",
        ),
        (
            covered(checkpoint=make_checkpoint(made_at=at(10, 7, 29))),
            RouteReason.NO_CHECKPOINT,
            "the watcher has only just started, and has not compared everything yet",
        ),
        (
            covered(span=make_span(covered_until=NOW - timedelta(seconds=95))),
            RouteReason.STALE,
            "the watcher was last heard 95 s ago, and 30 s are allowed",
        ),
        (
            covered(span=make_span(covered_until=NOW + timedelta(seconds=2))),
            RouteReason.CLOCK_SET_BACK,
            "the database's clock was set back, so nobody can say how current the log is",
        ),
        (
            covered(span=make_span(identity="8:2")),
            RouteReason.ROOT_REPLACED,
            "the watcher looks after another folder of this name",
        ),
        (
            covered(checkpoint=CheckpointSeen(position=9, made_at=at(10, 7, 1))),
            RouteReason.FIELD_NOT_SEEN,
            "the watcher did not know this field when it compared everything (restart it)",
        ),
        (
            covered(checkpoint=make_checkpoint(journal="triggers 0")),
            RouteReason.JOURNAL_CHANGED,
            "its table or triggers were changed, and the watcher has not compared it since",
        ),
        (
            covered(checkpoint=make_checkpoint(journal="")),
            RouteReason.JOURNAL_CHANGED,
            "its table or triggers were changed, and the watcher has not compared it since",
        ),
        (
            covered(checkpoint=make_checkpoint(has_too_many_odd=True)),
            RouteReason.TOO_MANY_ODD_NAMES,
            "too many of its names run through symlinks or cannot be read",
        ),
    ],
)
def test_only_full_coverage_opens_the_log_and_every_other_case_says_why(
    coverage: Coverage, reason: RouteReason, said: str
) -> None:
    chosen = route(coverage)

    assert chosen.reason is reason
    assert chosen.kind is (RouteKind.LOG if reason is RouteReason.COVERED else RouteKind.SCAN)
    assert words(chosen) == said


def test_a_field_whose_writes_nobody_journals_is_scanned() -> None:
    chosen = route(covered(checkpoint=make_checkpoint(journal="")), mark="")

    assert (chosen.kind, chosen.reason) == (RouteKind.SCAN, RouteReason.NOT_JOURNALED)
    assert words(chosen) == "nothing writes down which records change (manage.py reference_journal says why)"


def test_asking_for_the_scan_gets_the_scan() -> None:
    chosen = route(covered(), wanted=RouteKind.SCAN)

    assert (chosen.kind, words(chosen)) == (RouteKind.SCAN, "asked for with --route scan")


def test_asking_for_the_log_does_not_open_it() -> None:
    chosen = route(Coverage(now=NOW), wanted=RouteKind.LOG)

    assert (chosen.kind, chosen.reason) == (RouteKind.SCAN, RouteReason.NEVER_WATCHED)


def test_watermark_is_fresh_to_the_second_and_no_longer() -> None:
    just = covered(now=at(10, 8), span=make_span(covered_until=at(10, 7, 30)))
    over = covered(now=at(10, 8) + timedelta(microseconds=1), span=make_span(covered_until=at(10, 7, 30)))

    assert (route(just).kind, route(over).kind) == (RouteKind.LOG, RouteKind.SCAN)


def test_another_day_is_told_with_its_date() -> None:
    yesterday = make_span(covered_until=datetime(2026, 2, 28, 23, 59, tzinfo=UTC), closed_reason="crashed")

    said = words(route(Coverage(now=NOW, previous=yesterday)))

    assert said == "no watcher is running, the last one was heard at 2026-02-28 23:59 (it died)"


def test_reason_of_a_gap_is_told_in_plain_words() -> None:
    overflowed = make_span(covered_until=at(10, 2), closed_reason="queue_full")

    said = words(route(Coverage(now=NOW, previous=overflowed)))

    assert said == "no watcher is running, the last one was heard at 10:02 (queue full)"


def test_route_carries_the_figures_of_its_reason() -> None:
    assert route(covered(previous=STOPPED)) == Route(
        kind=RouteKind.LOG,
        reason=RouteReason.COVERED,
        now=NOW,
        age_seconds=2.0,
        allowed_seconds=30.0,
        deletions=571,
        covered_until=at(10, 7, 28),
        blind_since=at(10, 2),
        blind_until=at(10, 7),
        closed_reason="stopped",
    )
