"""Reads and removes what is in the reference journal, and keeps the candidates.

Rows go by `_raw_delete`: for a host that listens to every deletion, `delete` would load them all.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Model, QuerySet

from auditor import bulk
from auditor.auditlog.store import BATCH, CHUNK, chunks
from auditor.journal.columns import Column
from auditor.models import Candidate, UncheckedReference

Range = tuple[int, int]  # first and last


def unchecked(column: Column, *, using: str) -> QuerySet[UncheckedReference]:
    """The journal's entries for a column."""
    return UncheckedReference.objects.using(using).filter(field=column.id)


def candidates(column: Column, *, using: str) -> QuerySet[Candidate]:
    """The candidates of a column."""
    return Candidate.objects.using(using).filter(field=column.id)


def counts(rows: type[UncheckedReference] | type[Candidate], *, using: str) -> dict[str, int]:
    """{column id: number of rows} of the journal, or of the candidates."""
    by_column = rows._default_manager.using(using).values("field").annotate(number=Count("pk"))
    return dict(by_column.values_list("field", "number"))


def written_so_far(columns: Sequence[Column], *, using: str) -> list[Range]:
    """The ids of all entries that are there now, as ranges: a writer that has yet to commit is in none of them.

    What is in them may be removed after a comparison that began later.
    """
    ids = UncheckedReference.objects.using(using).filter(field__in=[column.id for column in columns])
    ranges: list[Range] = []
    for number in ids.order_by("id").values_list("id", flat=True).iterator(chunk_size=10_000):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def remove_ranges(ranges: Iterable[Range], *, using: str) -> None:
    """Removes the entries in these ranges."""
    for first, last in ranges:
        UncheckedReference.objects.using(using).filter(id__gte=first, id__lte=last)._raw_delete(using)


def remove(ids: Iterable[int], *, using: str) -> None:
    """Removes exactly these entries."""
    for some in chunks(ids, CHUNK):
        UncheckedReference.objects.using(using).filter(id__in=some)._raw_delete(using)


def remove_others(columns: Sequence[Column], models: Sequence[type[Model]], *, using: str) -> None:
    """Removes the entries of these models that are of none of these columns."""
    wanted, labels = {column.id for column in columns}, {model._meta.label for model in models}
    for field in counts(UncheckedReference, using=using):
        if field not in wanted and field.rpartition(".")[0] in labels:
            UncheckedReference.objects.using(using).filter(field=field)._raw_delete(using)


def add_candidates(column: Column, keys: Iterable[str], *, using: str) -> None:
    """Makes sure that the references with these keys, as text, are candidates."""
    fields = [Candidate._meta.get_field("field"), Candidate._meta.get_field("key")]
    for some in chunks(dict.fromkeys(keys), BATCH):
        bulk.insert_new(fields, [(column.id, key) for key in some], using)


def add_candidates_anew(column: Column, keys: Iterable[str], *, using: str) -> None:
    """The same, with an id of their own for those that are candidates already: their name is another one now."""
    keys = list(keys)
    for some in chunks(keys, CHUNK):
        candidates(column, using=using).filter(key__in=some)._raw_delete(using)
    add_candidates(column, keys, using=using)


def drop_candidates(ids: Iterable[int], *, using: str) -> None:
    """Removes exactly these candidates."""
    for some in chunks(ids, CHUNK):
        Candidate.objects.using(using).filter(id__in=some)._raw_delete(using)
