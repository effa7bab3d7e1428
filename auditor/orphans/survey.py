"""What is known before the first reference is read: the roots, what the log says of them, and the routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor import conf
from auditor.auditlog import store
from auditor.auditlog.coverage import Coverage
from auditor.errors import AuditorError
from auditor.journal import triggers
from auditor.journal.columns import column_of, unique
from auditor.models import Root
from auditor.mounts import mounted_in
from auditor.orphans import references
from auditor.orphans.plan import RootSeen
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.orphans.remote import probe
from auditor.orphans.route import Route, RouteKind, decide, words
from auditor.orphans.storages import StorageAdapter
from auditor.roots import MarkerState, identity, refuse_stranger


@dataclass(slots=True, kw_only=True)
class Survey:
    """`totals`: {model: records}; `roots` and `coverages`: {root: …}; `routes`: {field id: Route}.

    `marks`: those of the triggers that journal the writes of a column now: {column id: mark}.
    `unchecked`: the fields that cannot be judged, and why: {field id: reason}.
    """

    using: str
    wanted: RouteKind
    totals: Mapping[str, int]
    marks: dict[str, str] = field(default_factory=dict)
    roots: dict[str, RootSeen] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    def takes(self, one: AuditedField, kind: RouteKind) -> bool:
        """Whether a field takes this route."""
        route = self.routes.get(one.id)
        return route is not None and route.kind is kind


def make_survey(models: Sequence[AuditedModel], *, using: str, wanted: RouteKind = RouteKind.AUTO) -> Survey:
    """Counts the records, makes sure of the roots and chooses the route of every field. Only reads.

    Raises AuditorError if a root that holds files of a main model cannot be read, or is not the folder that the
    database knows (refused: root), or if the log is wanted and cannot answer for such a model.
    A model is main if a person named it for deletion, or if no model was named at all.
    """
    here = references.counts([audited for audited in models if not audited.kept_in], using)
    totals = {audited.id: here.get(audited.id, 0) for audited in models}
    survey = Survey(using=using, wanted=wanted, totals=totals)
    any_named = any(audited.named for audited in models)
    for audited in models:
        if audited.kept_in:
            elsewhere = f"kept in database {audited.kept_in!r}: run with --database {audited.kept_in}"
            survey.unchecked.update(dict.fromkeys((one.id for one in audited.fields), elsewhere))
        for one in audited.fields if totals[audited.id] else ():
            try:
                _choose_route(survey, models, audited, one)
            except AuditorError as error:
                if audited.named or not any_named:
                    raise
                survey.unchecked[one.id] = error.message.rstrip(".")
    return survey


def still_holds(survey: Survey, models: Sequence[AuditedModel]) -> bool:
    """Whether the log can still answer for all fields for which it was asked: what was not there may have been."""
    for root in {one.root for audited in models for one in audited.fields if survey.takes(one, RouteKind.LOG)}:
        before, now = survey.coverages[root or ""].span, store.coverage(root or "", using=survey.using).span
        if before is None or now is None or before.uid != now.uid:
            return False
        marks = marks_of(models, root or "", survey.using)
        if any(survey.marks.get(column) != mark for column, mark in marks.items()):
            return False
    return True


def marks_of(models: Sequence[AuditedModel], root: str, using: str) -> dict[str, str]:
    """{column id: mark} of the triggers of all columns that hold names in this root."""
    watchable = (audited for audited in models if not audited.kept_in)
    columns = [
        column_of(audited.model, one.name) for audited in watchable for one in audited.fields if one.root == root
    ]
    return {column: seen.mark for column, seen in triggers.look(unique(columns), using=using).items()}


def _choose_route(survey: Survey, models: Sequence[AuditedModel], audited: AuditedModel, one: AuditedField) -> None:
    if one.root is None:
        survey.unchecked[one.id] = one.storage_fault
        return
    if one.root not in survey.roots:
        survey.roots[one.root] = look_at_root(one.root, one.adapter, using=survey.using)
        survey.coverages[one.root] = store.coverage(one.root, using=survey.using)
        # Behind the watermark: what went past the triggers before it has changed these.
        if survey.wanted is not RouteKind.SCAN and one.adapter is None:
            survey.marks |= marks_of(models, one.root, survey.using)
    route = decide(
        survey.coverages[one.root],
        field=one.id,
        identity=survey.roots[one.root].identity,
        mark=survey.marks.get(column_of(audited.model, one.name).id, ""),
        allowed_seconds=conf.freshness_seconds(),
        wanted=survey.wanted,
        is_folder=one.adapter is None,
    )
    if survey.wanted is RouteKind.LOG and route.kind is RouteKind.SCAN:
        raise AuditorError(
            f"The audit log cannot answer for {one.id}: {words(route)}.",
            hint="Use --route auto, which scans the disk where it must.",
        )
    survey.routes[one.id] = route


def look_at_root(path: str, adapter: StorageAdapter | None, *, using: str) -> RootSeen:
    """What there is to say of a root, or of the place of an adapter, before its files are looked at. Only reads.

    Raises AuditorError (refused: root) if it cannot be read, or is not the one that the database knows.
    """
    if adapter is not None:
        return RootSeen(path=path, identity=probe(adapter, using=using), is_known=True)
    number = identity(path)
    known = Root.objects.using(using).filter(path=path).first() or Root(path=path)
    state, mounted = refuse_stranger(known, using=using), mounted_in(path)
    return RootSeen(
        path=path,
        identity=number,
        is_known=state is MarkerState.KNOWN,
        mounted=mounted,
        unmounted=tuple(name for name in known.mounts if name not in mounted.names),
    )
