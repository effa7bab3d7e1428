"""Plans what comes back of a run: which records, what belongs to them, and what stands in the way. Only reads."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from auditor.errors import AuditorError, ExitCode
from auditor.orphans.disk import Verdict, look_now
from auditor.orphans.registry import AuditedField, audit
from auditor.orphans.remote import look_afar
from auditor.orphans.storages import StorageAdapter
from auditor.orphans.unreferenced import referenced
from auditor.removal.belonging import Belonging, is_record
from auditor.removal.conflicts import Conflict, find_conflicts
from auditor.removal.written import Clash, Written


@dataclass(frozen=True, slots=True)
class Name:
    """A file of a record: the field that names it, the root and the name."""

    field: str
    root: str | None
    name: str
    adapter: StorageAdapter | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """A row that does not come back, and why."""

    row: Written
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for: all records of a run or `only` some, with or without their files."""

    only: tuple[str, ...] = ()
    with_missing_files: bool = False
    skip_conflicts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """What a restore would do: `coming` back are records with all that belongs to them, `away` stay the others.

    Where there are `conflicts`, nothing comes back unless they are to be skipped; `coming` is then without them.
    """

    run: UUID
    belonging: Belonging
    chosen: frozenset[Written]
    coming: frozenset[Written]
    away: tuple[Away, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    skip_conflicts: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether conflicts keep the restore from doing anything."""
        return bool(self.conflicts) and not self.skip_conflicts

    @property
    def records(self) -> list[Written]:
        """The records that come back, in the order in which they went."""
        return [one for one in self.belonging.rows if one in self.coming and is_record(one)]

    @property
    def along(self) -> list[Written]:
        """The rows that come back with them."""
        return [one for one in self._along if one.was_deleted]

    @property
    def _along(self) -> list[Written]:
        return [one for one in self.belonging.rows if one in self.coming and not is_record(one)]

    @property
    def keys(self) -> list[Written]:
        """The keys that are set again."""
        return [one for one in self._along if not one.was_deleted]


def plan_restore(run: UUID, belonging: Belonging, wish: Wish, using: str) -> RestorePlan:
    """What the restore of a run would do.

    Raises AuditorError (usage) if a record that was asked for is not there to be brought back.
    """
    asked = asked_for([one for one in belonging.rows if not one.is_back], wish.only)
    erased = [one for one in asked if one.fault is Clash.ERASED and not wish.only]
    away = [Away(one, "what was kept of it was erased") for one in erased]
    if not wish.with_missing_files:
        away += _without_file([one for one in asked if one not in erased], belonging, using)
    chosen = frozenset(asked) - {one.row for one in away}
    return _settled(run, belonging, chosen, tuple(away), wish.skip_conflicts, using)


def leaving(plan: RestorePlan, left: Sequence[Away]) -> RestorePlan:
    """The plan as it was carried out where these changed rows were left as they are; nothing else needs them."""
    return replace(plan, coming=plan.coming - {one.row for one in left}, away=(*plan.away, *left))


def without(plan: RestorePlan, found: Sequence[Conflict], using: str) -> RestorePlan:
    """The plan with more conflicts, which the database itself has found."""
    return _settled(
        plan.run, plan.belonging, plan.chosen, plan.away, plan.skip_conflicts, using, (*plan.conflicts, *found)
    )


def _settled(
    run: UUID,
    belonging: Belonging,
    chosen: frozenset[Written],
    away: tuple[Away, ...],
    skip_conflicts: bool,
    using: str,
    known: tuple[Conflict, ...] = (),
) -> RestorePlan:
    conflicts = {one.row: one for one in known}
    coming: set[Written] = set()
    erased = [one for one in belonging.rows if one.fault is Clash.ERASED and one not in chosen]
    while True:
        in_the_way = [one.row for one in conflicts.values() if not one.is_mended]
        coming = belonging.coming(chosen, [*erased, *in_the_way])
        ordered = [one for one in belonging.rows if one in coming]
        new = [one for one in find_conflicts(ordered, using) if one.row not in conflicts]
        conflicts |= {one.row: one for one in new}
        if all(one.is_mended for one in new):
            break
    told = {one.row for one in away}
    needing = [
        Away(one, _need_of(one, belonging, coming))
        for one in belonging.rows
        if one in chosen and one not in coming and one not in conflicts and one not in told
    ]
    return RestorePlan(
        run=run,
        belonging=belonging,
        chosen=chosen,
        coming=frozenset(coming),
        away=(*away, *needing),
        conflicts=tuple(conflicts[one] for one in belonging.rows if one in conflicts),
        skip_conflicts=skip_conflicts,
    )


def _need_of(one: Written, belonging: Belonging, coming: Collection[Written]) -> str:
    needed = [str(need) for need in belonging.needs[one] if not need.is_back and need not in coming]
    return f"it needs {min(needed)}, which stays away" if needed else "what belongs to it stays away"


def asked_for(rows: Sequence[Written], only: Sequence[str], *, to_do: str = "to bring back") -> list[Written]:
    """The records among the rows that are named; all of them, if none is.

    Raises AuditorError (usage) if there is no such record.
    """
    records = [one for one in rows if is_record(one)]
    if not only:
        return records
    wanted = {_spelled(text) for text in only}
    unknown = wanted - {_spelled(str(one)) for one in records}
    if unknown:
        raise AuditorError(
            f"The run has no record {min(unknown)} {to_do}.",
            hint="Name a record as it was deleted, such as gallery.Photo:5; --dry-run lists them.",
            exit_code=ExitCode.USAGE,
        )
    return [one for one in records if _spelled(str(one)) in wanted]


def _spelled(text: str) -> str:
    """A record's name with its model in small letters, as Django takes it too."""
    model, _, key = text.partition(":")
    return f"{model.lower()}:{key}"


def _without_file(asked: Sequence[Written], belonging: Belonging, using: str) -> Iterator[Away]:
    """The records that have no file to come back to: it is not there, or it has become another record's."""
    reasons = {one: _missing_file(one, belonging) for one in asked}
    names = {one: list(names_of(one, belonging)) for one in asked if not reasons[one]}
    there = [name for some in names.values() for name in some]
    taken = referenced({_path(name) for name in there}, {name.root for name in there if name.root}, using)
    for one in asked:
        theirs = [name.name for name in names.get(one, ()) if _path(name) in taken]
        if reasons[one] or theirs:
            yield Away(one, reasons[one] or f"another record names {theirs[0]} now")


def _path(name: Name) -> str:
    """The full path; for what is no local file, `referenced` makes one of its root and its name in the same way."""
    return os.path.realpath(os.path.join(name.root or "", name.name))


def _missing_file(one: Written, belonging: Belonging) -> str:
    """Why a record has to stay away; nothing if its files are there."""
    for name in names_of(one, belonging):
        if name.root is None:
            return f"{name.field}: its storage cannot be asked whether {name.name} is there"
        look = look_now(name.root, name.name) if name.adapter is None else look_afar(name.adapter, name.name)
        if look.verdict is not Verdict.PRESENT:
            return f"{name.name}: {look.reason or 'the file is missing'}"
    return ""


def names_of(one: Written, belonging: Belonging) -> Iterator[Name]:
    """The primary files that the record would name once it is back; all its files where none is primary."""
    if one.model is None or not one.row:
        return
    audited = audit(one.model)
    for field in audited.primary or audited.fields:
        value = _held(one, audited.model._meta.get_field(field.name), belonging)
        if isinstance(value, str) and value:
            yield _name(field, value)


def name_of(one: Written, belonging: Belonging) -> Name:
    """The first of the names, or one that says nothing."""
    return next(names_of(one, belonging), Name("", None, ""))


def _held(one: Written, field: Any, belonging: Belonging) -> Any:
    if not one.was_deleted:
        return one.row["old"] if one.row["column"] == field.column else None
    for part in belonging.parts(one):
        if part.model is field.model:
            return part.row.get(field.column)
    return None


def _name(field: AuditedField, value: str) -> Name:
    return Name(field.name, field.root, value, field.adapter)
