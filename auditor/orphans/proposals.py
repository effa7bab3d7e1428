"""Proposes files that nobody names for those that are missing, where nobody has seen a move."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.orphans.columns import columns_of
from auditor.orphans.fingerprints import Print, known_prints
from auditor.orphans.moves import roots_of
from auditor.orphans.plan import Evidence, Finding, Move, Orphan, Plan
from auditor.orphans.registry import AuditedModel
from auditor.orphans.unreferenced import Found, Wanted, can_hold, find_files, referenced


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file for a missing one, and why."""

    to: str
    evidence: Evidence


def propose(plan: Plan, audited: Sequence[AuditedModel], *, using: str) -> Plan:
    """The plan with a proposed move for each missing file for which just one other file can be meant.

    That file is named by no record, and proposed once: no two records are ever pointed at one file.
    The fates stay as they are. Only reads.
    Each root that misses something is walked, and all references are read once, but not where what the scan has left
    over shows that there can be no such file.
    """
    roots = roots_of(audited)
    lost = _lost(plan, roots)
    known = {root: known_prints(root, names, using=using) for root, names in lost.items()}
    wanted = {root: _wanted(names, known[root]) for root, names in lost.items()}
    leftovers = {seen.path: seen.leftovers for seen in plan.roots}
    if not any(can_hold(root, some, leftovers.get(root, {})) for root, some in wanted.items()):
        return plan
    files = {root: find_files(root, some) for root, some in wanted.items()}
    paths = {f"{root}/{one.name}" for root, found in files.items() for one in found} - _promised(plan, roots)
    free = paths - referenced(paths, lost, using)
    proposals = {
        root: match(names, [one for one in files[root] if f"{root}/{one.name}" in free], known[root])
        for root, names in lost.items()
    }
    # A root may lie in another one: a file is seen in both.
    claimed = Counter(f"{root}/{one.to}" for root, some in proposals.items() for one in some.values())
    proposals = {
        root: {name: one for name, one in some.items() if claimed[f"{root}/{one.to}"] == 1}
        for root, some in proposals.items()
    }
    return _with(plan, audited, proposals, using) if any(proposals.values()) else plan


def _with(
    plan: Plan, audited: Sequence[AuditedModel], proposals: Mapping[str, Mapping[str, Proposal]], using: str
) -> Plan:
    roots = roots_of(audited)

    def proposal_for(model: str, field: str, name: str) -> Proposal | None:
        return proposals.get(roots[model, field], {}).get(name)

    def new_name(model: str, field: str, name: str) -> str:
        proposal = proposal_for(model, field, name)
        return proposal.to if proposal else ""

    columns = columns_of(plan, audited, new_name, using=using)

    def change(finding: Finding, orphan: Orphan) -> Orphan:
        moves = list(orphan.moves)
        for field, name in orphan.missing:
            proposal = proposal_for(finding.model, field, name)
            if proposal and not columns[finding.model, field].objection(proposal.to):
                moves.append(Move(field, name, proposal.to, proposal.evidence))
        return replace(orphan, moves=tuple(moves))

    return plan.changed(change)


def match(lost: Iterable[str], files: Sequence[Found], known: Mapping[str, Print]) -> dict[str, Proposal]:
    """{missing name: Proposal} where one file alone fits the name, and the name alone is fitted by the file."""
    by_base: defaultdict[str, list[Found]] = defaultdict(list)
    by_identity: defaultdict[str, list[Found]] = defaultdict(list)
    for one in files:
        by_base[_base(one.name)].append(one)
        by_identity[one.identity].append(one)
    claims: dict[str, tuple[Evidence, list[Found]]] = {}
    for name in lost:
        seen = known.get(name)
        likely = by_base[_base(name)] + (by_identity[seen.identity] if seen else [])
        claims[name] = _best(name, seen, likely)
    claimed = Counter(one.name for _, fitting in claims.values() for one in fitting)
    return {
        name: Proposal(fitting[0].name, evidence)
        for name, (evidence, fitting) in claims.items()
        if len(fitting) == 1 and claimed[fitting[0].name] == 1
    }


def _best(name: str, seen: Print | None, likely: Sequence[Found]) -> tuple[Evidence, list[Found]]:
    """The files with the strongest evidence that there is; a size that is known must be that of the file."""
    if seen is None:
        return Evidence.SAME_NAME, list(likely)
    # An inode is soon given to another file: it has to have the same size, or the same base name, as well.
    same = {
        one.name: one
        for one in likely
        if one.identity == seen.identity and (one.size == seen.size or _base(one.name) == _base(name))
    }
    if same:
        return Evidence.SAME_INODE, list(same.values())
    return Evidence.SAME_SIZE, [one for one in likely if one.size == seen.size and _base(one.name) == _base(name)]


def _promised(plan: Plan, roots: Mapping[tuple[str, str], str]) -> set[str]:
    """The full paths of the files of which a move was seen."""
    return {
        f"{roots[finding.model, one.field]}/{one.to}" for finding, orphan in plan.orphans() for one in orphan.moves
    }


def _lost(plan: Plan, roots: Mapping[tuple[str, str], str]) -> dict[str, list[str]]:
    """{root: the names that one record misses, and of which no move was seen}."""
    missing: dict[str, Counter[str]] = {}
    for finding, orphan in plan.orphans():
        found = {move.field for move in orphan.moves}
        for field, name in orphan.missing:
            # One that is found elsewhere counts twice, and so is no name to look for.
            missing.setdefault(roots[finding.model, field], Counter())[name] += 2 if field in found else 1
    lost = {root: [name for name, count in names.items() if count == 1] for root, names in missing.items()}
    return {root: names for root, names in lost.items() if names and os.path.isabs(root)}  # and no adapter's place


def _wanted(names: Iterable[str], known: Mapping[str, Print]) -> Wanted:
    inodes = {int(seen.identity.rpartition(":")[2]) for seen in known.values()}
    return Wanted(frozenset(map(_base, names)), frozenset(inodes))


def _base(name: str) -> str:
    return name.rpartition("/")[2]
