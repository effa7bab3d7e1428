"""What earlier checks have found: which findings are new, which have healed, and since when."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from auditor import locks
from auditor.auditlog.events import readable
from auditor.auditlog.store import CHUNK, chunks
from auditor.integrity.findings import Finding, Kind, Reported
from auditor.models import IntegrityCheck, OpenFinding

CHECK = "integrity-check"  # the lock's name
CHECKS_KEPT = 100
COLUMNS = ("digest", "kind", "root", "path", "model", "key", "field", "detail")
KINDS = {kind.word: kind for kind in Kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a check has looked for, and where; no models and no paths are all of them."""

    kinds: frozenset[str]
    roots: frozenset[str]
    models: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Whether the check would have found it."""
        return (
            finding.kind.word in self.kinds
            and finding.root in self.roots
            and (not self.models or not finding.model or finding.model.lower() in self.models)
            and (not self.paths or finding.path.startswith(self.paths))
        )

    def stored(self) -> dict[str, Any]:
        """The scope as JSON."""
        return {
            "kinds": sorted(self.kinds),
            "roots": sorted(self.roots),
            "models": list(self.models),
            "paths": list(self.paths),
        }


def scope_of(stored: Mapping[str, Any]) -> Scope:
    """The scope that was stored."""
    return Scope(
        kinds=frozenset(stored["kinds"]),
        roots=frozenset(stored["roots"]),
        models=tuple(stored["models"]),
        paths=tuple(stored["paths"]),
    )


@dataclass(slots=True)
class History:
    """The findings that are open, {digest: (row's key, Reported)}, and the earlier checks, the latest first."""

    known: dict[str, tuple[int, Reported]]
    checks: Sequence[tuple[Scope, datetime, Mapping[str, int]]]

    def reported(self, finding: Finding) -> Reported:
        """The finding with its history."""
        _, known = self.known.get(finding.digest, (0, None))
        if known:
            # What was true of the sound file is known only to the check that found it first.
            finding = known.finding if finding.kind is Kind.ROTTEN else finding
            return Reported(finding=finding, found_at=known.found_at)
        return Reported(finding=finding, new_since=self.last_look(finding))

    def last_look(self, finding: Finding) -> datetime | None:
        """When a check last looked for such a finding at its place; None if none ever has."""
        return next((at for scope, at, _ in self.checks if scope.covers(finding)), None)

    def last_count(self, kind: Kind, scope: Scope) -> tuple[int, datetime] | None:
        """How many findings of a kind the last check of the same scope had, and when that was."""
        return next(
            (
                (counts.get(kind.word, 0), at)
                for other, at, counts in self.checks
                if kind.word in other.kinds
                and (other.roots, other.models, other.paths) == (scope.roots, scope.models, scope.paths)
            ),
            None,
        )


def one_check_at_a_time(using: str) -> AbstractContextManager[None]:
    """Within it, no other check of this database reads files, or says what is new.

    Raises AuditorError (refused: locked), naming the holder, if one does already.
    """
    return locks.held(CHECK, using=using, busy="Another check")


def read_history(*, using: str) -> History:
    """What earlier checks have left."""
    rows = OpenFinding.objects.using(using).filter(kind__in=list(KINDS))
    known = {row.digest: (row.pk, Reported(finding=_finding(row), found_at=row.found_at)) for row in rows.iterator()}
    checks = IntegrityCheck.objects.using(using).order_by("-finished_at")[:CHECKS_KEPT]
    return History(known, [(scope_of(one.scope), one.finished_at, one.counts) for one in checks])


def _finding(row: OpenFinding) -> Finding:
    return Finding(
        kind=KINDS[row.kind],
        root=row.root,
        path=row.path,
        model=row.model,
        key=row.key,
        field=row.field,
        detail=row.detail,
    )


def keep(
    reported: Iterable[Reported], healed: Iterable[Reported], history: History, *, using: str, now: datetime
) -> None:
    """Writes the new findings down and forgets the healed ones, in one transaction."""
    with transaction.atomic(using):
        some = list(reported)
        new = [_row(one.finding, now) for one in some if one.found_at is None]
        OpenFinding.objects.using(using).bulk_create(new, batch_size=CHUNK // 10, ignore_conflicts=True)
        seen = [history.known[one.finding.digest][0] for one in some if one.found_at is not None]
        for keys in chunks(seen, CHUNK):
            OpenFinding.objects.using(using).filter(pk__in=keys).update(seen_at=now)
        gone = [history.known[one.finding.digest][0] for one in healed]
        for keys in chunks(gone, CHUNK):
            OpenFinding.objects.using(using).filter(pk__in=keys).delete()


def keep_check(
    uid: UUID, scope: Scope, counts: Mapping[Kind, int], *, started_at: datetime, now: datetime, using: str
) -> None:
    """Writes down that a check reached its end; only the latest hundred are kept."""
    checks = IntegrityCheck.objects.using(using)
    checks.create(
        uid=uid,
        started_at=started_at,
        finished_at=now,
        scope=scope.stored(),
        counts={kind.word: count for kind, count in counts.items()},
    )
    old = list(checks.order_by("-finished_at").values_list("pk", flat=True)[CHECKS_KEPT:])
    checks.filter(pk__in=old).delete()


def _row(finding: Finding, now: datetime) -> OpenFinding:
    return OpenFinding(
        digest=finding.digest,
        kind=finding.kind.word,
        root=text(finding.root),
        path=text(finding.path),
        model=finding.model,
        key=finding.key,
        field=finding.field,
        detail=text(finding.detail),
        found_at=now,
        seen_at=now,
    )


def text(name: str) -> str:
    """A name as a database can hold it: bytes that are no text, and what PostgreSQL does not take, written out."""
    try:
        return readable(name.encode(errors="surrogateescape"))[0].replace("\0", "\\0")
    except UnicodeEncodeError:
        return name.encode(errors="backslashreplace").decode().replace("\0", "\\0")
