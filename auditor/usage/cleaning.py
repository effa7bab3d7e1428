"""Executes a plan for unused files, empties trashes and brings files back: looks again, tells, moves, looks again."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from auditor.auditlog.store import chunks
from auditor.errors import AuditorError, ExitCode
from auditor.orphans.survey import look_at_root
from auditor.usage import moving
from auditor.usage.bins import Binned, binned, length_of, tidy
from auditor.usage.names import Names
from auditor.usage.plan import FilesOutcome, Moved, RootPlan, UnusedFile, UnusedPlan
from auditor.usage.reading import named_now, read_names, read_undo
from auditor.usage.telling import Teller
from auditor.usage.used import NAMED, Used, used_now

MOVE_CHUNK = 500  # files that are asked for, told and moved together
UNDO = "a clean-up deleted a record of it, which can still be brought back"

Progress = Callable[[int], object]


@dataclass(slots=True, kw_only=True)
class Cleaning:
    """One run at work; the lists grow as files move, so that an interrupt can tell what was done."""

    teller: Teller
    roots: Sequence[str]
    progress: Progress = lambda _: None
    trashed: dict[Binned, int] = field(default_factory=dict)
    untrashed: list[Binned] = field(default_factory=list)
    freed: dict[Binned, int] = field(default_factory=dict)
    kept: list[tuple[Binned, str]] = field(default_factory=list)

    def trash(self, plan: UnusedPlan, *, frees: bool) -> None:
        """Moves the unused files into the trash; those that are named by now stay, or come back at the end.

        `frees` removes them for good after the last look.
        """
        for root in plan.roots:
            ensure_same(root, using=self.teller.using)
        self._make_trashes(plan)
        names = read_names(self.roots)
        for root in plan.roots:
            for some in chunks(root.unused, MOVE_CHUNK):
                files = {Binned(root.path, one.top, self.teller.run, _path(root, one.name)): one for one in some}
                self._trash(files, names)
        # What was committed between a question and a move, in whatever spelling, and what the hooks name now.
        used = used_now([one.path for one in self.trashed], self.roots)
        self.put_back({one: reason for one in self.trashed if (reason := used.reason(one.path))})
        if frees:
            self.free(list(self.trashed), used, read_undo(self.roots))
        tidy(self.roots)

    def _make_trashes(self, plan: UnusedPlan) -> None:
        """Makes the folders of all trashes well before the first move: the watcher has to listen there."""
        for top in {one.top for root in plan.roots for one in root.unused}:
            moving.make_trash(top, self.teller.run)
        for root in plan.roots:
            one_each = {(one.top, one.name.rpartition(b"/")[0]): one for one in root.unused}
            for one in one_each.values():
                moving.make_place(Binned(root.path, one.top, self.teller.run, _path(root, one.name)))

    def _trash(self, files: Mapping[Binned, UnusedFile], names: Names) -> None:
        asked = [one for one in files if not names.has(one.path)]
        named = named_now([_text(one.path) for one in asked], self.roots)
        going = {one: files[one] for one in asked if _text(one.path) not in named}
        self.kept += [(one, NAMED) for one in files if one not in going]
        self.teller.trashed([(one, seen.size) for one, seen in going.items()])
        stayed: list[Binned] = []
        for one, seen in going.items():
            if reason := moving.into_trash(one, seen.identity):
                self.kept.append((one, reason))
                stayed.append(one)
            else:
                self.trashed[one] = seen.size
        self.teller.untrashed(stayed, cause="kept")
        self.progress(len(files))

    def put_back(self, files: Mapping[Binned, str]) -> None:
        """Moves files back that are in use after all, and why."""
        self.teller.untrashed(list(files), cause="named")
        for one, why in files.items():
            reason = moving.out_of_trash(one)
            if reason:
                self.kept.append((one, f"{why}, and it is in the trash: {reason}"))
                self.teller.trashed([(one, self.trashed[one])], cause="still_there")
            else:
                del self.trashed[one]
                self.kept.append((one, why))

    def restore(self, run: UUID) -> None:
        """Moves all files of a run from the trash back to their own places; what has its place taken stays there."""
        for some in chunks(binned(self.roots, run), MOVE_CHUNK):
            sizes = {one: length_of(one.place) for one in some}
            self.teller.untrashed(some, cause="restored")
            left = []
            for one in some:
                if reason := moving.out_of_trash(one):
                    self.kept.append((one, reason))
                    left.append((one, sizes[one]))
                else:
                    self.untrashed.append(one)
            self.teller.trashed(left, cause="still_there")
            self.progress(len(some))
        tidy(self.roots)

    def empty(self, runs: Iterable[UUID]) -> None:
        """Removes all files of these runs from the trash for good, but for those that are in use by now."""
        files = [one for run in runs for one in binned(self.roots, run)]
        self.free(files, used_now([one.path for one in files], self.roots), read_undo(self.roots))
        tidy(self.roots)

    def free(self, files: Sequence[Binned], used: Used, undo: Names) -> None:
        """Removes files from the trash for good; one that is in use, and whose place is empty, is kept."""
        for some in chunks(files, MOVE_CHUNK):
            sizes: dict[Binned, int] = {}
            for one in some:
                reason = _still_wanted(one, used, undo)
                if reason:
                    self.kept.append((one, reason))
                else:
                    sizes[one] = length_of(one.place)
            self.teller.freed(list(sizes.items()))
            left = []
            for one, size in sizes.items():
                if reason := moving.remove(one):
                    self.kept.append((one, reason))
                    left.append((one, size))
                else:
                    self.freed[one] = size
                    self.trashed.pop(one, None)
            self.teller.trashed(left, cause="still_there")
            self.progress(len(some))

    def outcome(self) -> FilesOutcome:
        """What was done so far."""
        return FilesOutcome(
            trashed=tuple(_moved(one, size) for one, size in self.trashed.items()),
            untrashed=tuple(_moved(one) for one in self.untrashed),
            freed=tuple(_moved(one, size) for one, size in self.freed.items()),
            kept=tuple(_moved(one, reason=reason) for one, reason in self.kept),
        )

    def counts(self) -> dict[str, int]:
        """How many files went where, for the audit log."""
        return {"trashed": len(self.trashed), "untrashed": len(self.untrashed), "freed": len(self.freed)}


def _still_wanted(one: Binned, used: Used, undo: Names) -> str:
    if used.names.has(one.place):
        return NAMED
    if os.path.lexists(one.path):
        return ""
    return used.reason(one.path) or (UNDO if undo.has(one.path) else "")


def _moved(one: Binned, size: int = 0, reason: str = "") -> Moved:
    return Moved(one.root, one.name, size, str(one.run), one.to, reason)


def _path(root: RootPlan, name: bytes) -> bytes:
    return os.fsencode(root.path).rstrip(b"/") + b"/" + name


def _text(path: bytes) -> str:
    """A path as a database could hold it; bytes that are no text stand for nothing in there."""
    return path.decode(errors="backslashreplace")


def ensure_same(root: RootPlan, *, using: str) -> None:
    """Raises AuditorError (refused: root) unless the root is the folder that was walked."""
    if look_at_root(root.path, None, using=using).identity != root.identity:
        raise AuditorError(
            f"The media root {root.path} is not the folder it was a moment ago, so nothing was moved.",
            hint="Something was mounted or moved there: look at it, then run the command again.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
