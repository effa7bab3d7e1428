"""Which new names a record could hold."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from auditor.auditlog.store import CHUNK, chunks
from auditor.orphans import references
from auditor.orphans.plan import Plan
from auditor.orphans.registry import AuditedModel


@dataclass(frozen=True, slots=True)
class Column:
    """How long a name may be, and which names are taken where no two records may hold the same."""

    longest: int | None
    taken: frozenset[str] = frozenset()

    def objection(self, name: str) -> str:
        """Why no further record can hold the name, or nothing."""
        if self.longest is not None and len(name) > self.longest:
            return f"the name has {len(name)} characters, and the column takes {self.longest}"
        return "another record holds the name, and only one may" if name in self.taken else ""


def columns_of(
    plan: Plan, audited: Sequence[AuditedModel], new_name: Callable[[str, str, str], str], *, using: str
) -> dict[tuple[str, str], Column]:
    """{(model, field): Column} of what orphans miss; `new_name` gives the name to come, or nothing, for
    (model, field, missing name).
    """
    names: dict[tuple[str, str], set[str]] = {}
    for finding, orphan in plan.orphans():
        for field, name in orphan.missing:
            names.setdefault((finding.model, field), set()).add(new_name(finding.model, field, name))
    by_id = {one.id: one for one in audited}
    return {
        (model, field): column_of(by_id[model], field, some - {""}, using) for (model, field), some in names.items()
    }


def column_of(audited: AuditedModel, field: str, names: Iterable[str], using: str) -> Column:
    """What is to be known of a file field before it is given one of these names."""
    column: Any = audited.model._meta.get_field(field)
    taken: set[str] = set()
    if is_unique(column):
        for some in chunks(sorted(names), CHUNK):
            held = references.rows(audited, using).filter(**{f"{field}__in": some})
            taken.update(held.values_list(field, flat=True))
    return Column(column.max_length, frozenset(taken))


def is_unique(column: Any) -> bool:
    """Whether the database refuses a name that another record holds, whatever else is in the records."""
    constraints = column.model._meta.constraints
    return column.unique or any(
        isinstance(one, models.UniqueConstraint) and one.fields == (column.name,) and one.condition is None
        for one in constraints
    )
