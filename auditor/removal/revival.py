"""Writes rows back as they were, past models and signals, and finds out which of them the database refuses."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connections, transaction

from auditor import bulk
from auditor.auditlog.store import chunks
from auditor.errors import first_line
from auditor.removal.belonging import foreign_keys
from auditor.removal.conflicts import Conflict
from auditor.removal.denials import is_denial
from auditor.removal.restore_plan import Away
from auditor.removal.rows import Model, fields_of, present
from auditor.removal.sequences import keep_ahead
from auditor.removal.written import Clash, Written

AT_ONCE = 1_000  # rows to a savepoint


@dataclass(slots=True)
class Revival:
    """Rows on their way back, inside a transaction.

    `refused` are those that the database did not take: then all that was written is to be rolled back.
    `left` are the changed rows whose column somebody has set since, or that are gone, each with its reason.
    """

    using: str
    refused: list[Conflict] = field(default_factory=list)
    left: list[Away] = field(default_factory=list)

    def write(self, rows: Sequence[Written]) -> None:
        """Inserts the rows that went, those that others point to first, then sets the columns that were changed."""
        by_model: defaultdict[Model, list[Written]] = defaultdict(list)
        for one in rows:
            if one.was_deleted and one.model is not None:
                by_model[one.model].append(one)
        for model in in_order(list(by_model)):
            for some in chunks(by_model[model], AT_ONCE):
                self._insert(model, some)
            keep_ahead(model, [one.row for one in by_model[model]], self.using)
        # The newest change first: a column that was changed twice gets back what it held before the first.
        for one in reversed([one for one in rows if not one.was_deleted]):
            self._set_back(one)

    def _insert(self, model: Model, rows: list[Written]) -> None:
        try:
            with transaction.atomic(self.using):
                self._insert_all(model, rows)
        except DatabaseError as error:
            if not is_denial(error):
                raise
            if len(rows) == 1:
                self.refused.append(Conflict(rows[0], Clash.REFUSED, f"the database refuses it: {first_line(error)}"))
                return
            middle = len(rows) // 2
            self._insert(model, rows[:middle])
            self._insert(model, rows[middle:])

    def _insert_all(self, model: Model, rows: list[Written]) -> None:
        columns = list(rows[0].row)
        added = _defaults(model, columns, self.using)
        fields = {field.column: field for field in fields_of(model)}
        values = [[*(one.row[column] for column in columns), *added.values()] for one in rows]
        bulk.insert([fields[column] for column in (*columns, *added)], values, self.using, is_plain=not added)

    def _set_back(self, one: Written) -> None:
        """Sets one column to what it held, if it still holds what the run set it to."""
        assert one.model is not None  # rows without a model are conflicts
        by_column = {each.column: each for each in fields_of(one.model)}
        keys, changed = [by_column[column] for column in one.row["key"]], by_column[one.row["column"]]
        values = tuple(one.row["key"].values())
        quote = connections[self.using].ops.quote_name
        where = " AND ".join(f"{quote(key.column)} = %s" for key in keys)
        held = one.row["new"]
        same = f"{quote(changed.column)} IS NULL" if held is None else f"{quote(changed.column)} = %s"
        table = quote(one.model._meta.db_table)
        sql = f"UPDATE {table} SET {quote(changed.column)} = %s WHERE {where} AND {same}"  # noqa: S608 - quoted names
        given = [one.row["old"], *values, *([] if held is None else [held])]
        try:
            with transaction.atomic(self.using), connections[self.using].cursor() as cursor:
                cursor.execute(sql, given)
                is_set = cursor.rowcount > 0
            if not is_set:
                is_there = present(keys, [values], self.using)
                reason = f"its {changed.column} was set by somebody since" if is_there else "the row is gone"
                self.left.append(Away(one, reason))
        except DatabaseError as error:
            if not is_denial(error):
                raise
            self.refused.append(Conflict(one, Clash.REFUSED, f"the database refuses it: {first_line(error)}"))


def _defaults(model: Model, columns: list[str], using: str) -> dict[str, Any]:
    """{column: value} of the columns that the rows were written down without; the database fills in the rest."""
    connection = connections[using]
    fresh = (one for one in fields_of(model) if one.column not in columns and one.has_default())
    return {one.column: one.get_db_prep_save(one.get_default(), connection) for one in fresh}


def in_order(wanted: list[Model]) -> list[Model]:
    """The models, each behind those that its foreign keys point to; where they point in a circle, in any order."""
    ordered: dict[Model, None] = {}

    def visit(model: Model, above: frozenset[Model]) -> None:
        for key in foreign_keys(model):
            target = key.target_field.model
            if target in wanted and target not in above and target not in ordered:
                visit(target, above | {target})
        ordered[model] = None

    for model in wanted:
        if model not in ordered:
            visit(model, frozenset({model}))
    return list(ordered)
