"""What a deletion takes along: what Django's collector has gathered, and what the database itself will do."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.models import Field, QuerySet
from django.db.models.deletion import Collector, get_candidate_relations_to_delete

from auditor.keys import one_of, parts
from auditor.removal.rows import Model, all_rows, concrete

DATABASE_CASCADE, DATABASE_CHANGES = "CASCADE", ("SET NULL", "SET DEFAULT")


@dataclass(frozen=True, slots=True)
class Emptying:
    """Rows in which the deletion sets a key; `is_null` where it sets it to nothing."""

    field: Any
    rows: QuerySet[Any]
    is_null: bool


@dataclass(slots=True)
class Cascade:
    """The rows that one collector's deletion takes and changes.

    `taken` is {model: {key, …}}: a row that is reached in two ways is there once.
    """

    collector: Collector
    using: str
    taken: defaultdict[Model, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def taken_rows(self) -> Iterator[tuple[Model, QuerySet[Any]]]:
        """Queries for all rows that go; whoever reads one adds the keys that it finds to `taken` before the next."""
        for model, instances in self.collector.data.items():
            for keys in parts(instance.pk for instance in instances):
                yield concrete(model), all_rows(concrete(model), self.using).filter(one_of("pk", keys))
        yield from self.unloaded_rows()

    def unloaded_rows(self) -> Iterator[tuple[Model, QuerySet[Any]]]:
        """The same, without the rows that the collector has loaded."""
        for query in self.collector.fast_deletes:
            yield concrete(query.model), query
        yield from self._taken_by_database()

    def _taken_by_database(self) -> Iterator[tuple[Model, QuerySet[Any]]]:
        walked: dict[Any, set[Any]] = defaultdict(set)
        is_growing = True
        while is_growing:
            is_growing = False
            for relation, model in self._relations(DATABASE_CASCADE):
                ahead = self.taken[model] - walked[relation]
                walked[relation] |= ahead
                for keys in parts(ahead):
                    is_growing = True
                    yield relation.model, _pointing(relation, keys, self.using)

    def emptied(self) -> Iterator[Emptying]:
        """The keys that are set in rows that stay, once all that goes is known; some of the rows may go as well."""
        for (changed, value), updates in self.collector.field_updates.items():
            for update in updates:
                yield from self._updated(changed, update, is_null=value is None)
        for operation in DATABASE_CHANGES:
            for relation, model in self._relations(operation):
                for keys in parts(self.taken[model]):
                    is_null = operation == "SET NULL"
                    yield Emptying(relation, _pointing(relation, keys, self.using), is_null)

    def _updated(self, changed: Any, update: Any, *, is_null: bool) -> Iterator[Emptying]:
        if isinstance(update, QuerySet) and update._result_cache is None:
            yield Emptying(changed, update, is_null)
            return
        for keys in parts(instance.pk for instance in update):
            yield Emptying(changed, all_rows(changed.model, self.using).filter(one_of("pk", keys)), is_null)

    def _relations(self, operation: str) -> list[tuple[Any, Model]]:
        """The keys that the database itself cascades to rows that go, each with the model it points to."""
        return [(one, model) for model in list(self.taken) for one in _database_keys(model, operation)]


def keys_to(model: Model) -> list[Any]:
    """The foreign keys that point to a model; those to its parents, whose keys may be others, are theirs."""
    relations: Any = get_candidate_relations_to_delete(model._meta)
    keys = [relation.field for relation in relations]
    return [key for key in keys if concrete(key.remote_field.model) is model]


@cache
def _database_keys(model: Model, operation: str) -> tuple[Any, ...]:
    """The foreign keys to a model whose `on_delete` is carried out by the database, since Django 6.1."""
    return tuple(key for key in keys_to(model) if getattr(key.remote_field.on_delete, "operation", None) == operation)


def _pointing(relation: Any, keys: list[Any], using: str) -> QuerySet[Any]:
    """The rows whose key points to one of these rows."""
    target: Field[Any, Any] = relation.target_field
    rows = all_rows(concrete(relation.model), using)
    if target.primary_key:
        return rows.filter(one_of(relation.attname, keys))
    wanted = all_rows(relation.remote_field.model, using).filter(one_of("pk", keys)).values(target.attname)
    return rows.filter(**{f"{relation.name}__in": wanted})
