"""Finds where the files of orphans were moved to, by the audit log; the disk has the last word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.auditlog.events import is_too_long
from auditor.models import Root
from auditor.orphans.columns import columns_of
from auditor.orphans.disk import is_plain_file
from auditor.orphans.plan import Evidence, Fate, Finding, Move, Orphan, Plan
from auditor.orphans.registry import AuditedModel
from auditor.orphans.trails import Stay, Trails
from auditor.wishes import RelinkWanted


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a file is now, or in words for a person why its record cannot be pointed at it."""

    to: str = ""
    why: str = ""


NOWHERE = Whereabouts()


def trace(plan: Plan, audited: Sequence[AuditedModel], *, using: str) -> Plan:
    """The plan with the moves that the audit log saw; an orphan whose missing files were all moved is only MOVED.

    A name that another record holds as well is allowed where the column allows it: both then share the file.
    Only reads.
    """
    roots = roots_of(audited)
    found = {root: whereabouts(root, names, using) for root, names in missing_names(plan, roots).items()}
    if not any(found.values()):
        return plan

    def where_is(model: str, field: str, name: str) -> Whereabouts:
        return found.get(roots[model, field], {}).get(name, NOWHERE)

    columns = columns_of(plan, audited, lambda *missing: where_is(*missing).to, using=using)

    def change(finding: Finding, orphan: Orphan) -> Orphan:
        moves, reasons, objections = [], [], 0
        for field, name in orphan.missing:
            where = where_is(finding.model, field, name)
            objection = where.to and columns[finding.model, field].objection(where.to)
            if where.to and not objection:
                moves.append(Move(field, name, where.to, Evidence.SEEN))
            elif where.to or where.why:
                objections += bool(where.to)
                reasons.append(where.why or f"moved to {where.to}: {objection}")
        return _moved(orphan, tuple(moves), objections, reasons)

    return plan.changed(change)


def _moved(orphan: Orphan, moves: tuple[Move, ...], objections: int, reasons: Sequence[str]) -> Orphan:
    # A file that is there under a name which the record cannot hold is not lost either.
    is_whole = len(moves) + objections == len(orphan.missing) and orphan.fate is Fate.DELETE
    fate = Fate.MOVED if is_whole else orphan.fate
    return replace(orphan, moves=moves, fate=fate, why=orphan.why or "; ".join(reasons))


def decide(plan: Plan, wanted: RelinkWanted, *, delete_moved: bool = False) -> Plan:
    """The plan with the moves that are wanted carried out, and the records of the others kept or deleted.

    An orphan is relinked as a whole or not at all; one whose files seem to be elsewhere, each of them, is kept.
    """

    def change(_: Finding, orphan: Orphan) -> Orphan:
        if orphan.fate not in (Fate.DELETE, Fate.MOVED):
            return orphan
        fate = _fate(orphan, wanted, delete_moved)
        return orphan if fate is orphan.fate else replace(orphan, fate=fate)

    return plan.changed(change)


def _fate(orphan: Orphan, wanted: RelinkWanted, delete_moved: bool) -> Fate:
    if not orphan.moves:
        return Fate.DELETE if delete_moved else orphan.fate
    is_whole = {move.field for move in orphan.moves} == {field for field, _ in orphan.missing}
    if is_whole and (wanted is RelinkWanted.PROPOSED or (orphan.was_seen_moving and wanted is RelinkWanted.SEEN)):
        return Fate.RELINK
    is_somewhere = is_whole or orphan.fate is Fate.MOVED
    return Fate.MOVED if is_somewhere and not delete_moved else Fate.DELETE


def roots_of(audited: Iterable[AuditedModel]) -> dict[tuple[str, str], str]:
    """{(model, field): the real path of the folder that the field keeps its files in}."""
    return {(one.id, field.name): field.root or "" for one in audited for field in one.fields}


def missing_names(plan: Plan, roots: Mapping[tuple[str, str], str]) -> dict[str, set[str]]:
    """{root: the names in it that orphans miss}."""
    names: dict[str, set[str]] = {}
    for finding, orphan in plan.orphans():
        for field, name in orphan.missing:
            names.setdefault(roots[finding.model, field], set()).add(name)
    return names


def whereabouts(path: str, names: Iterable[str], using: str) -> dict[str, Whereabouts]:
    """{name: Whereabouts} of those names in a root whose file was seen moving."""
    root = Root.objects.using(using).filter(path=path).first()
    if root is None:
        return {}
    trails = Trails(root.pk, using).follow([name for name in names if not is_too_long(name)])
    return {name: _end_of(path, stays) for name, stays in trails.items()}


def _end_of(root: str, stays: Sequence[Stay]) -> Whereabouts:
    last = stays[-1]
    if last.left is not None:
        return Whereabouts(why=f"moved to {last.name}, where it is no longer")
    if not is_plain_file(root, last.name):
        return Whereabouts(why=f"moved to {last.name}, where no file is")
    return Whereabouts(to=last.name)
