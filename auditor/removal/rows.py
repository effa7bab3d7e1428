"""Reads and writes rows as the database holds them, past everything that fields make of their values."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from django.db import connections, models
from django.db.models import F, Func, QuerySet

from auditor.auditlog.store import CHUNK, chunks
from auditor.keys import one_of, parts

# What a driver gives back just as it was stored; of every other type PostgreSQL's own text is exact.
PLAIN_TYPES = {"smallint", "integer", "bigint", "boolean", "text", "varchar", "serial", "bigserial", "smallserial"}
KEPT_BY_DRIVER = {"sqlite": "+%(expressions)s"}  # an expression has no declared type, so the driver converts nothing

Model: TypeAlias = type[models.Model]
Row: TypeAlias = dict[str, Any]  # {column: value}


class RawColumn(Func):
    """A column as the database holds it: a whole number, a float, text, bytes or None.

    On PostgreSQL, what is neither a whole number nor a boolean is text: its own text is exact for every type.
    """

    def __init__(self, field: Any, using: str) -> None:
        super().__init__(F(field.attname), output_field=models.Field(), template=_template(field, using))


def _template(field: Any, using: str) -> str:
    connection = connections[using]
    if connection.vendor != "postgresql":
        return KEPT_BY_DRIVER.get(connection.vendor, "%(expressions)s")
    kind = (field.db_type(connection) or "").partition("(")[0].strip().lower()
    return "%(expressions)s" if kind in PLAIN_TYPES else "(%(expressions)s)::text"


def concrete(model: Model) -> Model:
    """The model in whose table the rows are: a proxy's are another's."""
    holder: Model | None = model._meta.concrete_model
    assert holder is not None  # an abstract model has no rows
    return holder


def fields_of(model: Model) -> list[Any]:
    """The fields whose values are stored in the model's own table, in the order of their columns' names."""
    stored = (field for field in model._meta.local_concrete_fields if field.column and not field.generated)
    return sorted(stored, key=lambda field: field.column)


def key_fields(model: Model) -> list[Any]:
    """The fields that make up the model's key."""
    return list(model._meta.pk_fields)


def all_rows(model: Model, using: str) -> QuerySet[Any]:
    """All rows of the model's table, whatever its managers hide."""
    return QuerySet(model=model, using=using)


def read(some: QuerySet[Any], fields: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Each row as (key, value, …): the key as Django knows it, the values as they are stored."""
    raw = (RawColumn(field, some.db) for field in fields)
    rows = some if some.query.select_for_update else some.order_by()
    yield from rows.values_list("pk", *raw)


def locked(some: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows, each locked as it is read, where the database has row locks; in the order of their keys.

    The rows of other tables that the query looks into are not locked.
    """
    if not connections[some.db].features.has_select_for_update:
        return some
    query: Any = some.query
    if len(query.alias_map) > 1 or query.distinct or query.group_by is not None:
        some = all_rows(some.model, some.db).filter(pk__in=some.order_by().values("pk"))
    return some.order_by("pk").select_for_update()


def read_by_keys(model: Model, keys: Sequence[Any], fields: Sequence[Any], using: str) -> Iterator[tuple[Any, ...]]:
    """As `read`, of the rows with these keys."""
    for some in parts(keys):
        yield from read(all_rows(model, using).filter(one_of("pk", some)), fields)


def present(fields: Sequence[Any], wanted: Sequence[tuple[Any, ...]], using: str) -> set[tuple[Any, ...]]:
    """Those combinations of stored values that a row of the fields' model has now."""
    model, connection = fields[0].model, connections[using]
    quote = connection.ops.quote_name
    one = " AND ".join(f"{quote(field.column)} = %s" for field in fields)
    columns = ", ".join(_template(field, using) % {"expressions": quote(field.column)} for field in fields)
    found: set[tuple[Any, ...]] = set()
    with connection.cursor() as cursor:
        for some in chunks(wanted, CHUNK // len(fields)):
            where = " OR ".join([f"({one})"] * len(some))
            if len(fields) == 1:
                where = f"{quote(fields[0].column)} IN ({', '.join(['%s'] * len(some))})"
            sql = f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {where}"  # noqa: S608 - quoted names
            cursor.execute(sql, [value for values in some for value in values])
            found.update(tuple(row) for row in cursor.fetchall())
    return found
