"""Gathers what a deletion takes with Django's own collector, and tells apart what other records protect."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, ClassVar, TypeAlias, cast

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.deletion import (
    PROTECT,
    RESTRICT,
    Collector,
    ProtectedError,
    RestrictedError,
    get_candidate_relations_to_delete,
)
from django.db.models.signals import ModelSignal, post_delete, post_init, pre_delete

from auditor.auditlog.store import CHUNK, chunks
from auditor.keys import one_of, parts, plain
from auditor.removal.rows import Model, all_rows

Forbidden: TypeAlias = ProtectedError | RestrictedError
FROM_DB = cast("Any", models.Model.from_db).__func__


class GatheringCollector(Collector):
    """Django's collector, which finds the rows that point to a batch in less time."""

    def get_del_batches(self, objs: Any, fields: Any) -> Any:
        if all(isinstance(one, models.ForeignKey) and _is_a_number(one.target_field) for one in fields):
            return [objs]  # whole numbers are one parameter, however many they are
        return super().get_del_batches(objs, fields)

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> QuerySet[Any]:
        if not all(isinstance(one, models.ForeignKey) for one in related_fields):
            return super().related_objects(related_model, related_fields, objs)
        conditions = (one_of(one.attname, _pointed_at(one, objs)) for one in related_fields)
        rows: QuerySet[Any] = related_model._base_manager.using(self.using)
        return rows.filter(reduce(or_, map(Q, conditions)))


@dataclass(slots=True)
class Gathering:
    """Collects records of one model; `refused` are those that may not go: {key: reason}."""

    model: Model
    using: str
    refused: dict[Any, str] = field(default_factory=dict)
    signals: ClassVar[tuple[ModelSignal, ...]] = (post_init, pre_delete, post_delete)  # that a deletion sends

    def parts(self, keys: Sequence[Any]) -> Iterator[tuple[list[Any], Collector]]:
        """The keys that no other record protects, with what their deletion takes; mostly in one part."""
        if not keys:
            return
        try:
            collector = self.collected(keys)
        except (ProtectedError, RestrictedError) as error:
            yield from self._without_protected(keys, error)
        else:
            yield list(keys), collector

    def collected(self, keys: Sequence[Any]) -> Collector:
        """What the deletion of these records takes; raises as Django's collector does."""
        collector = self.collector(all_rows(self.model, self.using).filter(one_of("pk", keys)))
        collector.collect(self.instances(keys))
        return collector

    def instances(self, keys: Sequence[Any]) -> list[models.Model]:
        """The records, with the columns that a deletion asks of them."""
        rows, needed = all_rows(self.model, self.using), self.needed()
        if needed:
            rows = rows.only("pk", *needed)
        return [one for some in parts(keys) for one in rows.filter(one_of("pk", some))]

    def needed(self) -> set[str]:
        """The columns that a deletion asks of a record, those at which foreign keys point; nothing for all of them."""
        options = self.model._meta
        is_heard = any(signal.has_listeners(self.model) for signal in self.signals)
        if options.parents or is_heard or not _is_made_plainly(self.model):
            return set()  # a parent is made of its child's columns, and who listens may want any of them
        relations: Any = get_candidate_relations_to_delete(options)
        pointed_at = (one.attname for relation in relations for one in relation.field.foreign_related_fields)
        return {options.pk.attname, *pointed_at}

    def collector(self, origin: Any) -> Collector:
        """A collector of this gathering."""
        return GatheringCollector(using=self.using, origin=origin)

    def _without_protected(self, keys: Sequence[Any], error: Forbidden) -> Iterator[tuple[list[Any], Collector]]:
        """Leaves out whatever the protecting records point to; halves where they point to what hangs on a record."""
        wanted = set(keys)
        pointed = {key: labels for key, labels in self._pointed_at(error).items() if key in wanted}
        if pointed:
            self.refused |= {key: _protected_by(labels) for key, labels in pointed.items()}
            yield from self.parts([key for key in keys if key not in pointed])
        elif len(keys) == 1:
            self.refused[keys[0]] = _protected_by({one._meta.label for one in protecting(error)})
        else:
            middle = len(keys) // 2
            yield from self.parts(keys[:middle])
            yield from self.parts(keys[middle:])

    def _pointed_at(self, error: Forbidden) -> dict[Any, set[str]]:
        """{key: labels of the models of the records that protect it}, of the model's own records."""
        pointed: defaultdict[Any, set[str]] = defaultdict(set)
        by_model: defaultdict[Model, list[Any]] = defaultdict(list)
        for one in protecting(error):
            by_model[type(one)].append(one.pk)
        for model, keys in by_model.items():
            for key in self._protecting_keys(model):
                for some in chunks(keys, CHUNK):
                    held = all_rows(model, self.using).filter(pk__in=some)
                    for target in held.values_list(f"{key.name}__pk", flat=True):
                        pointed[target].add(model._meta.label)
        return pointed

    def _protecting_keys(self, model: Model) -> Iterator[models.ForeignKey[Any, Any]]:
        for one in model._meta.concrete_fields:
            if not isinstance(one, models.ForeignKey) or one.remote_field.on_delete not in (PROTECT, RESTRICT):
                continue
            if one.remote_field.model._meta.concrete_model is self.model._meta.concrete_model:
                yield one


def _pointed_at(key: Any, objs: Collection[models.Model]) -> list[Any]:
    """What a key holds that points to one of these; nothing points to a record that lacks the value."""
    held = (getattr(instance, key.target_field.attname) for instance in objs)
    return [value for value in held if value is not None]


def _is_a_number(field: Any) -> bool:
    kind = plain(field)
    return isinstance(kind, models.IntegerField) and not hasattr(kind, "from_db_value")


def _is_made_plainly(model: Model) -> bool:
    """Whether a record is made as Django does: what the host does besides may want any column."""
    return model.__init__ is models.Model.__init__ and getattr(model.from_db, "__func__", None) is FROM_DB


def protecting(error: Forbidden) -> Collection[models.Model]:
    """The records that forbid a deletion."""
    return error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects


def _protected_by(labels: Collection[str]) -> str:
    return f"protected by {', '.join(sorted(labels))}"
