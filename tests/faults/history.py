"""What a test did to a media folder, with its times, held against what the audit log says of it."""

import ctypes
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.auditlog.store import DELETIONS
from auditor.models import Batch, Event, MissingFile, Root, Span

CLOCK_STEP = timedelta(milliseconds=2)  # SQLite's clock cuts to milliseconds
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
AT_FDCWD = -100
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A name that went away at some moment between two readings of the clock."""

    name: str
    is_directory: bool
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The log's word that a name is gone."""

    at: datetime
    is_directory: bool
    is_census: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Where history and log differ; all empty is what has to be.

    `lost`: gone while a span vouched for the folder, and not in the log.
    `invented`: in the log as gone, and never gone, or not as often.
    `unfound`: named by a record, gone, and not in the missing set.
    `lost_in_gaps` counts what went while nobody vouched and is not in the log, which is allowed.
    """

    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    unfound: tuple[str, ...] = ()
    lost_in_gaps: int = field(default=0, compare=False)


class History:
    """Does things to a folder and notes them; names are relative to the folder."""

    def __init__(self, media: Path) -> None:
        self.media = media
        self.removals: list[Removal] = []
        self.references: set[str] = set()

    def unlink(self, name: str) -> None:
        with self._noting([(name, False)]):
            os.unlink(self.media / name)

    def unlink_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.unlink(name)

    def remove_tree(self, name: str) -> None:
        """Removes a folder with all that is in it; "" is the media folder itself."""
        with self._noting(self._at_and_below(name)):
            shutil.rmtree(self.media / name)

    def rename(self, name: str, to: str) -> None:
        with self._noting(self._at_and_below(name)):
            os.rename(self.media / name, self.media / to)

    def move_out(self, name: str, to: Path) -> None:
        with self._noting(self._at_and_below(name)):
            os.rename(self.media / name, to)

    def exchange(self, one: str, other: str) -> None:
        """Lets two folders change places at once, as renameat2(2) does."""
        with self._noting([*self._at_and_below(one), *self._at_and_below(other)]):
            names = [os.fsencode(self.media / name) for name in (one, other)]
            assert LIBC.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE) == 0, ctypes.get_errno()

    def unlink_behind(self, folder: Path, name: str) -> None:
        """Removes a file of the media folder by another path than its own, which may be covered."""
        with self._noting([(name, False)]):
            os.unlink(folder / name)

    def check(self, root: Root) -> Findings:
        """Where the log differs from what was done."""
        told = _read(root)
        spans = list(Span.objects.filter(root=root).values_list("opened_at", "covered_until"))
        untold = self._untold(root, told)
        lost = [one for one in untold if any(first <= one.before and one.after <= last for first, last in spans)]
        return Findings(
            lost=tuple(one.name for one in lost),
            invented=tuple(self._invented(told)),
            unfound=tuple(sorted(self._missing_on_disk() - _missing_in_log(root, self.references))),
            lost_in_gaps=sum(not one.is_directory for one in untold) - len(lost),
        )

    @contextmanager
    def _noting(self, names: list[tuple[str, bool]]) -> Iterator[None]:
        before = datetime.now(UTC)
        yield
        after = datetime.now(UTC)
        self.removals += [
            Removal(name=name, is_directory=is_directory, before=before, after=after) for name, is_directory in names
        ]

    def _at_and_below(self, name: str) -> list[tuple[str, bool]]:
        place = self.media / name
        if not place.is_dir():
            return [(name, False)]
        found = [(name, True)] if name else []
        for folder, folders, files in os.walk(place):
            within = Path(folder).relative_to(self.media)
            found += [(str(within / one), True) for one in folders]
            found += [(str(within / one), False) for one in files]
        return found

    def _invented(self, told: dict[str, list[Telling]]) -> Iterator[str]:
        done: defaultdict[tuple[str, bool], list[Removal]] = defaultdict(list)
        for one in self.removals:
            done[one.name, one.is_directory].append(one)
        for name, tellings in told.items():
            heard = Counter(telling.is_directory for telling in tellings if not telling.is_census)
            is_too_often = any(count > len(done[name, is_directory]) for is_directory, count in heard.items())
            if is_too_often or not all(_has_happened(one, done[name, one.is_directory]) for one in tellings):
                yield name

    def _untold(self, root: Root, told: dict[str, list[Telling]]) -> list[Removal]:
        silent = [one for one in self.removals if not _is_told(one, told)]
        # What the log has held for gone all along, it need not be told of again.
        held = _missing_in_log(root, {one.name for one in silent})
        return [one for one in silent if one.name not in held or os.path.lexists(self.media / one.name)]

    def _missing_on_disk(self) -> set[str]:
        return {name for name in self.references if not os.path.lexists(self.media / name)}


def _read(root: Root) -> dict[str, list[Telling]]:
    """{name: what the log says of it}; a census tells of what it found, so its time is that of the writing."""
    recorded = [
        recorded_at
        for count, recorded_at in Batch.objects.order_by("number").values_list("count", "recorded_at")
        for _ in range(count)
    ]
    told: defaultdict[str, list[Telling]] = defaultdict(list)
    rows = Event.objects.filter(root=root, type__in=DELETIONS)
    for position, kind, path, occurred_at, data in rows.values_list("position", "type", "path", "occurred_at", "data"):
        is_census = data.get("cause") == "census"
        at = recorded[position - 1] if is_census else occurred_at
        told[path].append(Telling(at=at, is_directory=kind.startswith("directory."), is_census=is_census))
    return told


def _is_told(removal: Removal, told: dict[str, list[Telling]]) -> bool:
    folders = [str(folder) for folder in Path(removal.name).parents]
    tellings = [one for one in told.get(removal.name, ()) if one.is_directory == removal.is_directory]
    tellings += [one for folder in folders for one in told.get(folder, ()) if one.is_directory]
    return any(one.at >= removal.before - CLOCK_STEP for one in tellings)


def _has_happened(telling: Telling, removals: list[Removal]) -> bool:
    return any(removal.before - CLOCK_STEP <= telling.at for removal in removals)


def _missing_in_log(root: Root, names: set[str]) -> set[str]:
    rows = set(MissingFile.objects.filter(root=root).values_list("path", "is_directory"))
    return {
        name
        for name in names
        if (name, False) in rows or any((str(folder), True) in rows for folder in Path(name).parents)
    }
