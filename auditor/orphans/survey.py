"""What is known before the first reference is read: the roots, what the log says of them, and the routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.coverage import Coverage
from auditor.errors import AuditorError
from auditor.orphans import references
from auditor.orphans.disk import identity
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.orphans.route import Route, RouteKind, decide, words


@dataclass(slots=True, kw_only=True)
class Survey:
    """`totals`: {model: records}; `identities` and `coverages`: {root: …}; `routes`: {field id: Route}.

    `unchecked`: the fields that cannot be judged, and why: {field id: reason}.
    """

    using: str
    wanted: RouteKind
    totals: Mapping[str, int]
    identities: dict[str, str] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    def takes(self, one: AuditedField, kind: RouteKind) -> bool:
        """Whether a field takes this route."""
        route = self.routes.get(one.id)
        return route is not None and route.kind is kind


def make_survey(models: Sequence[AuditedModel], *, using: str, wanted: RouteKind = RouteKind.AUTO) -> Survey:
    """Counts the records, makes sure of the roots and chooses the route of every field. Only reads.

    Raises AuditorError if a root that holds files of a main model cannot be read (refused: root), or if the
    log is wanted and cannot answer for such a model.
    A model is main if a person named it for deletion, or if no model was named at all.
    """
    totals = {audited.id: references.count(audited, using) for audited in models}
    survey = Survey(using=using, wanted=wanted, totals=totals)
    any_named = any(audited.named for audited in models)
    for audited in models:
        for one in audited.fields if totals[audited.id] else ():
            try:
                _choose_route(survey, one)
            except AuditorError as error:
                if audited.named or not any_named:
                    raise
                survey.unchecked[one.id] = error.message.rstrip(".")
    return survey


def _choose_route(survey: Survey, one: AuditedField) -> None:
    if one.root is None:
        survey.unchecked[one.id] = one.storage_fault
        return
    if one.root not in survey.identities:
        survey.identities[one.root] = identity(one.root)
        survey.coverages[one.root] = store.coverage(one.root, using=survey.using)
    route = decide(
        survey.coverages[one.root],
        field=one.id,
        identity=survey.identities[one.root],
        allowed_seconds=conf.freshness_seconds(),
        wanted=survey.wanted,
    )
    if survey.wanted is RouteKind.LOG and route.kind is RouteKind.SCAN:
        raise AuditorError(
            f"The audit log cannot answer for {one.id}: {words(route)}.",
            hint="Use --route auto, which scans the disk where it must.",
        )
    survey.routes[one.id] = route
