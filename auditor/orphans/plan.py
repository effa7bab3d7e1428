"""What was found and what would be deleted, as plain values: printed by the report, executed by the remover."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from auditor.limits import Limit, Limits
from auditor.mounts import NOTHING_MOUNTED, Mounted
from auditor.orphans.leftovers import Leftover
from auditor.orphans.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a record belongs to: 'Album' and 'Evan Photos'; `kinds` is the plural of `kind`."""

    kind: str
    kinds: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class Fate(StrEnum):
    """What is to become of an orphan: only the first two change anything."""

    DELETE = "delete"
    RELINK = "relink"
    MOVED = "moved"  # its file is known to be elsewhere, and nobody asked for a relink
    WAITING = "waiting"  # its file has not been missing for long enough
    PROTECTED = "protected"  # another record forbids its deletion
    NOT_NOW = "not_now"  # beyond --limit


class Evidence(StrEnum):
    """Why a file elsewhere is taken for a missing one; only SEEN is more than a guess."""

    SEEN = "seen"  # the audit log saw the move
    SAME_INODE = "same_inode"
    SAME_SIZE = "same_size"  # and the same base name
    SAME_NAME = "same_name"


@dataclass(frozen=True, slots=True)
class Move:
    """Where the file of a field is now: `name` is what the record holds, `to` the name that would be right."""

    field: str
    name: str
    to: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Orphan:
    """A record whose primary file is missing; `missing` is ((field, name), …) of the primary files that are.

    `moves` are where files of it were found instead; `missing_seconds` is for how long they have surely been
    missing, None where nobody has asked; `why` explains the fate where it is not plain.
    """

    key: Any
    missing: tuple[tuple[str, str], ...]
    group: Group | None = None
    fate: Fate = Fate.DELETE
    moves: tuple[Move, ...] = ()
    missing_seconds: float | None = None
    why: str = ""

    @property
    def field(self) -> str:
        return self.missing[0][0]

    @property
    def was_seen_moving(self) -> bool:
        """Whether nothing about its moves was only guessed."""
        return all(move.evidence is Evidence.SEEN for move in self.moves)

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

    def doomed(self) -> int:
        """How many orphans are to be deleted, now or after --limit."""
        put_off = sum(not orphan.moves for orphan in self.of_fate(Fate.NOT_NOW))
        return len(self.of_fate(Fate.DELETE)) + put_off

    def of_fate(self, *fates: Fate) -> tuple[Orphan, ...]:
        """The orphans with one of these fates."""
        return tuple(orphan for orphan in self.orphans if orphan.fate in fates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """Rows that a deletion takes along, or in which it empties a key.

    `what` is 'app.Model' or 'app.Model.field', `one` and `many` say it to a person.
    """

    what: str
    one: str
    many: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """More orphans than a limit allows, of one model, or of all where `model` is empty."""

    model: str
    label: str
    orphans: int
    total: int
    limit: Limit

    def __str__(self) -> str:
        return f"{self.orphans} of {self.total} {self.label.lower()} would be deleted, more than {self.limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A missing file that a person knows of, so that its record is not reported again."""

    model: str
    key: str
    field: str
    name: str
    acknowledged_at: datetime
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSeen:
    """A media root at the time of the run; `unlisted` are directories that could not be read: {path: reason}.

    `is_known` if its marker, or its device and inode, prove that it is the folder which the database knows.
    `is_witnessed` if a file that a record names was seen there.
    `is_unproven` if nothing proves it, the answer comes from the disk alone, and not one file that a record names is
    there; `is_empty` if there is no file at all.
    `mounted` is what is mounted in it, `unmounted` where a file system was mounted in it once and is not now.
    `leftovers` are what a scan saw there and no record was found to name: {directory: Leftover}.
    """

    path: str
    identity: str
    is_known: bool = False
    is_witnessed: bool = False
    is_unproven: bool = False
    is_empty: bool = False
    unlisted: Mapping[str, str] = field(default_factory=dict)
    mounted: Mounted = NOTHING_MOUNTED
    unmounted: tuple[str, ...] = ()
    leftovers: Mapping[str, Leftover] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was found: `routes` is {root: {field: Route}}, fields as 'app.Model.field'.

    `taken` are the rows that the deletion takes along, `emptied` those in which it sets a key to empty.
    `unselected` and `acknowledged` count orphans that are not in the findings.
    """

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...] = ()
    roots: tuple[RootSeen, ...] = ()
    routes: Mapping[str, Mapping[str, Route]] = field(default_factory=dict)
    taken: tuple[Along, ...] = ()
    emptied: tuple[Along, ...] = ()
    excesses: tuple[Excess, ...] = ()
    unselected: int = 0
    acknowledged: int = 0
    is_selection: bool = False

    def changed(self, change: Callable[[Finding, Orphan], Orphan | None]) -> "Plan":
        """The plan with every orphan changed, or left out where the change gives None."""
        findings = tuple(
            replace(finding, orphans=tuple(filter(None, (change(finding, one) for one in finding.orphans))))
            for finding in self.findings
        )
        return replace(self, findings=findings)

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
    def to_do(self) -> tuple[Finding, ...]:
        """The named models, each with those orphans that are to be deleted or relinked, where it has any."""
        acting = (replace(one, orphans=one.of_fate(Fate.DELETE, Fate.RELINK)) for one in self.findings if one.named)
        return tuple(finding for finding in acting if finding.orphans)

    @property
    def unproven(self) -> tuple[RootSeen, ...]:
        """Roots that nothing proves, where records would be deleted."""
        doomed = {finding.model for finding in self.to_do}
        return tuple(
            root
            for root in self.roots
            if root.is_unproven and any(name.rpartition(".")[0] in doomed for name in self.routes.get(root.path, ()))
        )

    @property
    def is_certain(self) -> bool:
        """Whether every name that the report is about could be judged."""
        main = {finding.model for finding in self.main}
        has_unknown = any(unknown.model in main for unknown in self.unknown)
        return not has_unknown and not any(finding.unchecked for finding in self.main)

    @property
    def is_clean(self) -> bool:
        """Whether there is no orphan at all, and nothing that could hide one."""
        is_all_told = not self.is_selection and not self.acknowledged
        return not self.orphans_total() and self.is_certain and is_all_told

    def limited(self, limits: Limits) -> "Plan":
        """The plan with the limits that it exceeds.

        Counted is what would be deleted, what --limit puts off of that, and records of these models that go along.
        """
        along = {one.what: one.count for one in self.taken}
        counts = [
            (one.model, one.label, one.doomed() + along.get(one.model, 0), one.total)
            for one in self.findings
            if one.named
        ]
        run = ("", "records", sum(one[2] for one in counts), sum(one[3] for one in counts))
        asked = [(*one, limits.of_model(one[0])) for one in counts] + [(*run, limits.run)]
        excesses = (
            Excess(model=model, label=label, orphans=orphans, total=total, limit=limit)
            for model, label, orphans, total, limit in asked
            if limit is not None and not limit.allows(orphans, total)
        )
        return replace(self, excesses=tuple(excesses))

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
class Relinked:
    """A record that was pointed at the new names of its files, and the position of its first event in the log."""

    model: str
    orphan: Orphan
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did; `taken` are the rows that went along, `emptied` those in which a key was set."""

    deleted: tuple[Deleted, ...] = ()
    relinked: tuple[Relinked, ...] = ()
    kept: tuple[Kept, ...] = ()
    taken: tuple[Along, ...] = ()
    emptied: tuple[Along, ...] = ()

    def deleted_by_model(self) -> Counter[str]:
        """{'app.Model': count} of the deleted records."""
        return Counter(deleted.model for deleted in self.deleted)

    def relinked_by_model(self) -> Counter[str]:
        """{'app.Model': count} of the relinked records."""
        return Counter(relinked.model for relinked in self.relinked)

    def kept_by_model(self) -> Counter[str]:
        """{'app.Model': count} of the kept records."""
        return Counter(kept.model for kept in self.kept)
