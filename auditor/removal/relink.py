"""Points records at the new names of their files, inside the removal's transaction.

Only the columns are written: no `save()` runs and no signal is sent, so that no ImageField opens a file, and nothing
of the host project takes the change of a name for an upload.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db import IntegrityError, transaction

from auditor.auditlog import store
from auditor.auditlog.events import RecordRelinked
from auditor.models import Tombstone
from auditor.orphans import references
from auditor.orphans.disk import Verdict, is_plain_file, look_now
from auditor.orphans.plan import Kept, Move, Orphan, Relinked
from auditor.orphans.registry import AuditedModel
from auditor.removal.rows import all_rows, key_fields, read_by_keys
from auditor.removal.tombstones import Note, changed_note, write_down

Held: TypeAlias = dict[str, tuple[Any, str]]  # {field: (key in the table that has its column, name)}


class ChangedMeanwhileError(Exception):
    """A column does not hold what it held when its row was locked."""


@dataclass(slots=True)
class Relinking:
    """The relinking of one model's orphans, inside the transaction."""

    audited: AuditedModel
    run: UUID
    using: str
    unmounted: Mapping[str, Sequence[str]]
    done: list[Orphan] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def execute(self, orphans: Sequence[Orphan], progress: Any) -> None:
        """Relinks what still can be, `store.CHUNK` records at a time."""
        for some in store.chunks(orphans, store.CHUNK):
            held = self._locked([orphan.key for orphan in some])
            written: list[Note] = []
            for orphan in some:
                written += self._relink(orphan, held.get(orphan.key))
            write_down(written, self.run, self.using)
            progress(len(some))

    def log(self, now: datetime) -> Iterator[Relinked]:
        """Appends an event for each column that was changed."""
        roots = {
            one.name: store.register_root(one.root, using=self.using).pk
            for one in self.audited.fields
            if one.root and self.done
        }
        for some in store.chunks(self.done, store.BATCH):
            events = [self._event(orphan, move, roots, now) for orphan in some for move in orphan.moves]
            batch = store.append(events, using=self.using)
            assert batch is not None  # there are events
            position = batch.first_position
            for orphan in some:
                yield Relinked(model=self.audited.id, orphan=orphan, position=position)
                position += len(orphan.moves)

    def _event(self, orphan: Orphan, move: Move, roots: dict[str, int], now: datetime) -> RecordRelinked:
        return RecordRelinked(
            root=roots[move.field],
            path=move.name,
            occurred_at=now,
            run_id=self.run,
            model=self.audited.id,
            key=str(orphan.key),
            field=move.field,
            to=move.to,
        )

    def _locked(self, keys: list[Any]) -> dict[Any, Held]:
        names = [one.name for one in self.audited.fields]
        owners = [f"{path_to_owner(self.audited, name)}pk" for name in names]
        rows = references.rows(self.audited, self.using).select_for_update().filter(pk__in=keys).order_by("pk")
        return {
            key: {name: (values[at], values[at + len(names)]) for at, name in enumerate(names)}
            for key, *values in rows.values_list("pk", *owners, *names)
        }

    def _relink(self, orphan: Orphan, held: Held | None) -> list[Note]:
        """Changes the columns of one record, all or none; what is written down of that."""
        settled, reason = self._reason_to_keep(orphan, held)
        if held is not None and not reason:
            try:
                with transaction.atomic(self.using):
                    notes = [self._change(move, held[move.field][0]) for move in orphan.moves]
                self.done.append(orphan)
                return notes
            except IntegrityError:
                reason = "the database refuses the new name: another record may hold it"
            except ChangedMeanwhileError:
                settled, reason = True, "the record has got another file"
        self.kept.append(Kept(model=self.audited.id, orphan=orphan, reason=reason, is_settled=settled))
        return []

    def _reason_to_keep(self, orphan: Orphan, held: Held | None) -> tuple[bool, str]:
        """Whether the record need not be changed any more, and why; no reason if it can be."""
        if held is None:
            return True, "the record is gone already"
        roots = {one.name: one.root or "" for one in self.audited.fields}
        for move in orphan.moves:
            if held[move.field][1] != move.name:
                return True, "the record has got another file"
            root = roots[move.field]
            look = look_now(root, move.name, self.unmounted.get(root, ()))
            if look.verdict is not Verdict.MISSING:
                return look.verdict is Verdict.PRESENT, look.reason or "the file is back"
            if not is_plain_file(root, move.to):
                return False, f"the file is not at {move.to} any more"
        return False, ""

    def _change(self, move: Move, key: Any) -> Note:
        column: Any = self.audited.model._meta.get_field(move.field)
        keys = key_fields(column.model)
        [(_, *key_values)] = read_by_keys(column.model, [key], keys, self.using)
        # In the table that has the column: for a child's, Django would choose the rows by a query of its own first.
        rows = all_rows(column.model, self.using).filter(pk=key, **{move.field: move.name})
        if rows.update(**{move.field: move.to}) != 1:
            raise ChangedMeanwhileError
        stored = {one.column: value for one, value in zip(keys, key_values, strict=True)}
        return changed_note(Tombstone.Kind.RELINKED, column.model, key, stored, column.column, move.name, move.to)


def path_to_owner(audited: AuditedModel, field: str) -> str:
    """The lookup from a record to the row that has the field's column: empty, or 'document_ptr__' and so on."""
    options = audited.model._meta
    owner = options.get_field(field).model
    steps = options.get_path_to_parent(owner) if owner is not audited.model else []
    return "".join(f"{step.join_field.name}__" for step in steps)
