"""Decides whether the audit log can answer for a field, or the whole disk has to be scanned, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auditor.auditlog.coverage import Coverage

CLOCK_STEP_SECONDS = 1.0  # two readings of one clock may differ by its steps, and not by this


class RouteKind(StrEnum):
    """Where an answer comes from; `auto` is only a wish."""

    AUTO = "auto"
    LOG = "log"
    SCAN = "scan"


class RouteReason(StrEnum):
    """Why this route: `covered` opens the log, every other one closes it."""

    COVERED = "covered"
    ASKED = "asked"
    NEVER_WATCHED = "never_watched"
    NOT_RUNNING = "not_running"
    NO_CHECKPOINT = "no_checkpoint"
    STALE = "stale"
    CLOCK_SET_BACK = "clock_set_back"
    ROOT_REPLACED = "root_replaced"
    FIELD_NOT_SEEN = "field_not_seen"
    NOT_JOURNALED = "not_journaled"
    JOURNAL_CHANGED = "journal_changed"
    TOO_MANY_ODD_NAMES = "too_many_odd_names"
    NO_FOLDER = "no_folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The route for one field and its reason; `blind_since` to `blind_until` is the last time nobody looked."""

    kind: RouteKind
    reason: RouteReason
    now: datetime
    age_seconds: float = 0.0
    allowed_seconds: float = 0.0
    deletions: int = 0
    covered_until: datetime | None = None
    blind_since: datetime | None = None
    blind_until: datetime | None = None
    closed_reason: str = ""


def decide(
    coverage: Coverage,
    *,
    field: str,
    identity: str,
    mark: str,
    allowed_seconds: float,
    wanted: RouteKind = RouteKind.AUTO,
    is_folder: bool = True,
) -> Route:
    """The route for a field ('app.Model.field') of a root that now is `identity`.

    `mark` is that of the triggers which journal the field's writes now, or empty where none do.
    `allowed_seconds` is how old the watermark may be; only a folder can be watched.
    A wish for the log is not granted here where the log is closed: the caller says so.
    """
    reason = _reason(coverage, field, identity, mark, allowed_seconds) if is_folder else RouteReason.NO_FOLDER
    if wanted is RouteKind.SCAN:
        reason = RouteReason.ASKED
    span, previous = coverage.span, coverage.previous
    return Route(
        kind=RouteKind.LOG if reason is RouteReason.COVERED else RouteKind.SCAN,
        reason=reason,
        now=coverage.now,
        age_seconds=max(0.0, coverage.age_seconds) if span else 0.0,
        allowed_seconds=allowed_seconds,
        deletions=coverage.deletions,
        covered_until=span.covered_until if span else None,
        blind_since=previous.covered_until if previous else None,
        blind_until=span.opened_at if span else None,
        closed_reason=previous.closed_reason if previous else "",
    )


def _reason(coverage: Coverage, field: str, identity: str, mark: str, allowed_seconds: float) -> RouteReason:
    if coverage.span is None:
        return RouteReason.NOT_RUNNING if coverage.previous else RouteReason.NEVER_WATCHED
    if coverage.span.identity != identity:
        return RouteReason.ROOT_REPLACED
    if coverage.age_seconds > allowed_seconds:
        return RouteReason.STALE
    if coverage.age_seconds < -CLOCK_STEP_SECONDS:
        return RouteReason.CLOCK_SET_BACK
    if coverage.checkpoint is None or coverage.checkpoint.made_at > coverage.span.covered_until:
        return RouteReason.NO_CHECKPOINT
    seen = coverage.checkpoint.fields.get(field)
    if seen is None:
        return RouteReason.FIELD_NOT_SEEN
    if not mark:
        return RouteReason.NOT_JOURNALED
    if seen.journal != mark:
        return RouteReason.JOURNAL_CHANGED
    if seen.has_too_many_odd:
        return RouteReason.TOO_MANY_ODD_NAMES
    return RouteReason.COVERED


def words(route: Route) -> str:
    """The route's reason for a person, without a full stop; times in the process's time zone."""
    match route.reason:
        case RouteReason.COVERED:
            deletions = "1 deletion" if route.deletions == 1 else f"{route.deletions:,} deletions"
            return f"complete up to {route.age_seconds:.0f} s ago, {deletions} since the last checkpoint"
        case RouteReason.NOT_RUNNING:
            return f"no watcher is running, the last one was heard at {_clock(route, route.blind_since)}{_why(route)}"
        case RouteReason.NO_CHECKPOINT if route.blind_since:
            since, until = _clock(route, route.blind_since), _clock(route, route.blind_until)
            return f"the watcher was not running between {since} and {until}, and has not compared everything since"
        case RouteReason.STALE:
            return (
                f"the watcher was last heard {route.age_seconds:.0f} s ago, "
                f"and {route.allowed_seconds:.0f} s are allowed"
            )
    return PLAIN_WORDS[route.reason]


PLAIN_WORDS = {
    RouteReason.CLOCK_SET_BACK: "the database's clock was set back, so nobody can say how current the log is",
    RouteReason.ASKED: "asked for with --route scan",
    RouteReason.NEVER_WATCHED: "no watcher has ever run for this folder (manage.py watch_media starts one)",
    RouteReason.NO_CHECKPOINT: "the watcher has only just started, and has not compared everything yet",
    RouteReason.ROOT_REPLACED: "the watcher looks after another folder of this name",
    RouteReason.FIELD_NOT_SEEN: "the watcher did not know this field when it compared everything (restart it)",
    RouteReason.NOT_JOURNALED: "nothing writes down which records change (manage.py reference_journal says why)",
    RouteReason.JOURNAL_CHANGED: "its table or triggers were changed, and the watcher has not compared it since",
    RouteReason.NO_FOLDER: "its storage is no folder of this machine, so no watcher can tell of it",
    RouteReason.TOO_MANY_ODD_NAMES: "too many of its names run through symlinks or cannot be read",
}
CLOSED_WORDS = {"stopped": "it was stopped", "crashed": "it died"}


def why_closed(reason: str) -> str:
    """Why a span was closed, for a person."""
    return CLOSED_WORDS.get(reason, reason.replace("_", " "))


def _why(route: Route) -> str:
    return f" ({why_closed(route.closed_reason)})" if route.closed_reason else ""


def _clock(route: Route, moment: datetime | None) -> str:
    if moment is None:
        return "an unknown time"
    local, today = moment.astimezone(), route.now.astimezone()
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"
