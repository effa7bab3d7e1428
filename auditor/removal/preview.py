"""Says before a deletion what it takes along, what it sets to empty, and which records may not go. Only reads."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.db.models import Model as Instance
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.db.models.signals import ModelSignal, post_init

from auditor.auditlog.store import chunks
from auditor.orphans.plan import Fate, Finding, Orphan, Plan
from auditor.orphans.registry import AuditedModel
from auditor.removal import along
from auditor.removal.cascade import Cascade
from auditor.removal.deletion import DELETE_CHUNK, Toll
from auditor.removal.gathering import Gathering, GatheringCollector, protecting
from auditor.removal.neighbours import images_left_unopened
from auditor.removal.rows import Model, concrete

Progress = Callable[[int], object]


def preview(plan: Plan, audited: Sequence[AuditedModel], *, using: str, progress: Progress = lambda _: None) -> Plan:
    """The plan with `taken` and `emptied` filled in, and with those orphans marked that others protect.

    It goes through the same steps as the deletion, in the same order, and so comes to the same rows.
    `progress` is told how many orphans were looked at since the last call.
    """
    by_id = {one.id: one for one in audited}
    seen = Seen()
    refused: dict[tuple[str, Any], str] = {}
    with images_left_unopened():
        for finding in plan.to_do:
            model = by_id[finding.model].model
            for orphans in chunks(finding.of_fate(Fate.DELETE), DELETE_CHUNK):
                foreseen = Foreseeing(model, using, seen=seen)
                for keys, collector in foreseen.parts([orphan.key for orphan in orphans]):
                    seen.count(Cascade(collector, using), model, keys)
                refused |= {(finding.model, key): reason for key, reason in foreseen.refused.items()}
                progress(len(orphans))

    def mark(finding: Finding, orphan: Orphan) -> Orphan:
        reason = refused.get((finding.model, orphan.key))
        return replace(orphan, fate=Fate.PROTECTED, why=reason) if reason else orphan

    toll = seen.toll
    return replace(
        plan.changed(mark) if refused else plan,
        taken=along.taken(toll.taken, [by_id[finding.model].model for finding in plan.to_do]),
        emptied=along.emptied(toll.emptied_by_field()),
    )


@dataclass(slots=True)
class Seen:
    """What the deletions up to now would have taken: {model: keys}; here it is still in the database."""

    taken: defaultdict[Model, set[Any]] = field(default_factory=lambda: defaultdict(set))
    toll: Toll = field(default_factory=Toll)

    def count(self, cascade: Cascade, model: Model, orphans: Sequence[Any]) -> None:
        """Counts what one more deletion would take."""
        for loaded, instances in cascade.collector.data.items():
            cascade.taken[concrete(loaded)].update(instance.pk for instance in instances)
        for taken, query in cascade.unloaded_rows():
            cascade.taken[taken].update(query.order_by().values_list("pk", flat=True))
        for taken, keys in cascade.taken.items():
            new = keys - self.taken[taken]
            self.taken[taken] |= new
            self.toll.take(taken, new.difference(orphans) if taken is model else new)
        self.toll.forget(model, orphans)
        for one in cascade.emptied():
            gone = self.taken[one.field.model]
            held = one.rows.order_by().values_list("pk", flat=True)
            self.toll.emptied[one.field].update(key for key in held if key not in gone)


def _bare(model: Model, using: str, values: dict[str, Any]) -> Instance:
    """A record of which only these values are at hand; the others would be loaded where they are asked for."""
    instance, state = model.__new__(model), ModelState()
    state.adding, state.db = False, using
    instance.__dict__.update(values, _state=state)
    return instance


class ForeseeingCollector(GatheringCollector):
    """A collector to which rows that would be gone by now do not count."""

    def __init__(self, using: str, origin: Any, gone: dict[Model, set[Any]]) -> None:
        super().__init__(using=using, origin=origin)
        self.gone = gone

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().related_objects(related_model, related_fields, objs)
        gone = self.gone.get(concrete(related_model))
        return rows.exclude(pk__in=gone) if gone else rows


@dataclass(slots=True)
class Foreseeing(Gathering):
    """A gathering in which the rows that earlier deletions would have taken protect nothing any more."""

    seen: Seen = field(default_factory=Seen)
    gone: dict[Model, set[Any]] = field(default_factory=dict)
    signals: ClassVar[tuple[ModelSignal, ...]] = (post_init,)

    def collector(self, origin: Any) -> Collector:
        return ForeseeingCollector(self.using, origin, self.gone)

    def instances(self, keys: Sequence[Any]) -> list[Instance]:
        [*needed] = self.needed()
        if len(needed) != 1 or len(self.model._meta.pk_fields) != 1:
            return Gathering.instances(self, keys)
        # Nothing but the key is asked for, and that is known: to load a record for it would be most of the time.
        return [_bare(self.model, self.using, {needed[0]: key}) for key in keys]

    def collected(self, keys: Sequence[Any]) -> Collector:
        while True:
            try:
                return Gathering.collected(self, keys)
            except (ProtectedError, RestrictedError) as error:
                if not self._is_gone_by_then(error):
                    raise

    def _is_gone_by_then(self, error: ProtectedError | RestrictedError) -> bool:
        """Whether some of the protecting rows would be gone by then; from now on they do not count."""
        fresh = False
        for one in protecting(error):
            model = concrete(type(one))
            known = self.gone.setdefault(model, set())
            if one.pk in self.seen.taken[model] and one.pk not in known:
                known.add(one.pk)
                fresh = True
        return fresh
