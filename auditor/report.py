"""The human summary: a Plan and an Outcome as text, to the character of the command's page."""

from collections import Counter
from collections.abc import Iterable, Iterator

from auditor.orphans.plan import Evidence, Fate, Finding, Group, Move, Orphan, Outcome, Plan, RootSeen
from auditor.orphans.route import Route, RouteKind, words
from auditor.wording import along, counted, heading, listed, safe

SHOWN_GROUPS = 20
WARNING = "⚠️  WARNING: This will permanently delete these database records!"
RELINK_WARNING = "⚠️  WARNING: This will change the file names in these database records!"
CANCELLED = "Cancelled. Nothing was deleted."
CLEAN = "✓ No orphaned records found! Database is clean."
CLEANED = "✓ Database cleaned successfully!"


def opening(totals: Iterable[tuple[str, int]]) -> str:
    """What is about to be checked: (label, records)."""
    lines = [f"Checking {total} {label.lower()}..." for label, total in totals]
    return "\n".join(["Scanning for orphaned media records...", *lines])


def summary(plan: Plan) -> str:
    """What was found, and where the answer comes from."""
    blocks = [
        _routes(plan),
        heading("ORPHANED RECORDS FOUND:", [_summary_line(finding) for finding in plan.main]),
        *(_sample(finding) for finding in plan.main if finding.orphans),
        *_groups(plan),
        _unknown(plan),
        _derived(plan),
        _others(plan),
        _unchecked(plan),
        *_fates(plan),
        along(plan.taken, plan.emptied),
        *_left_out(plan),
        *(_unproven(root) for root in plan.unproven),
        *(f"Limit: {safe(str(excess))}." for excess in plan.excesses),
        CLEAN if plan.is_clean else "",
        _how_to_name(plan) if plan.orphans_total() and not plan.is_named else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def completion(plan: Plan, outcome: Outcome, *, undo: str = "") -> str:
    """What was deleted and what was kept after all; `undo` says how it is taken back."""
    deleted, labels = outcome.deleted_by_model(), {finding.model: finding.label for finding in plan.main}
    lines = [f"{label} deleted: {deleted[model]}" for model, label in labels.items()]
    blocks = [
        heading("CLEANUP COMPLETE", [*lines, f"Total deleted: {len(outcome.deleted)}"]),
        along(outcome.taken, outcome.emptied),
        _relinked(outcome),
        _kept(outcome),
        undo,
        CLEANED if is_cleaned(plan, outcome) else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def is_cleaned(plan: Plan, outcome: Outcome) -> bool:
    """Whether nothing is left that a person, or the next run, has to see to."""
    left = (Fate.NOT_NOW, Fate.MOVED, Fate.PROTECTED)
    return plan.is_certain and not outcome.kept and not any(finding.of_fate(*left) for finding in plan.main)


def _summary_line(finding: Finding) -> str:
    return f"{finding.label}: {len(finding.orphans)} orphaned out of {finding.total} total"


def _routes(plan: Plan) -> str:
    main = {f"{finding.model}." for finding in plan.main}
    lines: dict[str, None] = {}
    for root, routes in plan.routes.items():
        shown = {name: route for name, route in routes.items() if any(name.startswith(model) for model in main)}
        several = len({(route.kind, route.reason) for route in shown.values()}) > 1
        for name, route in shown.items():
            of = f" of {name}" if several else ""
            at = f" ({safe(root)})" if len(plan.routes) > 1 else ""
            lines[route_line(route, of=of + at)] = None
    return "\n".join(lines)


def route_line(route: Route, *, of: str = "") -> str:
    """Where an answer comes from, and how current it is or why the log could not give it."""
    name = "Audit log" if route.kind is RouteKind.LOG else "Full disk scan"
    return f"{name}{of}: {words(route)}"


def _sample(finding: Finding) -> str:
    return listed(f"Orphaned {finding.label} (sample):", finding.orphans, _orphan_line)


def _orphan_line(orphan: Orphan) -> str:
    group = f" ({safe(str(orphan.group))})" if orphan.group else ""
    return f"{safe(orphan.name)}{group}"


def _groups(plan: Plan) -> Iterator[str]:
    """The groups that lose records, by kind: how many of which model."""
    kinds: dict[str, dict[Group, list[str]]] = {}
    for finding in plan.main:
        for group, count in finding.by_group().items():
            if group is not None:
                of_kind = kinds.setdefault(group.kinds, {})
                of_kind.setdefault(group, []).append(_of(finding, count))
    for kind, groups in kinds.items():
        shown = sorted(groups, key=lambda group: group.name)[:SHOWN_GROUPS]
        lines = [f"  - {safe(group.name)}: {', '.join(groups[group])}" for group in shown]
        if len(groups) > SHOWN_GROUPS:
            lines.append(f"  ... and {len(groups) - SHOWN_GROUPS} more")
        yield "\n".join([f"Affected {kind.lower()}:", *lines])


def _of(finding: Finding, count: int) -> str:
    label = finding.label_of_one if count == 1 else finding.label
    return f"{count} {label.lower()}"


def _unknown(plan: Plan) -> str:
    if not plan.unknown:
        return ""
    heading = f"Unknown: {counted(len(plan.unknown), 'name')} could not be judged; the records stay"
    return listed(heading, plan.unknown, lambda one: f"{safe(one.name)} ({safe(one.reason)})")


def _derived(plan: Plan) -> str:
    counts = [
        f"{finding.label} {name}: {count}" for finding in plan.main for name, count in finding.derived_missing.items()
    ]
    return f"Derived files missing (not deleted for that): {', '.join(counts)}" if counts else ""


def _others(plan: Plan) -> str:
    lines = []
    for finding in plan.others:
        counts = Counter(finding.derived_missing)
        counts.update(field for orphan in finding.orphans for field, _ in orphan.missing)
        for name, count in counts.items():
            lines.append(f"  - {finding.model}.{name}: {count} missing out of {counted(finding.total, 'record')}")
    return "\n".join(["Also missing (reported only, never deleted):", *lines]) if lines else ""


def _unchecked(plan: Plan) -> str:
    lines = [
        f"  - {finding.model}.{name}: {safe(reason)}"
        for finding in plan.findings
        for name, reason in finding.unchecked.items()
    ]
    return "\n".join(["Not checked:", *lines]) if lines else ""


FATES = {
    Fate.RELINK: "To be relinked: {count}",
    Fate.WAITING: "Waiting: {count} whose file has not been missing for long enough",
    Fate.PROTECTED: "Protected, and kept: {count}",
    Fate.NOT_NOW: "Not now: {count} beyond --limit",
}
MOVED = "Moved, and kept: {count} (--relink uses the new names)"
FOUND = "Found elsewhere, and kept: {count} (--relink=proposed uses the names that were found)"


def _fates(plan: Plan) -> Iterator[str]:
    """What stays of the orphans and why, and where files have gone to; nothing of what is simply deleted."""
    orphans = [orphan for finding in plan.main for orphan in finding.orphans]
    moved = [orphan for orphan in orphans if orphan.fate is Fate.MOVED]
    yield _of_fate(MOVED, [orphan for orphan in moved if orphan.was_seen_moving])
    yield _of_fate(FOUND, [orphan for orphan in moved if not orphan.was_seen_moving])
    for fate, sentence in FATES.items():
        yield _of_fate(sentence, [orphan for orphan in orphans if orphan.fate is fate])


def _of_fate(sentence: str, orphans: list[Orphan]) -> str:
    heading = sentence.format(count=counted(len(orphans), "record"))
    return listed(heading, orphans, _fate_line) if orphans else ""


def _fate_line(orphan: Orphan) -> str:
    moves = [f"{_moved(move)} {safe(move.to)}" for move in orphan.moves]
    return ", ".join([safe(orphan.name), *moves, *([safe(orphan.why)] if orphan.why else [])])


def _moved(move: Move) -> str:
    return "moved to" if move.evidence is Evidence.SEEN else f"{move.evidence.replace('_', ' ')} as"


def _left_out(plan: Plan) -> Iterator[str]:
    if plan.is_selection:
        yield f"Not selected: {counted(plan.unselected, 'orphaned record')}"
    if plan.acknowledged:
        yield f"Acknowledged: {counted(plan.acknowledged, 'known loss', 'known losses')} (--acknowledged lists them)"


def warning(plan: Plan) -> str:
    """What the question is about."""
    fates = {orphan.fate for finding in plan.to_do for orphan in finding.orphans}
    warnings = {Fate.DELETE: WARNING, Fate.RELINK: RELINK_WARNING}
    return "\n".join(text for fate, text in warnings.items() if fate in fates)


def _unproven(root: RootSeen) -> str:
    what = "There is not a single file" if root.is_empty else "Not one file that a record names is"
    return f"{what} in {safe(root.path)}: this is what an unmounted volume or a wrong MEDIA_ROOT looks like."


def _how_to_name(plan: Plan) -> str:
    models = [finding.model for finding in plan.main if finding.orphans]
    return f"No model is named for deletion. To allow it, add to your settings:\n  {naming(models)}"


def naming(models: Iterable[str]) -> str:
    """The line of settings that names these models for deletion."""
    quoted = ", ".join(f'"{model}"' for model in models)
    return f"AUDITOR_MODELS = [{quoted}]"


def _relinked(outcome: Outcome) -> str:
    if not outcome.relinked:
        return ""
    heading = f"Relinked: {counted(len(outcome.relinked), 'record')}"
    return listed(heading, outcome.relinked, lambda one: _fate_line(one.orphan))


def _kept(outcome: Outcome) -> str:
    if not outcome.kept:
        return ""
    heading = f"Kept: {counted(len(outcome.kept), 'record')}"
    return listed(heading, outcome.kept, lambda kept: f"{safe(kept.orphan.name)} ({safe(kept.reason)})")
