"""Finds the orphans: reads references by the routes of the survey, looks at the disk, and ends in a Plan."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress
from operator import itemgetter
from typing import Any, TypeAlias

from auditor.errors import AuditorError
from auditor.marker import MARKER
from auditor.memory import seldom_collected
from auditor.models import Root
from auditor.orphans import references
from auditor.orphans.disk import Disk, Look, Verdict, is_any_there
from auditor.orphans.groups import groups_of
from auditor.orphans.looking import Answer, Looking, Question, Seen, answered, looking_at
from auditor.orphans.plan import Finding, Orphan, Plan, RootSeen, Unknown
from auditor.orphans.references import Row
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.orphans.remote import RemoteDisk, adapters
from auditor.orphans.route import Route, RouteKind
from auditor.orphans.survey import Survey, still_holds
from auditor.roots import holds_files

Progress: TypeAlias = Callable[[int], object]
Field: TypeAlias = tuple[int, AuditedField]  # with the place of its column in a row
THERE, GONE, UNKNOWN = Verdict.PRESENT, Verdict.MISSING, Verdict.UNKNOWN  # a member costs more to look up than a name


def find(models: Sequence[AuditedModel], survey: Survey, *, progress: Progress = lambda _: None) -> Plan:
    """The plan for the models. Only reads. `progress` is told how many records were read since the last call."""
    remote = adapters(models)
    disks = {
        root: RemoteDisk(remote[root]) if root in remote else Disk(root, unmounted=seen.unmounted)
        for root, seen in survey.roots.items()
    }
    witnessed: set[str] = set()
    with seldom_collected(), looking_at(disks, records=_to_scan(models, survey)) as looking:
        searches = [Search(audited, survey, looking, progress, witnessed) for audited in models]
        findings = tuple(search.run() for search in searches)
        seen = looking.seen()
    if not still_holds(survey, models):
        raise AuditorError(
            "The audit log stopped vouching for the media folder while it was asked.",
            hint="Run the command again, or with --route scan.",
        )
    return Plan(
        findings=findings,
        unknown=tuple(unknown for search in searches for unknown in search.unknown),
        roots=tuple(_root_seen(root, seen[root], survey, root in witnessed) for root in disks),
        routes=_routes_by_root(models, survey),
    )


def _to_scan(models: Sequence[AuditedModel], survey: Survey) -> int:
    """How many records are read for a scan."""
    return sum(
        survey.totals[audited.id]
        for audited in models
        if any(survey.takes(one, RouteKind.SCAN) for one in audited.fields)
    )


def _root_seen(root: str, found: Seen, survey: Survey, is_witnessed: bool) -> RootSeen:
    seen = survey.roots[root]
    is_scanned = any(route.kind is RouteKind.SCAN for route in survey.routes.values())
    is_unproven = is_scanned and not seen.is_known and not is_witnessed
    return replace(
        seen,
        is_witnessed=is_witnessed,
        is_unproven=is_unproven,
        is_empty=is_unproven and not holds_files(root, besides=MARKER),
        unlisted=found.unlisted,
        leftovers=found.leftovers,
    )


def _routes_by_root(models: Sequence[AuditedModel], survey: Survey) -> dict[str, dict[str, Route]]:
    routes: dict[str, dict[str, Route]] = {}
    for one in (one for audited in models for one in audited.fields):
        if one.root and one.id in survey.routes:
            routes.setdefault(one.root, {})[one.id] = survey.routes[one.id]
    return routes


def _question(fields: Sequence[Field], rows: list[Row]) -> Question:
    """Where the files are that these columns name."""
    return [(one.root or "", list(filter(None, map(itemgetter(at), rows)))) for at, one in fields]


@dataclass(slots=True)
class Search:
    """The search for one model's orphans."""

    audited: AuditedModel
    survey: Survey
    looking: Looking
    progress: Progress
    witnessed: set[str]  # roots in which a file that a record names was seen
    orphans: dict[Any, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    derived: Counter[str] = field(default_factory=Counter)
    unknown: list[Unknown] = field(default_factory=list)
    _concluded: set[Any] = field(default_factory=set)
    _primary: list[Field] = field(init=False)

    def __post_init__(self) -> None:
        self._primary = [(at, one) for at, one in enumerate(self.audited.fields, 1) if one.is_primary]

    def run(self) -> Finding:
        """What there is to say of the model."""
        if self._fields(RouteKind.SCAN):
            self._scan()
        self._ask_log()
        orphans = dict(sorted(self.orphans.items(), key=itemgetter(0)))
        groups = groups_of(self.audited, list(orphans), self.survey.using)
        return Finding(
            model=self.audited.id,
            label=self.audited.label,
            label_of_one=self.audited.label_of_one,
            total=self.survey.totals[self.audited.id],
            named=self.audited.named,
            has_primary=bool(self.audited.primary),
            orphans=tuple([Orphan(key, missing, groups.get(key)) for key, missing in orphans.items()]),
            derived_missing=dict(self.derived),
            unchecked={
                one.name: reason for one in self.audited.fields if (reason := self.survey.unchecked.get(one.id))
            },
        )

    def _fields(self, kind: RouteKind) -> list[Field]:
        return [(at, one) for at, one in enumerate(self.audited.fields, 1) if self.survey.takes(one, kind)]

    def _scan(self) -> None:
        scanned, by_log = self._fields(RouteKind.SCAN), self._fields(RouteKind.LOG)
        chunks = references.read_all(self.audited, self.survey.using)
        for chunk, question, answer in answered(self.looking, chunks, partial(_question, scanned + by_log)):
            self._judge(chunk, scanned + by_log, question, answer, troubled_in=len(scanned))
            self.progress(len(chunk))

    def _ask_log(self) -> None:
        fields = self._fields(RouteKind.LOG)
        chunks = self._candidates([one for _, one in fields])
        for chunk, question, answer in answered(self.looking, chunks, partial(_question, fields)):
            self._judge(chunk, fields, question, answer, troubled_in=len(fields))

    def _judge(
        self, rows: list[Row], fields: list[Field], question: Question, answer: Answer, *, troubled_in: int
    ) -> None:
        """Concludes on the records that lack a file of the first so many fields."""
        troubled: dict[Any, Row] = {}
        for number, ((at, _), (root, names), looks) in enumerate(zip(fields, question, answer, strict=True)):
            if root not in self.witnessed and is_any_there(names, looks):
                self.witnessed.add(root)
            if looks and number < troubled_in:
                some = compress(rows, map(looks.__contains__, map(itemgetter(at), rows)))
                troubled.update((row[0], row) for row in some if looks[row[at]].verdict is not THERE)
        for key, row in troubled.items():
            if key not in self._concluded:  # the log may name a record more than once
                looks_at = {
                    at: looks[row[at]] for (at, _), looks in zip(fields, answer, strict=True) if row[at] in looks
                }
                self._conclude(row, looks_at)

    def _candidates(self, fields: list[AuditedField]) -> Iterator[list[Row]]:
        for root in dict.fromkeys(one.root or "" for one in fields):
            known = Root.objects.using(self.survey.using).get(path=root)
            here = [one for one in fields if one.root == root]
            yield from references.read_candidates(self.audited, here, known, self.survey.using)

    def _conclude(self, row: Row, looks: dict[int, Look]) -> None:
        """Sorts one record by {column: Look}; a field without a look is present, or could not be checked."""
        self._concluded.add(row[0])
        missing = self._missing_primary(looks, row)
        if missing and self.survey.unchecked:
            looks = looks | self._unchecked_primary(row)
        is_certain = True
        for at, look in looks.items():
            one = self.audited.fields[at - 1]
            if look.verdict is UNKNOWN:
                self.unknown.append(Unknown(self.audited.id, row[0], one.name, row[at], look.reason))
                is_certain = is_certain and not one.is_primary
            elif look.verdict is GONE and not one.is_primary:
                self.derived[one.name] += 1
        if missing and is_certain:
            self.orphans[row[0]] = missing

    def _missing_primary(self, looks: dict[int, Look], row: Row) -> tuple[tuple[str, str], ...]:
        missing = [one for one in self._primary if one[0] in looks and looks[one[0]].verdict is GONE]
        return tuple([(one.name, row[at]) for at, one in missing])

    def _unchecked_primary(self, row: Row) -> dict[int, Look]:
        return {
            at: Look(Verdict.UNKNOWN, self.survey.unchecked[one.id])
            for at, one in self._primary
            if row[at] and one.id in self.survey.unchecked
        }
