"""A site with a media folder, records, a state directory and watchers that are programs of their own."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from auditor.auditlog.store import DELETIONS
from auditor.models import Checkpoint, Event, Root, Span
from auditor.orphans.finder import find
from auditor.orphans.plan import Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey
from tests.faults.history import Findings, History
from tests.faults.programs import Watcher, moment_of
from tests.faults.table import ROWS, Row
from tests.makers import make_file, make_photo, real
from tests.running import PROJECT, environment
from tests.watcher.waiting import wait_until

CLEAN = Findings()


def now() -> datetime:
    return datetime.now(UTC)


class Site:
    """What the test has of the site; `ending` runs when the test is over, `extra` goes to all its programs."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self.folder = folder
        self.media, self.outside, self.state = folder / "media", folder / "outside", folder / "state"
        for place in (self.media, self.outside, self.state):
            place.mkdir()
        self.history = History(self.media)
        self.ending = ending
        self.watchers: list[Watcher] = []
        self.extra: dict[str, str] = {}

    @property
    def root(self) -> Root:
        return Root.objects.get(path=real(self.media))

    def photo(self, name: str) -> str:
        """A file that a record names."""
        make_photo(name, media=self.media)
        self.history.references.add(name)
        return name

    def file(self, name: str) -> str:
        """A file that no record names."""
        make_file(self.media, name, b"")
        return name

    def environment(self, **extra: str) -> dict[str, str]:
        """What a program of this site is started with."""
        own = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "STATE_DIRECTORY": str(self.state)}
        return environment(**own | self.extra | extra)

    def launch(self, *through: str, **extra: str) -> Watcher:
        """Starts a watcher."""
        log = self.folder / f"{len(self.watchers)}-{uuid4()}.jsonl"
        watcher = Watcher(log, self.environment(**extra), through=through)
        self.ending.callback(watcher.kill)
        self.watchers.append(watcher)
        return watcher

    def covered(self, *through: str, **extra: str) -> Watcher:
        """Starts a watcher, and waits until the log can answer."""
        watcher = self.launch(*through, **extra)
        self.wait_covered(now())
        return watcher

    def is_covered(self, since: datetime) -> bool:
        """Whether the log vouches for all up to that moment, a checkpoint included."""
        span = Span.objects.filter(root__path=real(self.media), closed_at=None, covered_until__gte=since).first()
        if span is None:
            return False
        return Checkpoint.objects.filter(span=span, made_at__lte=span.covered_until).exists()

    def wait_covered(self, since: datetime, *, seconds: float = 40.0) -> datetime:
        """When the log could vouch for all up to that moment; fails at once if no watcher is left."""
        wait_until(lambda: self.is_covered(since) or not self._is_watched(), seconds=seconds)
        assert self.is_covered(since), f"no watcher is left: {self.watchers[-1].log.read_text()[-2_000:]}"
        return now()

    def supervise(self, since: datetime, *, seconds: float = 60.0, **extra: str) -> datetime:
        """As `wait_covered`, but a watcher that ends is started again, as its supervisor would."""

        def is_covered() -> bool:
            if not self.watchers[-1].is_running:
                self.launch(**extra)
            return self.is_covered(since)

        wait_until(is_covered, seconds=seconds)
        return now()

    def health(self) -> int:
        """The exit code of the health check."""
        command = [sys.executable, "-m", "watcher", "--health"]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment(), capture_output=True, timeout=60, check=False
        )
        return done.returncode

    def deletions(self) -> list[tuple[str, str]]:
        """(type, path) of all that the log says is gone, in its order."""
        rows = Event.objects.filter(type__in=DELETIONS).order_by("position")
        return list(rows.values_list("type", "path"))

    def wait_for_deletions(self, *names: str, seconds: float = 30.0) -> None:
        """Waits until the log has each of these files once at least."""
        wait_until(lambda: {("file.deleted", name) for name in names} <= set(self.deletions()), seconds=seconds)

    def gaps(self) -> list[str]:
        """Why the spans of the log were closed, in their order; an open one is "" ."""
        spans = Span.objects.filter(root=self.root).order_by("opened_position")
        return list(spans.values_list("closed_reason", flat=True))

    def conclude(self, fault: str, *, began: datetime, ended: datetime | None = None) -> Findings:
        """Waits until the log can answer again, adds the row of this fault to the table and holds the law.

        Gives back where the log differs from what was done.
        """
        ended = ended or began
        covered = self.wait_covered(ended)
        self.wait_covered(now())
        findings = self.history.check(self.root)
        ROWS.append(
            Row(
                fault=fault,
                noticed_after=self._noticed_after(began),
                covered_after=max(0.0, (covered - ended).total_seconds()),
                lost_in_gaps=findings.lost_in_gaps,
                lost=len(findings.lost),
                invented=len(findings.invented),
            )
        )
        self._assert_law()
        return findings

    def _is_watched(self) -> bool:
        return any(watcher.is_running for watcher in self.watchers)

    def _noticed_after(self, began: datetime) -> float | None:
        closed = [moment_of(line) for watcher in self.watchers for line in watcher.named("span.closed")]
        return min(((moment - began).total_seconds() for moment in closed if moment >= began), default=None)

    def _assert_law(self) -> None:
        by_log, by_scan = plan_by(RouteKind.LOG), plan_by(RouteKind.SCAN)
        gone = {name for name in self.history.references if not os.path.lexists(self.media / name)}

        assert by_log.findings == by_scan.findings
        assert {path for one in by_log.findings for orphan in one.orphans for _, path in orphan.missing} == gone


def plan_by(kind: RouteKind) -> Plan:
    """What a clean-up would find by this route; AuditorError if the log cannot answer."""
    audited = [one for one in audited_models() if one.named]
    return find(audited, make_survey(audited, using="default", wanted=kind))
