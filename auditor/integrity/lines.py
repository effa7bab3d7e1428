"""A report as lines of the JSON log."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from auditor.catalogue import LogLine
from auditor.errors import ExitCode
from auditor.integrity import catalogue
from auditor.integrity.findings import Report, Reported, Severity


def found(reported: Iterable[Reported]) -> Iterator[LogLine]:
    """A line for each finding."""
    for one in reported:
        finding = one.finding
        yield catalogue.FindingFound(
            kind=finding.kind.word,
            severity=finding.kind.severity.value,
            root=finding.root,
            path=finding.path,
            model=finding.model or None,
            key=finding.key or None,
            field=finding.field or None,
            detail=finding.detail or None,
            state=one.state,
            found_at=_iso(one.found_at),
            new_since=_iso(one.new_since),
        )


def report_made(report: Report) -> Iterator[LogLine]:
    """What has healed, the figures, and what was not looked at."""
    for one in report.healed:
        finding = one.finding
        yield catalogue.FindingHealed(
            kind=finding.kind.word,
            severity=finding.kind.severity.value,
            root=finding.root,
            path=finding.path,
            model=finding.model or None,
            key=finding.key or None,
            field=finding.field or None,
            found_at=_iso(one.found_at) or "",
        )
    for model in report.models:
        figures = model.figures
        yield catalogue.ModelMeasured(
            model=model.model,
            records=figures.records,
            files=figures.files,
            bytes=figures.size,
            orphaned=figures.orphaned,
            unknown=figures.unknown,
        )
        for group, part in model.groups:
            yield catalogue.GroupMeasured(
                model=model.model, group=group, records=part.records, files=part.files, bytes=part.size
            )
    for what, why in report.not_looked_at.items():
        yield catalogue.NotLookedAt(what=what, reason=why)


def completed(report: Report, *, command: str, exit_code: ExitCode, duration_ms: int) -> LogLine:
    """The last line of a check."""
    disk, unused, reading = report.disk, report.unused, report.reading
    return catalogue.CheckCompleted(
        command=command,
        exit_code=int(exit_code),
        duration_ms=duration_ms,
        findings={kind.word: count for kind, count in report.counts.items()},
        errors=report.total(Severity.ERROR),
        warnings=report.total(Severity.WARNING),
        notes=report.total(Severity.NOTE),
        healed=len(report.healed),
        still_open=len(report.still_open),
        acknowledged=report.acknowledged,
        files=disk.files if disk else None,
        bytes=disk.size if disk else None,
        unused=unused.total if unused else None,
        unused_bytes=unused.bytes if unused else None,
        kept={kind.value: count for kind, count in unused.kept().items()} if unused else None,
        read=reading.done if reading else None,
        read_bytes=reading.size if reading else None,
        read_due=reading.due if reading else None,
        read_complete=reading.is_complete if reading else None,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
