"""Which records hold a name: for names that several share, and for files that were found to be broken."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.auditlog.store import CHUNK, chunks
from auditor.integrity.findings import Finding, Kind
from auditor.integrity.history import text
from auditor.integrity.sources import Source, holders

SHOWN = 3  # records of those that share a name
ASKED_FOR = 5_000  # names that are asked for: without an index on the column, some hundred cost a reading of it

Holder = tuple[str, str, str]  # (model, key, field)


def holders_of(
    sources: Sequence[Source], names: Mapping[str, Collection[str]], *, using: str, at_most: int
) -> dict[tuple[str, str], list[Holder]]:
    """{(root, name): its holders, no more than so many}; asked for in portions, or found in one more reading."""
    held: defaultdict[tuple[str, str], list[Holder]] = defaultdict(list)
    for source in sources if names else ():
        for at, one in enumerate(source.audited.fields, 1):
            wanted = names.get(one.root or "", ())
            for key, name in _holding(source, at, wanted, using):
                known = held[one.root or "", name]
                if len(known) < at_most:
                    known.append((source.audited.id, str(key), one.name))
    return held


def _holding(source: Source, at: int, names: Collection[str], using: str) -> Iterator[tuple[Any, str]]:
    if len(names) > ASKED_FOR:
        for page in source.rows(using):
            yield from ((row[0], row[at]) for row in page if row[at] in names)
        return
    for some in chunks(sorted(names), CHUNK):
        yield from holders(source, source.audited.fields[at - 1].name, some, using).iterator(CHUNK)


def shared_names(sources: Sequence[Source], shared: Mapping[str, Collection[str]], *, using: str) -> Iterator[Finding]:
    """The names that more than one record holds; a record may well name one file twice."""
    held = holders_of(sources, shared, using=using, at_most=SHOWN + 1)
    for (root, name), some in sorted(held.items()):
        records = list(dict.fromkeys((model, key) for model, key, _ in some))
        if len(records) > 1:
            more = " and more" if len(some) > SHOWN else ""
            words = ", ".join(f"{model}:{key} {field}" for model, key, field in some[:SHOWN])
            yield Finding(kind=Kind.SHARED, root=root, path=name, detail=f"{words}{more}")


def with_holders(findings: Iterable[Finding], sources: Sequence[Source], *, using: str) -> Iterator[Finding]:
    """The findings about files, each with the first record that holds the file's name."""
    every = list(findings)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in every:
        if not one.model and text(one.path) == one.path:  # else no record can hold it
            names[one.root].add(one.path)
    held = holders_of(sources, names, using=using, at_most=1)
    for one in every:
        holder = held.get((one.root, one.path)) if not one.model else None
        if holder:
            (model, key, field), *_ = holder
            yield replace(one, model=model, key=key, field=field)
        else:
            yield one
