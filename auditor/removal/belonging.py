"""What belongs together among the rows of one run: a row comes back only with all that it points to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import models

from auditor.models import Tombstone
from auditor.removal.rows import Model, all_rows
from auditor.removal.runs import RECORDS
from auditor.removal.written import Written


class Belonging:
    """The rows that a run wrote down, and which of them need which.

    A row needs the rows of the run that its foreign keys and generic foreign keys point to; the parts of a
    multi-table record need one another; a changed row needs itself and what its key pointed to.
    """

    def __init__(self, rows: Iterable[Written], using: str) -> None:
        self.rows = list(rows)
        self._using = using
        self._by_key = {(one.label, one.key): one for one in self.rows if one.was_deleted}
        self._by_value: dict[Any, dict[Any, Written]] = {}
        self._types: dict[tuple[Model, Any], Model | None] = {}
        self.needs: defaultdict[Written, set[Written]] = defaultdict(set)
        self._needed_by: defaultdict[Written, set[Written]] = defaultdict(set)
        for one in self.rows:
            for needed in self._needed(one):
                self._need(one, needed)

    def _need(self, one: Written, needed: Written) -> None:
        if one is not needed:
            self.needs[one].add(needed)
            self._needed_by[needed].add(one)

    def _needed(self, one: Written) -> Iterator[Written]:
        if one.model is None or not one.row:
            return
        if not one.was_deleted:
            yield from self._needed_by_change(one)
            return
        for key in foreign_keys(one.model):
            target = self._target(key, one.row.get(key.column))
            if target is not None:
                yield target
                if key.remote_field.parent_link:
                    self._need(target, one)
        for generic in _generic_keys(one.model):
            target = self._generic_target(one, generic)
            if target is not None:
                yield target

    def _needed_by_change(self, one: Written) -> Iterator[Written]:
        assert one.model is not None  # asked before
        changed = next((key for key in foreign_keys(one.model) if key.column == one.row["column"]), None)
        target = self._target(changed, one.row["old"]) if changed is not None else None
        if target is not None:
            yield target
        if (one.label, one.key) in self._by_key:  # it went as well, later in the run
            yield self._by_key[one.label, one.key]

    def _target(self, key: Any, value: Any) -> Written | None:
        """The row of this run to which a stored value of a foreign key points."""
        if value is None:
            return None
        target = key.target_field
        if target.primary_key:
            return self._by_key.get((target.model._meta.label, str(target.to_python(value))))
        if target not in self._by_value:
            same = (one for one in self.rows if one.was_deleted and one.model is target.model)
            self._by_value[target] = {one.row.get(target.column): one for one in same}
        return self._by_value[target].get(value)

    def _generic_target(self, one: Written, generic: Any) -> Written | None:
        options = generic.model._meta
        kind, key = options.get_field(generic.ct_field), options.get_field(generic.fk_field)
        model = self._model_of_type(kind, one.row.get(kind.column))
        value = one.row.get(key.column)
        if model is None or value is None:
            return None
        while True:  # a generic key may be known by the child of a multi-table record, or by its parent
            text = str(model._meta.pk.to_python(value))
            found = self._by_key.get((model._meta.label, text))
            parents = [parent for parent, link in model._meta.parents.items() if link is not None]
            if found is not None or not parents:
                return found
            model = parents[0]

    def _model_of_type(self, kind: Any, number: Any) -> Model | None:
        types = kind.remote_field.model
        if (types, number) not in self._types:
            found = all_rows(types, self._using).filter(pk=number).first()
            model = found.model_class() if found is not None else None
            self._types[types, number] = model and model._meta.concrete_model
        return self._types[types, number]

    def parts(self, one: Written) -> Iterator[Written]:
        """The row and those of its multi-table parents."""
        yield one
        for key in foreign_keys(one.model) if one.model and one.row else ():
            if key.remote_field.parent_link:
                parent = self._target(key, one.row.get(key.column))
                if parent is not None:
                    yield from self.parts(parent)

    def coming(self, chosen: Collection[Written], left_out: Collection[Written] = ()) -> set[Written]:
        """All that comes back with the chosen records, without what is left out and what needs that."""
        staying = {one for one in self.rows if not one.is_back and (one in left_out or _is_unchosen(one, chosen))}
        if staying:  # nobody knows to whom these belong: they come with the last of the records
            staying |= {one for one in self.rows if not one.is_back and self._is_alone(one)}
        pending = list(staying)
        while pending:
            dependents = self._needed_by[pending.pop()] - staying
            staying |= dependents
            pending += dependents
        return {one for one in self.rows if not one.is_back and one not in staying}

    def with_dependents(self, records: Collection[Written]) -> set[Written]:
        """The records and what cannot come back without them, other records left aside."""
        reached, pending = set(records), list(records)
        while pending:
            fresh = {one for one in self._needed_by[pending.pop()] if one not in reached and not is_record(one)}
            reached |= fresh
            pending += fresh
        return reached

    def _is_alone(self, one: Written) -> bool:
        return one.kind not in RECORDS and not self.needs[one]


def _is_unchosen(one: Written, chosen: Collection[Written]) -> bool:
    return one.kind in RECORDS and one not in chosen


def foreign_keys(model: Model) -> list[Any]:
    """The foreign keys in the model's own table."""
    return [one for one in model._meta.local_concrete_fields if isinstance(one, models.ForeignKey)]


def _generic_keys(model: Model) -> list[Any]:
    return [one for one in model._meta.private_fields if hasattr(one, "ct_field") and hasattr(one, "fk_field")]


def is_record(one: Written) -> bool:
    """Whether the run took this row for itself, and not along with another."""
    return one.kind in (Tombstone.Kind.ORPHAN, Tombstone.Kind.RELINKED)
