"""Makes plans and executes them, without the command around it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from auditor.orphans.finder import find
from auditor.orphans.plan import Outcome, Plan
from auditor.orphans.registry import AuditedModel, audited_models
from auditor.orphans.survey import make_survey
from auditor.removal.remove import remove
from auditor.removal.runs import RunFacts

RUN = RunFacts(
    uid=UUID("00000000-0000-4000-8000-000000000001"),
    command="cleanup_orphaned_media",
    user="ann",
    started_at=datetime(2026, 3, 1, 10, 2, 11, 500, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and the models that it is about."""

    plan: Plan
    audited: list[AuditedModel]

    def execute(self, progress: Callable[[int], object] = lambda _: None, run: RunFacts = RUN) -> Outcome:
        return remove(self.plan, self.audited, run, using="default", progress=progress)


def planned(*models: str) -> Planned:
    """What would be deleted now; of these models, or of those that the settings name."""
    audited = audited_models(models)
    return Planned(find(audited, make_survey(audited, using="default")), audited)


def kept(outcome: Outcome) -> list[tuple[str, object, str, bool]]:
    """Each record that stayed: (model, key, reason, is settled)."""
    return [(one.model, one.orphan.key, one.reason, one.is_settled) for one in outcome.kept]


def deleted(outcome: Outcome) -> list[tuple[str, object, int]]:
    """Each record that went: (model, key, position of its event)."""
    return [(one.model, one.orphan.key, one.position) for one in outcome.deleted]
