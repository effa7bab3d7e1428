"""What stops a deletion before its first row, or just before its commit: a disk that cannot be believed."""

from collections.abc import Mapping

from auditor.errors import AuditorError, ExitCode
from auditor.orphans.plan import Fate, Orphan, Plan, RootSeen
from auditor.orphans.storages import StorageAdapter
from auditor.orphans.survey import look_at_root


def ensure_a_root(plan: Plan) -> None:
    """Raises AuditorError (refused: root) where records were to be checked, and not one media folder is there."""
    unchecked = [(one.model, reason) for one in plan.main for reason in one.unchecked.values()]
    if not plan.roots and unchecked:
        model, reason = unchecked[0]
        raise AuditorError(
            f"There is no media folder in which the files of {model} could be looked for: {reason}.",
            hint="Look at the storage of its file field.",
            exit_code=ExitCode.REFUSED_ROOT,
        )


def cannot_delete(model: str, orphan: Orphan) -> AuditorError:
    """The error of a run that is to delete all or nothing, and meets a record that may not go."""
    return AuditorError(
        f"{model}:{orphan.key} ({orphan.name}) cannot be deleted: {orphan.why}; so nothing was deleted.",
        hint="Run the command without --on-protected abort to keep such records and delete the others.",
    )


def ensure_unprotected(plan: Plan) -> None:
    """Raises AuditorError (failed) if another record forbids the deletion of one that would go."""
    for finding in plan.findings:
        for orphan in finding.of_fate(Fate.PROTECTED) if finding.named else ():
            raise cannot_delete(finding.model, orphan)


def too_many(plan: Plan, *, command: str) -> AuditorError:
    """The error (refused: limit) of a plan that exceeds its limits; `command` is what the next step begins with."""
    worst = max(excess.orphans for excess in plan.excesses)
    return AuditorError(
        f"{'; '.join(str(excess) for excess in plan.excesses)}: nothing was deleted.",
        hint=f"If the report above is right, run: {command} --max-orphans {worst}",
        exit_code=ExitCode.REFUSED_LIMIT,
    )


def ensure_believable(plan: Plan, *, forced: bool) -> None:
    """Raises AuditorError (refused: root) where the plan rests on a disk that cannot be believed.

    A person at the prompt may still confirm an empty root that nothing proves, having been told what it looks
    like; `forced` may not.
    """
    for root in plan.roots:
        for directory, reason in root.unlisted.items():
            raise AuditorError(
                f"The directory {directory} in {root.path} could not be read ({reason}), so nothing was deleted.",
                hint="Mend its permissions or the disk, and run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )
    for root in plan.unproven if forced else ():
        what = "There is not a single file" if root.is_empty else "Not one file that a record names is"
        raise AuditorError(
            f"{what} in {root.path}, so nothing was deleted.",
            hint="This is what an unmounted volume or a wrong MEDIA_ROOT looks like. If the files are really gone, "
            "run the command without --force and answer yes.",
            exit_code=ExitCode.REFUSED_ROOT,
        )


def ensure_same_roots(plan: Plan, adapters: Mapping[str, StorageAdapter], *, using: str) -> None:
    """Raises AuditorError (refused: root) unless every root, and what is mounted in it, is as the plan saw it."""
    for root in plan.roots:
        now = look_at_root(root.path, adapters.get(root.path), using=using)
        if now.identity != root.identity or now.mounted.holding != root.mounted.holding:
            raise AuditorError(
                f"The media root {root.path} is not the folder it was a moment ago, so nothing was deleted.",
                hint="Something was mounted or moved there: look at it, then run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )
        _ensure_same_mounts(root, now)


def _ensure_same_mounts(before: RootSeen, now: RootSeen) -> None:
    for mount in before.mounted.inside:
        if mount not in now.mounted.inside:
            raise AuditorError(
                f"The file system at {mount.point.decode(errors='backslashreplace')} was mounted a moment ago and "
                "is not now, so nothing was deleted.",
                hint="Mount it, then run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )
