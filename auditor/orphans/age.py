"""Lets records wait whose file has not been missing for long enough, and notes what is missing for later runs."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TypeAlias

from django.db import transaction

from auditor.auditlog import absences, clocks, store
from auditor.auditlog.clocks import ReadClocks, read_clocks
from auditor.auditlog.elapsed import Elapsed
from auditor.durations import in_words
from auditor.models import ClockReading, Root
from auditor.orphans.disk import is_as_spelled
from auditor.orphans.plan import Fate, Finding, Orphan, Outcome, Plan
from auditor.orphans.route import RouteKind

IsJudged: TypeAlias = Callable[[str, str], bool]  # of a root's path and a name


def aged(plan: Plan, minimum_seconds: float, *, using: str, read: ReadClocks = read_clocks) -> Plan:
    """The plan with the age of every orphan, and those that were to be deleted and are too young as waiting.

    An age is that of the file that has been missing longest; it may be too short, never too long. Only reads.
    """
    roots = _roots(plan)
    ages = _ages(plan, _missing(plan, roots), using, read)

    def with_age(finding: Finding, orphan: Orphan) -> Orphan:
        sure = max(ages.get(place, 0.0) for place in _places(finding, orphan, roots))
        if orphan.fate is not Fate.DELETE or sure >= minimum_seconds:
            return replace(orphan, missing_seconds=sure)
        why = f"missing for at least {in_words(sure)}, {in_words(minimum_seconds)} are asked for"
        return replace(orphan, missing_seconds=sure, fate=Fate.WAITING, why=why)

    return plan.changed(with_age)


def remember(
    plan: Plan,
    outcome: Outcome | None = None,
    *,
    using: str,
    is_judged: IsJudged | None = None,
    read: ReadClocks = read_clocks,
) -> None:
    """Notes which names are missing, so that a later run knows for how long they have been.

    What the outcome has deleted needs no note.
    Where the plan does not tell of every name that is missing, `is_judged` says of which it does: the others are
    left as they are.
    """
    roots = _roots(plan)
    missing = _missing(plan, roots, {(one.model, one.orphan.key) for one in outcome.deleted} if outcome else ())
    unknown = {(roots.get(f"{one.model}.{one.field}"), one.name) for one in plan.unknown}
    reading = _keep_reading(using, read)
    elapsed = clocks.elapsed(using=using, read=read)
    for path in plan.routes:
        root = store.register_root(path, using=using)
        known = _readings(plan, root, missing[path], elapsed, using)
        absences.note(
            root,
            {name: known.get(name, reading.pk) for name in missing[path]},
            reading,
            is_back=partial(_is_back, missing[path], unknown, is_judged, path),
            is_complete=is_judged is None,
            using=using,
        )


def _is_back(
    missing: set[str], unknown: set[tuple[str | None, str]], is_judged: IsJudged | None, root: str, name: str
) -> bool:
    is_open = name in missing or (root, name) in unknown
    return not is_open and (is_judged is None or is_judged(root, name))


def _keep_reading(using: str, read: ReadClocks) -> ClockReading:
    # A transaction of its own: while the head is locked, the watcher cannot write.
    with transaction.atomic(using):
        head = store.lock_head(using)
        return clocks.keep_reading(head.position, read(using), using=using)


def _roots(plan: Plan) -> dict[str, str]:
    """{field: root}, fields as 'app.Model.field'."""
    return {field: root for root, fields in plan.routes.items() for field in fields}


def _places(finding: Finding, orphan: Orphan, roots: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The root and the name of every missing primary file."""
    for field, name in orphan.missing:
        yield roots[f"{finding.model}.{field}"], name


def _missing(
    plan: Plan, roots: Mapping[str, str], gone: Collection[tuple[str, object]] = ()
) -> defaultdict[str, set[str]]:
    """{root: names} of the orphans' missing files, but for those (model, key) that are gone."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for finding, orphan in plan.orphans():
        for root, name in _places(finding, orphan, roots) if (finding.model, orphan.key) not in gone else ():
            names[root].add(name)
    return names


def _ages(plan: Plan, missing: Mapping[str, set[str]], using: str, read: ReadClocks) -> dict[tuple[str, str], float]:
    """{(root, name): seconds} of those names of which it is known since when they are missing."""
    known = Root.objects.using(using).filter(path__in=list(missing))
    elapsed = clocks.elapsed(using=using, read=read)
    return {
        (root.path, name): elapsed.seconds_since(number)
        for root in known
        for name, number in _readings(plan, root, missing[root.path], elapsed, using).items()
    }


def _readings(plan: Plan, root: Root, names: set[str], elapsed: Elapsed, using: str) -> dict[str, int]:
    is_plain = cache(partial(is_as_spelled, root.path))  # the log speaks of entries as the disk spells them

    def can_follow(name: str) -> bool:
        return is_plain(name[: name.rfind("/") + 1])

    is_covered = any(route.kind is RouteKind.LOG for route in plan.routes[root.path].values())
    return absences.readings_of(root, names, elapsed, can_follow=can_follow, is_covered=is_covered, using=using)
