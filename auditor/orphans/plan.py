"""What was found and what would be deleted, as plain values: printed by the report, executed by the remover."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.orphans.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a record belongs to: 'Album' and 'Evan Photos'; `kinds` is the plural of `kind`."""

    kind: str
    kinds: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A record whose primary file is missing; `missing` is ((field, name), …) of the primary files that are."""

    key: Any
    missing: tuple[tuple[str, str], ...]
    group: Group | None = None

    @property
    def field(self) -> str:
        return self.missing[0][0]

    @property
    def name(self) -> str:
        return self.missing[0][1]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name of which nobody can say whether its file is there; its record stays."""

    model: str
    key: Any
    field: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found for one model; `named` says whether a person named it for deletion.

    `derived_missing` counts missing derived files: {field: count}.
    `unchecked` are the fields that could not be judged at all, and why: {field: reason}.
    """

    model: str
    label: str
    label_of_one: str
    total: int
    named: bool
    has_primary: bool
    orphans: tuple[Orphan, ...] = ()
    derived_missing: Mapping[str, int] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)

    def by_group(self) -> Counter[Group | None]:
        """How many orphans each group has."""
        return Counter(orphan.group for orphan in self.orphans)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSeen:
    """A media root at the time of the run; `unlisted` are directories that could not be read: {path: reason}.

    `is_empty` is only looked for where the answer comes from the disk alone.
    """

    path: str
    identity: str
    is_empty: bool = False
    unlisted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was found: `routes` is {root: {field: Route}}, fields as 'app.Model.field'."""

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...] = ()
    roots: tuple[RootSeen, ...] = ()
    routes: Mapping[str, Mapping[str, Route]] = field(default_factory=dict)

    @property
    def is_named(self) -> bool:
        """Whether a person named any model for deletion."""
        return any(finding.named for finding in self.findings)

    @property
    def main(self) -> tuple[Finding, ...]:
        """The models that the report is about: the named ones, or all with primary files where none is named."""
        return tuple(f for f in self.findings if (f.named if self.is_named else f.has_primary))

    @property
    def others(self) -> tuple[Finding, ...]:
        """The models that are only mentioned."""
        return tuple(finding for finding in self.findings if finding not in self.main)

    @property
    def to_delete(self) -> tuple[Finding, ...]:
        """The named models that have orphans."""
        return tuple(finding for finding in self.findings if finding.named and finding.orphans)

    @property
    def empty_roots(self) -> tuple[str, ...]:
        """Roots without a single file: what an unmounted volume looks like."""
        return tuple(root.path for root in self.roots if root.is_empty)

    @property
    def is_certain(self) -> bool:
        """Whether every name that the report is about could be judged."""
        main = {finding.model for finding in self.main}
        has_unknown = any(unknown.model in main for unknown in self.unknown)
        return not has_unknown and not any(finding.unchecked for finding in self.main)

    def orphans(self) -> Iterator[tuple[Finding, Orphan]]:
        """Every orphan of every model."""
        for finding in self.findings:
            for orphan in finding.orphans:
                yield finding, orphan

    def orphans_total(self) -> int:
        """How many orphans the report is about."""
        return sum(len(finding.orphans) for finding in self.main)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record of the plan that was not deleted after all; `is_settled` if it need not be: its file is back."""

    model: str
    orphan: Orphan
    reason: str
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A record that was deleted, and the position of its event in the audit log."""

    model: str
    orphan: Orphan
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did; `cascade` counts the rows that went along: {'app.Model': count}."""

    deleted: tuple[Deleted, ...] = ()
    kept: tuple[Kept, ...] = ()
    cascade: Mapping[str, int] = field(default_factory=dict)

    def deleted_by_model(self) -> Counter[str]:
        """{'app.Model': count} of the deleted records."""
        return Counter(deleted.model for deleted in self.deleted)

    def kept_by_model(self) -> Counter[str]:
        """{'app.Model': count} of the kept records."""
        return Counter(kept.model for kept in self.kept)
