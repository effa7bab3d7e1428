"""Finds the files that nothing names: reads all names, walks all roots, and ends in a plan. Only reads."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from auditor.auditlog.events import readable
from auditor.errors import AuditorError, ExitCode
from auditor.memory import seldom_collected
from auditor.models import MissingFile, Root
from auditor.orphans.plan import RootSeen
from auditor.orphans.survey import look_at_root
from auditor.usage import keeping, sources
from auditor.usage.names import Names
from auditor.usage.plan import RootPlan, UnusedFile, UnusedPlan
from auditor.usage.reading import Progress, read_names, read_undo
from auditor.usage.used import mentioned_of
from auditor.usage.walk import (
    Context,
    Ground,
    Seen,
    Walk,
    base_of,
    missed_elsewhere,
    settled,
    without_mentioned,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asks for: how old a file must be at least, and what else stays."""

    min_age_seconds: int
    patterns: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Survey:
    """The roots as they are before the first name is read, and the folders that are left out: {folder: reason}."""

    roots: dict[str, RootSeen] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)


def make_survey(*, using: str) -> Survey:
    """Makes sure of the roots. Only reads.

    Raises AuditorError (refused: root) if one that the database knows cannot be read or is another folder, or if
    there is none in which a file could be unused.
    """
    places = sources.places()
    survey = Survey(left_out=dict(places.left_out), elsewhere=places.elsewhere)
    absent: list[AuditorError] = []
    for root in places.roots:
        if reason := keeping.own_files(root):
            survey.left_out[root] = reason
            continue
        try:
            survey.roots[root] = look_at_root(root, None, using=using)
        except AuditorError as error:
            # A folder is made when the first file is saved.
            if os.path.lexists(root) or Root.objects.using(using).filter(path=root).exists():
                raise
            absent.append(error)
    if not survey.roots:
        _refuse(survey, absent)
    return survey


def _refuse(survey: Survey, absent: Sequence[AuditorError]) -> None:
    for root, reason in survey.left_out.items():
        raise AuditorError(
            f"No file in {root} can be called unused: {reason}.",
            hint="Give the uploads a folder of their own, or a storage that keeps each file under its own name.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    if absent:
        raise absent[0]
    raise AuditorError(
        "No model keeps files in a folder of this machine: there is nothing to look through.",
        hint="Look at INSTALLED_APPS: is the app with the uploads in it?",
        exit_code=ExitCode.REFUSED_ROOT,
    )


def find(
    survey: Survey, wanted: Wanted, *, min_age: str = "", using: str, progress: Progress = lambda _: None
) -> UnusedPlan:
    """The plan for all roots; `min_age` is the age as it was written.

    Raises AuditorError where something that names files cannot be asked.
    """
    with seldom_collected():
        return _find(survey, wanted, min_age, using, progress)


def _find(survey: Survey, wanted: Wanted, min_age: str, using: str, progress: Progress) -> UnusedPlan:
    roots, seen = list(survey.roots), Seen()
    names, undo = read_names(roots, progress=progress), read_undo(roots)
    youngest = now_ns() - wanted.min_age_seconds * 1_000_000_000
    walks = {
        root: Walk(_ground(one, roots, names, undo, wanted, youngest, using), seen).run()
        for root, one in survey.roots.items()
    }
    context = Context(
        linked=frozenset(path for path in seen.linked if not any(_is_above(path, root) for root in roots)),
        twice=seen.twice,
        moved=_moved(names, roots, using),
        missed=seen.missed | missed_elsewhere(names, seen) | _missed_undo(undo),
    )
    unused = {root: settled(walk, context) for root, walk in walks.items()}
    in_texts = mentioned_of(one.name for some in unused.values() for one in some)
    return UnusedPlan(
        roots=tuple(
            _root_plan(survey.roots[root], walk, without_mentioned(walk, unused[root], in_texts))
            for root, walk in walks.items()
        ),
        left_out=survey.left_out,
        elsewhere=survey.elsewhere,
        min_age=min_age,
    )


def now_ns() -> int:
    """The time by this machine's clock, in nanoseconds since 1970: that of a file's times, unless it is far away."""
    return time.time_ns()


def _ground(
    seen: RootSeen, roots: Sequence[str], names: Names, undo: Names, wanted: Wanted, youngest_ns: int, using: str
) -> Ground:
    known = Root.objects.using(using).filter(path=seen.path).values_list("mounts", flat=True).first() or []
    path = os.fsencode(seen.path)
    cut = len(path.rstrip(b"/")) + 1
    return Ground(
        root=path,
        names=names,
        undo=undo,
        rules=keeping.rules_for(seen.path, roots, wanted.patterns),
        mounts={one.point: readable(one.point[cut:])[0] in known for one in seen.mounted.inside},
        unmounted=frozenset(os.fsencode(os.path.join(seen.path, name)) for name in seen.unmounted),
        others=frozenset(os.fsencode(one) for one in roots if one != seen.path),
        youngest_ns=youngest_ns,
    )


def _root_plan(seen: RootSeen, walk: Walk, unused: Sequence[UnusedFile]) -> RootPlan:
    return RootPlan(
        path=seen.path,
        files=walk.named + len(unused) + walk.kept.total(),
        named=walk.named,
        unused=tuple(unused),
        kept=dict(walk.kept),
        unlisted=walk.unlisted,
        settings=sorted(walk.settings),
        presets=sorted(walk.presets),
        identity=seen.identity,
        is_known=seen.is_known,
    )


def _is_above(path: bytes, root: str) -> bool:
    """Whether a path is the root or above it: a symlink that leads there says nothing of single files."""
    return sources.lies_in(root, os.fsdecode(path))


def _missed_undo(undo: Names) -> set[str]:
    return {base_of(path) for path in undo.paths() if not os.path.lexists(path)}


def _moved(names: Names, roots: Iterable[str], using: str) -> set[bytes]:
    """Where files were seen moving to from names that are still in use, move by move; full paths, of folders too."""
    found: set[bytes] = set()
    for root in roots:
        rows = MissingFile.objects.using(using).filter(root__path=root).exclude(moved_to="")
        moves = {
            os.fsencode(os.path.join(root, path)): (os.fsencode(os.path.join(root, to)), is_directory)
            for path, to, is_directory in rows.values_list("path", "moved_to", "is_directory")
        }
        folders = set(names.folders()) if any(is_directory for _, is_directory in moves.values()) else set()
        for path, (_, is_directory) in moves.items():
            in_use = _has_below(folders, path) if is_directory else names.has(path)
            at = path
            while in_use and at in moves and moves[at][0] not in found:
                at = moves[at][0]
                found.add(at)
    return found


def _has_below(folders: Iterable[bytes], path: bytes) -> bool:
    return any(folder == path or folder.startswith(path + b"/") for folder in folders)
