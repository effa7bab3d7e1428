"""What a check is about, and what its reading of the records has found."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from stat import S_ISREG

from auditor.integrity.findings import Finding, Kind
from auditor.integrity.places import Places
from auditor.integrity.walk import LEADS_NOWHERE, what_it_is
from auditor.orphans.disk import in_words


@dataclass(slots=True, kw_only=True)
class Wanted:
    """What the run is about: these models, and names that begin so; nothing given is everything."""

    models: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not self.models and not self.prefixes

    def covers_model(self, model: str) -> bool:
        return not self.models or model.lower() in self.models

    def covers_name(self, name: str) -> bool:
        return not self.prefixes or name.startswith(self.prefixes)

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one that the run is about."""
        return (not finding.model or self.covers_model(finding.model)) and self.covers_name(finding.path)


@dataclass(slots=True, kw_only=True)
class Found:
    """What the reading of all models leaves.

    `shared`: the names that several references have, {root: names}; `told`: the paths in a tree that were reported
    with their record; `sizes`: {(root of a tree, path): [(model, key, field, width, height)]}, as records have them.
    """

    findings: list[Finding] = field(default_factory=list)
    shared: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    told: set[tuple[str, str]] = field(default_factory=set)
    sizes: dict[tuple[str, str], list[tuple[str, str, str, int | None, int | None]]] = field(default_factory=dict)
    acknowledged: int = 0


def look_into(path: str) -> tuple[Kind | None, str, int]:
    """What is wrong with what is at a path, where something is: (kind, detail, size)."""
    try:
        status = os.stat(path)
    except OSError as error:
        return (Kind.DANGLING if error.errno in LEADS_NOWHERE else Kind.UNREADABLE), in_words(error), 0
    if not S_ISREG(status.st_mode):
        return Kind.NOT_A_FILE, what_it_is(status), 0
    return (None if status.st_size else Kind.EMPTY), "", status.st_size


def without_record(places: Places, found: Found) -> Iterator[Finding]:
    """What is wrong on disk that no record has brought up."""
    for tree in places.trees:
        for head, why in sorted(tree.unlisted.items()):
            yield Finding(kind=Kind.UNREADABLE, root=tree.root, path=head or "./", detail=why)
        for path, (kind, detail) in sorted(tree.troubles.items()):
            if kind in (Kind.DANGLING, Kind.UNREADABLE) and (tree.root, path) not in found.told:
                yield Finding(kind=kind, root=tree.root, path=path, detail=detail)
