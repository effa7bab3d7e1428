"""Asks the database for the rows of many keys at once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import In

from auditor.auditlog.store import CHUNK

NUMBERS = 5_000  # whole numbers to a statement: about 40 kB of it


class OneOf(In):
    """An `IN` that writes whole numbers into the statement: a parameter for each takes longer than finding its row."""

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def resolve_expression(self, *values: Any, **named: Any) -> Any:
        resolved = super().resolve_expression(*values, **named)
        # A field of the host's own may keep another value than the number.
        return In(resolved.lhs, self.rhs) if hasattr(plain(resolved.lhs.output_field), "from_db_value") else resolved

    def process_rhs(self, *_: Any) -> tuple[str, Any]:
        return f"({', '.join(map(str, self.rhs))})", ()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        # To plan a list takes ten times as long as to plan an array.
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY('{{{','.join(map(str, self.rhs))}}}'::bigint[])", parameters


def one_of(field: str, values: Sequence[Any]) -> Any:
    """The condition that a field, or the key as "pk", holds one of these values."""
    return OneOf(F(field), values) if values and _are_numbers(values) else Q(**{f"{field}__in": values})


def parts(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """The keys in lists that are short enough for `one_of`; a composite key is a tuple."""
    keys = list(keys)
    width = len(keys[0]) if keys and isinstance(keys[0], tuple) else 1
    size = NUMBERS if _are_numbers(keys) else CHUNK // width
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def plain(key: Any) -> Any:
    """The field that gives a key its type: what a foreign key leads to."""
    while key.remote_field:
        key = key.target_field
    return key


def _are_numbers(values: Iterable[Any]) -> bool:
    return set(map(type, values)) <= {int}
