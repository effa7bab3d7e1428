"""A clean-up of unused files as lines of the JSON log."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from auditor import catalogue_of_files as catalogue
from auditor.catalogue import LogLine
from auditor.errors import ExitCode
from auditor.usage.bins import Bin
from auditor.usage.plan import FilesOutcome, UnusedPlan
from auditor.usage.settling import Settled


def plan_made(plan: UnusedPlan) -> Iterator[LogLine]:
    """What was found, root by root, and every unused file."""
    for root in plan.roots:
        yield catalogue.UnusedPlanned(
            root=root.path,
            files=root.files,
            named=root.named,
            unused=len(root.unused),
            bytes=root.bytes,
            kept={str(kind.value): count for kind, count in root.kept.items()},
            unlisted=list(root.unlisted),
        )
        for one in root.unused:
            yield catalogue.FileUnused(
                root=root.path,
                path=_text(one.name),
                size=one.size,
                modified_at=datetime.fromtimestamp(one.modified_ns / 1_000_000_000, UTC).isoformat(),
            )
    for folder, reason in plan.left_out.items():
        yield catalogue.RootLeftOut(root=folder, reason=reason)


def executed(outcome: FilesOutcome) -> Iterator[LogLine]:
    """What went, what came back, and what stayed."""
    for one in outcome.trashed:
        yield catalogue.FileTrashed(root=one.root, path=_text(one.name), to=_text(one.to), size=one.size)
    for one in outcome.untrashed:
        yield catalogue.FileUntrashed(root=one.root, path=_text(one.name), trashed_by=one.run)
    for one in outcome.freed:
        yield catalogue.FileFreed(root=one.root, path=_text(one.name), trashed_by=one.run, size=one.size)
    for one in outcome.kept:
        yield catalogue.FileKept(root=one.root, path=_text(one.name), reason=one.reason)


def _text(name: bytes) -> str:
    # With a surrogate for a byte that is no UTF-8, as the log knows them.
    return name.decode(errors="surrogateescape")


def trash_listed(bins: Iterable[Bin]) -> Iterator[LogLine]:
    """What is in the trash."""
    for one in bins:
        yield catalogue.TrashListed(
            root=one.root,
            trashed_by=str(one.run),
            trashed_at=one.finished_at.isoformat() if one.finished_at else None,
            files=one.files,
            bytes=one.bytes,
            is_known=one.finished_at is not None,
        )


def settled(runs: Iterable[Settled]) -> Iterator[LogLine]:
    """Earlier runs that did not reach their end."""
    for one in runs:
        yield catalogue.RunSettled(settled=str(one.run), corrected=one.corrected, put_back=one.put_back)


def completed(
    plan: UnusedPlan, outcome: FilesOutcome, *, command: str, dry_run: bool, exit_code: ExitCode, duration_ms: int
) -> LogLine:
    """The last line of a run."""
    return catalogue.FilesCompleted(
        command=command,
        dry_run=dry_run,
        exit_code=int(exit_code),
        duration_ms=duration_ms,
        unused_total=plan.total,
        unused_bytes=plan.bytes,
        trashed_total=len(outcome.trashed),
        untrashed_total=len(outcome.untrashed),
        freed_total=len(outcome.freed),
        freed_bytes=sum(one.size for one in outcome.freed),
        kept_total=len(outcome.kept),
    )
