"""A Plan and an Outcome as lines of the JSON log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from auditor import catalogue
from auditor.catalogue import LogLine
from auditor.errors import ExitCode
from auditor.journal.triggers import TriggerSeen
from auditor.models import Root
from auditor.orphans.plan import Along, Loss, Outcome, Plan
from auditor.orphans.route import Route
from auditor.roots import Registration
from auditor.version import VERSION


def run_started(command: str, database: str, *, dry_run: bool) -> LogLine:
    """The first line of a run."""
    return catalogue.RunStarted(command=command, version=VERSION, database=database, dry_run=dry_run)


def plan_made(plan: Plan) -> Iterator[LogLine]:
    """The routes, then everything that was found."""
    yield from _routes(plan)
    for finding, orphan in plan.orphans():
        yield catalogue.OrphanFound(
            model=finding.model,
            key=str(orphan.key),
            field=orphan.field,
            path=orphan.name,
            group=str(orphan.group or ""),
            named=finding.named,
            fate=orphan.fate if finding.named else None,
            moved_to=orphan.moves[0].to if orphan.moves else None,
            evidence=orphan.moves[0].evidence if orphan.moves else None,
            missing_seconds=None if orphan.missing_seconds is None else int(orphan.missing_seconds),
            reason=orphan.why or None,
        )
    if plan.taken or plan.emptied:
        yield catalogue.CascadePlanned(taken=_counts(plan.taken), emptied=_counts(plan.emptied))
    for excess in plan.excesses:
        yield catalogue.LimitExceeded(
            model=excess.model, orphans=excess.orphans, total=excess.total, limit=str(excess.limit)
        )
    for finding in plan.findings:
        for name, missing in finding.derived_missing.items():
            yield catalogue.DerivedMissing(model=finding.model, field=name, missing=missing)
    for one in plan.unknown:
        yield catalogue.NameUnknown(
            model=one.model, key=str(one.key), field=one.field, path=one.name, reason=one.reason
        )


def _counts(rows: Iterable[Along]) -> dict[str, int]:
    return {one.what: one.count for one in rows}


def root_registered(root: Root, done: Registration, forgotten: Sequence[str] = ()) -> LogLine:
    """A media folder is known from now on."""
    return catalogue.RootRegistered(
        root=root.path,
        registration=done,
        mounts=root.mounts,
        forgotten=list(forgotten),
        marker=str(root.marker) if root.marker else None,
    )


def journal_seen(
    seen: Mapping[str, TriggerSeen], unchecked: Mapping[str, int], candidates: Mapping[str, int]
) -> Iterator[LogLine]:
    """Whether the writes of each column are journaled."""
    for name, one in seen.items():
        yield catalogue.JournalSeen(
            field=name,
            triggers=one.state,
            reason=one.why,
            unchecked=unchecked.get(name, 0),
            candidates=candidates.get(name, 0),
        )


def journal_removed(triggers: int) -> LogLine:
    """No write is journaled any more."""
    return catalogue.JournalRemoved(triggers=triggers)


def acknowledged(losses: Iterable[Loss]) -> Iterator[LogLine]:
    """The losses that somebody has acknowledged."""
    for loss in losses:
        yield catalogue.LossAcknowledged(
            model=loss.model,
            key=loss.key,
            field=loss.field,
            path=loss.name,
            acknowledged_at=loss.acknowledged_at.isoformat(),
            user=loss.user,
        )


def _routes(plan: Plan) -> Iterator[LogLine]:
    """A line for each root and reason, with the fields that it goes for."""
    for root, routes in plan.routes.items():
        by_reason: dict[str, list[str]] = {}
        for name, route in routes.items():
            by_reason.setdefault(route.reason, []).append(name)
        for names in by_reason.values():
            yield _route(root, routes[names[0]], names)


def _route(root: str, route: Route, names: list[str]) -> LogLine:
    return catalogue.RouteChosen(
        root=root,
        route=route.kind,
        reason=route.reason,
        fields=names,
        covered_until=_iso(route.covered_until),
        blind_since=_iso(route.blind_since),
        blind_until=_iso(route.blind_until),
        deletions=route.deletions,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def plan_executed(outcome: Outcome) -> Iterator[LogLine]:
    """What went and what stayed, once it is committed."""
    for deleted in outcome.deleted:
        orphan = deleted.orphan
        yield catalogue.RecordDeleted(
            model=deleted.model,
            key=str(orphan.key),
            field=orphan.field,
            path=orphan.name,
            position=deleted.position,
        )
    for relinked in outcome.relinked:
        for position, move in enumerate(relinked.orphan.moves, relinked.position):
            yield catalogue.RecordRelinked(
                model=relinked.model,
                key=str(relinked.orphan.key),
                field=move.field,
                path=move.name,
                to=move.to,
                evidence=move.evidence,
                position=position,
            )
    for kept in outcome.kept:
        orphan = kept.orphan
        yield catalogue.RecordKept(
            model=kept.model, key=str(orphan.key), field=orphan.field, path=orphan.name, reason=kept.reason
        )


def run_completed(
    plan: Plan, outcome: Outcome, *, command: str, dry_run: bool, exit_code: ExitCode, duration_ms: int
) -> LogLine:
    """The last line of a run."""
    return catalogue.RunCompleted(
        command=command,
        dry_run=dry_run,
        exit_code=int(exit_code),
        duration_ms=duration_ms,
        checked={finding.model: finding.total for finding in plan.findings},
        orphans={finding.model: len(finding.orphans) for finding in plan.findings},
        deleted=dict(outcome.deleted_by_model()),
        kept=dict(outcome.kept_by_model()),
        orphans_total=plan.orphans_total(),
        deleted_total=len(outcome.deleted),
        kept_total=len(outcome.kept),
        unknown_total=len(plan.unknown),
        acknowledged_total=plan.acknowledged,
        unselected_total=plan.unselected,
        relinked_total=len(outcome.relinked),
        limit_exceeded=bool(plan.excesses),
        derived_missing_total=sum(sum(finding.derived_missing.values()) for finding in plan.findings),
    )
