"""The end of a check: what is new, what has healed, and what was not looked at, beside all earlier checks."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from auditor.auditlog import store
from auditor.integrity import history
from auditor.integrity.check import Check
from auditor.integrity.findings import Finding, Kind, Report, Reported
from auditor.integrity.history import History, Scope
from auditor.integrity.tree import Tree
from auditor.integrity.walk import why_unreadable
from auditor.usage.sources import places as file_places

OF_IMAGES = frozenset({Kind.BROKEN_IMAGE, Kind.TOO_LARGE, Kind.WRONG_SIZE})
OF_SUMS = frozenset({Kind.ROTTEN, Kind.REPLACED, Kind.FIRST_SEEN})
OF_PERMISSIONS = ("EACCES", "EPERM")  # of which the opening of a file tells; of others only its reading


def conclude(check: Check, uid: UUID, started_at: datetime) -> Report:
    """The report of the check, once it is written down what is new and what has healed."""
    using, content, unused, found = check.using, check.content, check.unused_plan, check.found.findings
    known, scope = history.read_history(using=using), scope_of(check)
    counts = Counter(one.kind for one in found)
    counts[Kind.UNUSED] = unused.total if unused else 0
    counts[Kind.FIRST_SEEN] = content.first_seen if content else 0
    reported = [known.reported(one) for one in found]
    healed, still_open = settled(check, known)
    now = store.database_time(using)
    kept = [one for one in reported if one.finding.kind.is_kept]
    history.keep(kept, healed, known, using=using, now=now)
    history.keep_check(uid, scope, counts, started_at=started_at, now=now, using=using)
    return Report(
        roots=scope.roots,
        findings=reported,
        counts={kind: counts[kind] for kind in Kind if counts[kind]},
        models=check.models,
        disk=check.disk_figures(),
        unused=unused,
        reading=content.reading if content else None,
        healed=healed,
        still_open=still_open,
        not_looked_at=check.not_looked_at,
        acknowledged=check.found.acknowledged,
        unused_before=known.last_count(Kind.UNUSED, scope) if unused else None,
    )


def scope_of(check: Check) -> Scope:
    """What a check has looked for to the end, and where."""
    kinds = {kind for kind in Kind if not kind.in_content}
    if not check.unused_plan:
        kinds.discard(Kind.UNUSED)
    if check.content and check.content.reading.is_complete:
        kinds |= {kind for kind in OF_SUMS | OF_IMAGES if is_asked_for(check, kind)}
    return Scope(
        kinds=frozenset(kind.word for kind in kinds),
        roots=frozenset(check.places.by_root),
        models=check.wanted.models,
        paths=check.wanted.prefixes,
    )


def is_asked_for(check: Check, kind: Kind) -> bool:
    """Whether a check looks for such findings."""
    return not kind.in_content or (check.asked.sums if kind in OF_SUMS else check.asked.deep)


def settled(check: Check, known: History) -> tuple[list[Reported], list[Reported]]:
    """The findings of earlier checks that this one has not: those that have healed, and those not looked at."""
    seen = {one.digest for one in check.found.findings}
    doubtful = {(one.model, one.key, one.field) for one in check.found.findings if one.kind is Kind.UNKNOWN}
    roots, places = check.places, file_places()
    in_use = {*roots.by_root, *roots.refused, *places.roots, *places.left_out}
    healed: list[Reported] = []
    still_open: list[Reported] = []
    for digest, (_, one) in known.known.items():
        if digest in seen or not check.wanted.covers(one.finding):
            continue
        is_doubtful = (one.finding.model, one.finding.key, one.finding.field) in doubtful
        is_seen = not is_doubtful and _was_looked_at(check, one.finding)
        is_settled = is_seen or _is_given_up(check, one.finding.root, in_use)
        (healed if is_settled else still_open).append(one)
    return healed, still_open


def _is_given_up(check: Check, root: str, in_use: Collection[str]) -> bool:
    """Whether no field uses a place any more; one that is no folder may be that of a field that cannot be judged."""
    return root not in in_use and (root.startswith("/") or not check.places.unjudged)


def _was_looked_at(check: Check, finding: Finding) -> bool:
    place = check.places.by_root.get(finding.root)
    if place is None or f"{finding.model}.{finding.field}" in check.places.unjudged:
        return False
    tree, path = place.tree, place.prefix + finding.path
    if place.disk:
        return True
    if tree.is_hidden(path):
        return False
    if finding.kind is Kind.UNREADABLE:
        return not tree.is_on_disk(path) or _was_read(check, finding.kind, tree, path) or _opens(finding, tree, path)
    if finding.kind in OF_SUMS | OF_IMAGES:  # of files that a record names: no others are ever read
        return not (tree.is_on_disk(path) and tree.is_named(path)) or _was_read(check, finding.kind, tree, path)
    return True


def _opens(finding: Finding, tree: Tree, path: str) -> bool:
    return finding.detail.startswith(OF_PERMISSIONS) and not why_unreadable(f"{tree.root}/{path}")


def _was_read(check: Check, kind: Kind, tree: Tree, path: str) -> bool:
    looked_at = check.content.looked_at if check.content else {}
    return is_asked_for(check, kind) and path in looked_at.get(tree.root, ())
