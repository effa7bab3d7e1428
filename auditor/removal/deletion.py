"""Deletes records with all that hangs on them, having read every row that goes or changes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.deletion import DO_NOTHING, Collector

from auditor.errors import first_line
from auditor.keys import one_of, parts
from auditor.models import Tombstone
from auditor.removal.cascade import Cascade, keys_to
from auditor.removal.denials import is_denial
from auditor.removal.gathering import Gathering
from auditor.removal.rows import Model, all_rows, fields_of, key_fields, locked, read, read_by_keys
from auditor.removal.tombstones import Note, changed_note, form_of, to_payload, write_down

DELETE_CHUNK = 5_000  # records to a collector
ORPHAN, CASCADE = Tombstone.Kind.ORPHAN.value, Tombstone.Kind.CASCADE.value


@dataclass(slots=True)
class Toll:
    """What deletions take along: {model: rows}, and the keys that they set in rows that stay.

    `emptied` is {field: {key of the row}}.
    """

    taken: Counter[Model] = field(default_factory=Counter)
    emptied: defaultdict[Any, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def take(self, model: Model, keys: Collection[Any]) -> None:
        """Counts rows."""
        self.taken[model] += len(keys)
        self.forget(model, keys)

    def emptied_by_field(self) -> Counter[Any]:
        """In how many rows each key was set."""
        return Counter({one: len(keys) for one, keys in self.emptied.items() if keys})

    def forget(self, model: Model, keys: Collection[Any]) -> None:
        """A key that was emptied in a row that goes later on counts no more."""
        for one, held in self.emptied.items():
            if one.model is model:
                held.difference_update(keys)


@dataclass(frozen=True, slots=True)
class Emptied:
    """A row in which a key is about to be set, and what it holds now; `key_values` are its key's columns."""

    field: Any
    is_null: bool
    key: Any
    key_values: dict[str, Any]
    old: Any


@dataclass(slots=True)
class Deletion:
    """The deletion of one model's records, inside a transaction.

    `refused` are those that another record or the database forbids to delete: {key: reason}.
    """

    model: Model
    run: UUID
    using: str
    toll: Toll
    refused: dict[Any, str] = field(default_factory=dict)

    def execute(self, keys: Sequence[Any]) -> Iterator[list[Any]]:
        """Deletes the records and gives back the keys of those that went, part by part."""
        gathering = Gathering(self.model, self.using, self.refused)
        for some, collector in gathering.parts(keys):
            try:
                with transaction.atomic(self.using):
                    taken, emptied = self._delete(collector, some)
            except DatabaseError as error:
                if not is_denial(error):
                    raise
                yield from self._apart(some, error)
            else:
                for model, gone in taken.items():
                    self.toll.take(model, gone)
                self.toll.forget(self.model, some)
                for one in emptied:
                    self.toll.emptied[one.field].add(one.key)
                yield some

    def _apart(self, keys: list[Any], error: Exception) -> Iterator[list[Any]]:
        if len(keys) == 1:
            self.refused[keys[0]] = f"refused by the database: {first_line(error)}"
            return
        middle = len(keys) // 2
        yield from self.execute(keys[:middle])
        yield from self.execute(keys[middle:])

    def _delete(self, collector: Collector, keys: list[Any]) -> tuple[dict[Model, set[Any]], list[Emptied]]:
        """Deletes, and gives back the keys of the rows that went along, and what was emptied in others."""
        cascade = Cascade(collector, self.using)
        notes = list(self._written(cascade, set(keys)))
        emptied = list(self._emptied(cascade))
        collector.delete()
        self._ensure_nothing_dangles(cascade)
        write_down(notes + list(self._changed(emptied)), self.run, self.using)
        return {**cascade.taken, self.model: cascade.taken[self.model].difference(keys)}, emptied

    def _written(self, cascade: Cascade, orphans: set[Any]) -> Iterator[Note]:
        for model, query in cascade.taken_rows():
            fields = fields_of(model)
            form, label = form_of([one.column for one in fields]), model._meta.label
            own = orphans if model is self.model else ()
            gone = cascade.taken[model]
            for key, *values in read(locked(query), fields):
                if key not in gone:  # it may be reached in two ways
                    gone.add(key)
                    yield (ORPHAN if key in own else CASCADE), label, str(key), to_payload(form, values)

    def _emptied(self, cascade: Cascade) -> Iterator[Emptied]:
        for one in cascade.emptied():
            keys = key_fields(one.field.model)
            columns = [key.column for key in keys]
            gone = cascade.taken[one.field.model]
            for key, old, *values in read(locked(one.rows), [one.field, *keys]):
                if key not in gone:
                    yield Emptied(one.field, one.is_null, key, dict(zip(columns, values, strict=True)), old)

    def _changed(self, emptied: list[Emptied]) -> Iterator[Note]:
        """Notes of the keys that were set; what to is read back, where it is not plainly nothing."""
        set_to: dict[tuple[Any, Any], Any] = {}
        for changed in {one.field for one in emptied if not one.is_null}:
            keys = [one.key for one in emptied if one.field is changed]
            held = read_by_keys(changed.model, keys, [changed], self.using)
            set_to |= {(changed, key): value for key, value in held}
        for one in emptied:
            new = None if one.is_null else set_to.get((one.field, one.key))
            if new != one.old:
                kind, model = Tombstone.Kind.EMPTIED, one.field.model
                yield changed_note(kind, model, one.key, one.key_values, one.field.column, one.old, new)

    def _ensure_nothing_dangles(self, cascade: Cascade) -> None:
        """Raises IntegrityError now where the database would only at the commit, and for all records at once."""
        for model, gone in cascade.taken.items():
            for key in _unguarded_keys(model):
                for some in parts(gone):
                    if all_rows(key.model, self.using).filter(one_of(key.attname, some)).exists():
                        raise IntegrityError(f"{key.model._meta.label} still points to it")


@cache
def _unguarded_keys(model: Model) -> tuple[Any, ...]:
    """The foreign keys to a model that Django leaves as they are, and of which the database would complain."""
    return tuple(
        key
        for key in keys_to(model)
        if key.remote_field.on_delete is DO_NOTHING
        and key.db_constraint
        and key.model._meta.managed
        and key.target_field.primary_key
    )
