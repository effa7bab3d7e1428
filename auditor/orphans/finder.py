"""Finds the orphans: reads references by the routes of the survey, looks at the disk, and ends in a Plan."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.models import Root
from auditor.orphans import references
from auditor.orphans.disk import Disk, Look, Verdict, holds_files
from auditor.orphans.groups import groups_of
from auditor.orphans.plan import Finding, Orphan, Plan, RootSeen, Unknown
from auditor.orphans.references import Row
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.orphans.route import Route, RouteKind
from auditor.orphans.survey import Survey

Progress = Callable[[int], object]


def find(models: Sequence[AuditedModel], survey: Survey, *, progress: Progress = lambda _: None) -> Plan:
    """The plan for the models. Only reads. `progress` is told how many records were read since the last call."""
    disks = {root: Disk(root) for root in survey.identities}
    searches = [Search(audited, survey, disks, progress) for audited in models]
    findings = tuple(search.run() for search in searches)
    return Plan(
        findings=findings,
        unknown=tuple(unknown for search in searches for unknown in search.unknown),
        roots=tuple(_root_seen(root, disk, survey) for root, disk in disks.items()),
        routes=_routes_by_root(models, survey),
    )


def _root_seen(root: str, disk: Disk, survey: Survey) -> RootSeen:
    is_scanned = any(route.kind is RouteKind.SCAN for route in survey.routes.values())
    return RootSeen(
        path=root,
        identity=survey.identities[root],
        is_empty=is_scanned and not holds_files(root),
        unlisted=disk.unlisted,
    )


def _routes_by_root(models: Sequence[AuditedModel], survey: Survey) -> dict[str, dict[str, Route]]:
    routes: dict[str, dict[str, Route]] = {}
    for one in (one for audited in models for one in audited.fields):
        if one.root and one.id in survey.routes:
            routes.setdefault(one.root, {})[one.id] = survey.routes[one.id]
    return routes


@dataclass(slots=True)
class Search:
    """The search for one model's orphans."""

    audited: AuditedModel
    survey: Survey
    disks: dict[str, Disk]
    progress: Progress
    orphans: dict[Any, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    derived: Counter[str] = field(default_factory=Counter)
    unknown: list[Unknown] = field(default_factory=list)
    _concluded: set[Any] = field(default_factory=set)

    def run(self) -> Finding:
        """What there is to say of the model."""
        if self._fields(RouteKind.SCAN):
            self._scan()
        self._ask_log()
        groups = groups_of(self.audited, list(self.orphans), self.survey.using)
        return Finding(
            model=self.audited.id,
            label=self.audited.label,
            label_of_one=self.audited.label_of_one,
            total=self.survey.totals[self.audited.id],
            named=self.audited.named,
            has_primary=bool(self.audited.primary),
            orphans=tuple(
                Orphan(key, missing, groups.get(key)) for key, missing in sorted(self.orphans.items(), key=_by_key)
            ),
            derived_missing=dict(self.derived),
            unchecked={
                one.name: reason for one in self.audited.fields if (reason := self.survey.unchecked.get(one.id))
            },
        )

    def _fields(self, kind: RouteKind) -> list[tuple[int, AuditedField]]:
        return [(at, one) for at, one in enumerate(self.audited.fields, 1) if self.survey.takes(one, kind)]

    def _scan(self) -> None:
        by_log = self._fields(RouteKind.LOG)
        for chunk in references.read_all(self.audited, self.survey.using):
            troubled = self._judge(chunk, self._fields(RouteKind.SCAN))
            others = self._judge([row for row, _ in troubled.values()], by_log)
            for key, (row, looks) in troubled.items():
                self._conclude(row, looks | others.get(key, (row, {}))[1])
            self.progress(len(chunk))

    def _ask_log(self) -> None:
        fields = self._fields(RouteKind.LOG)
        for chunk in self._candidates([one for _, one in fields]):
            rows = [row for row in chunk if row[0] not in self._concluded]
            for row, looks in self._judge(rows, fields).values():
                self._conclude(row, looks)

    def _judge(
        self, rows: list[Row], fields: list[tuple[int, AuditedField]]
    ) -> dict[Any, tuple[Row, dict[int, Look]]]:
        """{key: (row, {column: Look})} of the records with a file that is not present."""
        troubled: dict[Any, tuple[Row, dict[int, Look]]] = {}
        for at, one in fields:
            looks = self.disks[one.root or ""].judge([row[at] for row in rows if row[at]])
            for row in [row for row in rows if row[at] in looks] if looks else ():
                if looks[row[at]].verdict is not Verdict.PRESENT:
                    troubled.setdefault(row[0], (row, {}))[1][at] = looks[row[at]]
        return troubled

    def _candidates(self, fields: list[AuditedField]) -> Iterator[list[Row]]:
        for root in dict.fromkeys(one.root or "" for one in fields):
            checkpoint = self.survey.coverages[root].checkpoint
            assert checkpoint is not None  # the log route is open only with one
            known = Root.objects.using(self.survey.using).get(path=root)
            here = [one for one in fields if one.root == root]
            yield from references.read_candidates(self.audited, here, checkpoint, known.pk, self.survey.using)

    def _conclude(self, row: Row, looks: dict[int, Look]) -> None:
        """Sorts one record by {column: Look}; a field without a look is present, or could not be checked."""
        self._concluded.add(row[0])
        missing = self._missing_primary(looks, row)
        if missing:
            looks = looks | self._unchecked_primary(row)
        is_certain = True
        for at, look in looks.items():
            one = self.audited.fields[at - 1]
            if look.verdict is Verdict.UNKNOWN:
                self.unknown.append(Unknown(self.audited.id, row[0], one.name, row[at], look.reason))
                is_certain = is_certain and not one.is_primary
            elif look.verdict is Verdict.MISSING and not one.is_primary:
                self.derived[one.name] += 1
        if missing and is_certain:
            self.orphans[row[0]] = missing

    def _missing_primary(self, looks: dict[int, Look], row: Row) -> tuple[tuple[str, str], ...]:
        return tuple(
            (one.name, row[at])
            for at, one in enumerate(self.audited.fields, 1)
            if one.is_primary and at in looks and looks[at].verdict is Verdict.MISSING
        )

    def _unchecked_primary(self, row: Row) -> dict[int, Look]:
        return {
            at: Look(Verdict.UNKNOWN, self.survey.unchecked[one.id])
            for at, one in enumerate(self.audited.fields, 1)
            if one.is_primary and row[at] and one.id in self.survey.unchecked
        }


def _by_key(item: tuple[Any, object]) -> Any:
    return item[0]
