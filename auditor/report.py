"""The human summary: a Plan and an Outcome as text, to the character of the command's page."""

from collections import Counter
from collections.abc import Iterable, Iterator

from auditor.orphans.plan import Finding, Group, Kept, Orphan, Outcome, Plan
from auditor.orphans.route import Route, RouteKind, words

RULE = "=" * 70
SAMPLE = 10
SHOWN_GROUPS = 20
WARNING = "⚠️  WARNING: This will permanently delete these database records!"
QUESTION = "Are you sure you want to continue? (yes/no): "
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
        _heading("ORPHANED RECORDS FOUND:", [_summary_line(finding) for finding in plan.main]),
        *(_sample(finding) for finding in plan.main if finding.orphans),
        *_groups(plan),
        _unknown(plan),
        _derived(plan),
        _others(plan),
        _unchecked(plan),
        *(_empty_root(path) for path in plan.empty_roots),
        CLEAN if not plan.orphans_total() and plan.is_certain else "",
        _how_to_name(plan) if plan.orphans_total() and not plan.is_named else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def completion(plan: Plan, outcome: Outcome) -> str:
    """What was deleted and what was kept after all."""
    deleted, labels = outcome.deleted_by_model(), {finding.model: finding.label for finding in plan.main}
    lines = [f"{label} deleted: {deleted[model]}" for model, label in labels.items()]
    blocks = [
        _heading("CLEANUP COMPLETE", [*lines, f"Total deleted: {len(outcome.deleted)}"]),
        _cascade(outcome),
        _kept(outcome),
        CLEANED if not outcome.kept else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def _heading(title: str, lines: list[str]) -> str:
    return "\n".join([RULE, title, RULE, *lines, RULE])


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
    lines = [_orphan_line(orphan) for orphan in finding.orphans[:SAMPLE]]
    more = len(finding.orphans) - SAMPLE
    if more > 0:
        lines.append(f"  ... and {more} more")
    return "\n".join([f"Orphaned {finding.label} (sample):", *lines])


def _orphan_line(orphan: Orphan) -> str:
    group = f" ({safe(str(orphan.group))})" if orphan.group else ""
    return f"  - {safe(orphan.name)}{group}"


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
    lines = [f"  - {safe(one.name)} ({one.reason})" for one in plan.unknown[:SAMPLE]]
    if len(plan.unknown) > SAMPLE:
        lines.append(f"  ... and {len(plan.unknown) - SAMPLE} more")
    return "\n".join([f"Unknown: {_count(len(plan.unknown), 'name')} could not be judged; the records stay", *lines])


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
            lines.append(f"  - {finding.model}.{name}: {count} missing out of {_count(finding.total, 'record')}")
    return "\n".join(["Also missing (reported only, never deleted):", *lines]) if lines else ""


def _unchecked(plan: Plan) -> str:
    lines = [
        f"  - {finding.model}.{name}: {safe(reason)}"
        for finding in plan.findings
        for name, reason in finding.unchecked.items()
    ]
    return "\n".join(["Not checked:", *lines]) if lines else ""


def _empty_root(path: str) -> str:
    return f"There is not a single file in {safe(path)}: this is what an unmounted volume looks like."


def _how_to_name(plan: Plan) -> str:
    models = [finding.model for finding in plan.main if finding.orphans]
    return f"No model is named for deletion. To allow it, add to your settings:\n  {naming(models)}"


def naming(models: Iterable[str]) -> str:
    """The line of settings that names these models for deletion."""
    quoted = ", ".join(f'"{model}"' for model in models)
    return f"AUDITOR_MODELS = [{quoted}]"


def _cascade(outcome: Outcome) -> str:
    counts = [f"{count} {model}" for model, count in sorted(outcome.cascade.items())]
    return f"Deleted with them: {', '.join(counts)}" if counts else ""


def _kept(outcome: Outcome) -> str:
    if not outcome.kept:
        return ""
    lines = [_kept_line(kept) for kept in outcome.kept[:SAMPLE]]
    if len(outcome.kept) > SAMPLE:
        lines.append(f"  ... and {len(outcome.kept) - SAMPLE} more")
    return "\n".join([f"Kept: {_count(len(outcome.kept), 'record')}", *lines])


def _kept_line(kept: Kept) -> str:
    return f"  - {safe(kept.orphan.name)} ({kept.reason})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or that is not seen, written out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
