"""A report as text: what was found, the worst first, and how much there is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from auditor.integrity.findings import (
    DiskFigures,
    Figures,
    Finding,
    Kind,
    ModelFigures,
    Reading,
    Report,
    Reported,
    Severity,
)
from auditor.usage.plan import UnusedPlan
from auditor.usage.report import UNPROVEN, kept
from auditor.wording import SAMPLE, counted, heading, safe, sized

SHOWN_GROUPS = 10
TITLES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.NOTE: "Note"}
NEEDED = {Kind.ROTTEN: " (--checksums)"} | dict.fromkeys(
    (Kind.BROKEN_IMAGE, Kind.TOO_LARGE, Kind.WRONG_SIZE), " (--deep)"
)
SOUND = "✓ No error and no warning."


def opening(totals: Iterable[tuple[str, int]]) -> str:
    """What is about to be looked at: (label, records)."""
    lines = [f"Checking {total} {label.lower()}..." for label, total in totals if total]
    return "\n".join(["Checking the integrity of the media library...", *lines])


def summary(report: Report, *, unused: Sequence[Reported] = (), lists_all: bool = False) -> str:
    """All that the report has to say; every finding where `lists_all`, else a sample of each kind."""
    blocks = [
        heading("MEDIA INTEGRITY:", [_total(report, severity) for severity in Severity]),
        *_kinds(report, unused, lists_all),
        _healed(report, lists_all),
        _still_open(report.still_open),
        "\n".join(_library(report)),
        *_groups(report.models),
        kept(report.unused) if report.unused else "",
        *_unproven(report.unused),
        _reading(report.reading) if report.reading else "",
        _acknowledged(report.acknowledged),
        _not_looked_at(report),
        SOUND if report.is_sound and not (report.not_looked_at or report.still_open) else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def _total(report: Report, severity: Severity) -> str:
    return f"{TITLES[severity]}s: {report.total(severity):,}"


def _kinds(report: Report, unused: Sequence[Reported], lists_all: bool) -> Iterator[str]:
    for kind in Kind:
        count = report.counts.get(kind, 0)
        if not count:
            continue
        some = unused if kind is Kind.UNUSED else [one for one in report.findings if one.finding.kind is kind]
        head = f"{TITLES[kind.severity]}: {count:,} {kind.one if count == 1 else kind.many}"
        if kind is Kind.UNUSED:
            head += _of_unused(report)
        elif kind.is_kept:
            head += _history(some)
        is_listed = lists_all or kind not in (Kind.UNUSED, Kind.FIRST_SEEN)
        yield "\n".join([head, *(_lines(report, some, lists_all) if is_listed else ())])


def _lines(report: Report, some: Sequence[Reported], lists_all: bool) -> Iterator[str]:
    ordered = sorted(some, key=lambda one: one.new_since is None)  # the new ones first
    shown = ordered if lists_all else ordered[:SAMPLE]
    is_mixed = len({one.new_since is None for one in some}) > 1
    yield from (f"  - {_line(report, one)}{', new' if is_mixed and one.new_since else ''}" for one in shown)
    if len(some) > len(shown):
        yield f"  ... and {len(some) - len(shown):,} more (--list shows all)"


def _line(report: Report, one: Reported) -> str:
    finding = one.finding
    record = f" ({finding.model}:{safe(finding.key)} {finding.field})" if finding.model else ""
    detail = f": {safe(finding.detail)}" if finding.detail else ""
    return f"{_path(report, finding)}{record}{detail}"


def _path(report: Report, finding: Finding) -> str:
    """The name, with its media folder where there are several."""
    return safe(finding.path if len(report.roots) == 1 else f"{finding.root.rstrip('/')}/{finding.path}")


def _history(some: Sequence[Reported]) -> str:
    """How many of them are new, and since when the others have been open."""
    new = [one.new_since for one in some if one.new_since]
    known = [one.found_at for one in some if one.found_at]
    parts = [f"{_of_all(new, some)}new since {_at(max(new))}"] if new else []
    parts += [f"{_of_all(known, some)}open since {_at(min(known))}"] if known else []
    return f", {', '.join(parts)}" if parts else ""


def _of_all(part: Sequence[object], some: Sequence[object]) -> str:
    return f"{len(part):,} " if len(part) < len(some) else ""


def _of_unused(report: Report) -> str:
    plan, before = report.unused, report.unused_before
    parts = [sized(plan.bytes)] if plan else []
    if before and plan and before[0] != plan.total:
        more = plan.total - before[0]
        parts.append(f"{abs(more):,} {'more' if more > 0 else 'fewer'} than on {_at(before[1])}")
    return f", {'; '.join(parts)}" if parts else ""


def _healed(report: Report, lists_all: bool) -> str:
    if not report.healed:
        return ""
    count = len(report.healed)
    shown = report.healed if lists_all else report.healed[:SAMPLE]
    lines = [f"  - {_path(report, one.finding)}: {one.finding.kind.one}" for one in shown]
    more = [f"  ... and {count - len(shown):,} more (--list shows all)"] if count > len(shown) else []
    head = f"Healed: {counted(count, 'finding')} of earlier checks"
    return "\n".join([head, *lines, *more])


def _still_open(some: Sequence[Reported]) -> str:
    counts = Counter(one.finding.kind for one in some)
    lines = [
        f"  - {count:,} {kind.one if count == 1 else kind.many}{NEEDED.get(kind, '')}"
        for kind, count in sorted(counts.items(), key=lambda one: list(Kind).index(one[0]))
    ]
    return "\n".join(["Found by earlier checks, and not looked at by this one:", *lines]) if lines else ""


def _library(report: Report) -> Iterator[str]:
    shown = [one for one in report.models if one.figures.records]
    if shown or report.disk:
        yield "Library:"
    for one in shown:
        yield f"  {one.label}: {_figures(one.figures)}"
    if report.disk:
        yield f"  On disk: {_disk(report.disk, report.unused)}"


def _figures(figures: Figures) -> str:
    parts = [counted(figures.records, "record"), counted(figures.files, "file")]
    parts.append(sized(figures.size))
    parts += [f"{figures.orphaned:,} orphaned"] * bool(figures.orphaned)
    parts += [f"{figures.unknown:,} unknown"] * bool(figures.unknown)
    return ", ".join(parts)


def _disk(disk: DiskFigures, unused: UnusedPlan | None) -> str:
    text = f"{counted(disk.files, 'file')}, {sized(disk.size)}"
    return f"{text}, {unused.total:,} unused" if unused and unused.total else text


def _groups(models: Sequence[ModelFigures]) -> Iterator[str]:
    """The largest groups of each kind, over all models."""
    kinds: dict[str, dict[str, list[tuple[ModelFigures, Figures]]]] = {}
    for one in models:
        for name, figures in one.groups:
            kinds.setdefault(one.kind_of_group, {}).setdefault(name, []).append((one, figures))
    for kind, groups in kinds.items():
        sizes = {name: sum(figures.size for _, figures in parts) for name, parts in groups.items()}
        shown = sorted(groups, key=lambda name: (-sizes[name], name))[:SHOWN_GROUPS]
        lines = [f"  - {safe(name)}: {_group(groups[name])}, {sized(sizes[name])}" for name in shown]
        more = [f"  ... and {len(groups) - len(shown):,} more"] if len(groups) > len(shown) else []
        yield "\n".join([f"Largest {kind.lower()}:", *lines, *more])


def _group(parts: Sequence[tuple[ModelFigures, Figures]]) -> str:
    return ", ".join(
        f"{figures.records:,} {(one.label_of_one if figures.records == 1 else one.label).lower()}"
        for one, figures in parts
    )


def _reading(reading: Reading) -> str:
    text = f"Read: {reading.done:,} of {counted(reading.due, 'file')}, {sized(reading.size)}"
    if reading.is_complete:
        return text
    why = "interrupted" if reading.is_interrupted else "the time is up"
    return f"{text} ({why}; the next run goes on with the rest)"


def _unproven(plan: UnusedPlan | None) -> Iterator[str]:
    for root in plan.roots if plan else ():
        if root.is_unproven:
            yield UNPROVEN.format(root=safe(root.path))


def _acknowledged(losses: int) -> str:
    return f"Acknowledged: {counted(losses, 'known loss', 'known losses')} not counted" if losses else ""


def _not_looked_at(report: Report) -> str:
    lines = [f"  - {safe(what)}: {safe(why)}" for what, why in report.not_looked_at.items()]
    return "\n".join(["Not looked at:", *lines]) if lines else ""


def _at(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
