"""What stops a clean-up of unused files before its first move."""

from auditor.errors import AuditorError, ExitCode
from auditor.limits import Limit
from auditor.marker import how_to_register
from auditor.usage.plan import UnusedPlan
from auditor.usage.report import files


def ensure_believable(plan: UnusedPlan, *, forced: bool, using: str) -> None:
    """Raises AuditorError (refused: root) where not one file of a root is named: a wrong database, or a wrong root.

    A person at the prompt may still confirm it for a root that the database knows; `forced` may not.
    """
    for root in plan.roots:
        if not root.is_unproven or (root.is_known and not forced):
            continue
        hint = "This is what a wrong database or a wrong MEDIA_ROOT looks like. "
        if root.is_known:
            hint += "If the files are really unused, run the command without --force and answer yes."
        else:
            hint += how_to_register(root.path, using)
        raise AuditorError(
            f"Not one of the {files(root.files)} in {root.path} is named by a record, so nothing was moved.",
            hint=hint,
            exit_code=ExitCode.REFUSED_ROOT,
        )


def ensure_within(limit: Limit | None, plan: UnusedPlan) -> None:
    """Raises AuditorError (refused: limit) if there are more unused files than the limit allows."""
    every = sum(root.files for root in plan.roots)
    if limit is None or limit.allows(plan.total, every):
        return
    raise AuditorError(
        f"{plan.total:,} of {files(every)} would be moved, more than {limit}: nothing was moved.",
        hint=f"If the report above is right, run the command with --max-files {plan.total}",
        exit_code=ExitCode.REFUSED_LIMIT,
    )
