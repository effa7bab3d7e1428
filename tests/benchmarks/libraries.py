"""Libraries of a size and a layout, made once and kept in `.bench/` and on the PostgreSQL server."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from tests.benchmarks.databases import CACHE, Database, Kind, Postgres, known
from tests.benchmarks.measuring import PROJECT, NotMeasuredError, module

IN_A_FOLDER = 1_000
ONE_ORPHAN_IN = 100
STATE = CACHE / "state"
BYTES_A_RECORD = 1_000  # with the names of the files, and the database twice
AT_ONCE = 5_000  # names to one touch or rm


class Layout(StrEnum):
    """How the files lie."""

    FOLDERS = "directories of 1,000"
    FLAT = "one directory"


def name(number: int, layout: Layout) -> str:
    """The name in the record of this number, from 0."""
    return (
        f"photos/{number // IN_A_FOLDER:04}/{number:07}.jpg" if layout is Layout.FOLDERS else f"photos/{number:07}.jpg"
    )


def is_orphan(number: int) -> bool:
    """Whether the file of this record is not there."""
    return number % ONE_ORPHAN_IN == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """So many records in a database, and their files in `media`; every hundredth file is not there."""

    size: int
    layout: Layout
    database: Database
    media: Path

    @property
    def orphans(self) -> int:
        return sum(is_orphan(number) for number in range(self.size))

    def names(self) -> Iterator[str]:
        """The names in all records, in their order."""
        return (name(number, self.layout) for number in range(self.size))

    def environment(self) -> dict[str, str]:
        """A site with this library."""
        return site(self.database, self.media)

    @contextmanager
    def copied(self) -> Iterator["Library"]:
        """The library with a database that may be written to; no watcher has been there yet."""
        copy = self.database.copy("copy")
        shutil.rmtree(STATE, ignore_errors=True)
        try:
            yield replace(self, database=copy)
        finally:
            copy.drop()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """The files of the orphans are there, until the end."""
        with self._tree_changes(lambda: remove(self.media, self._names_of_orphans())):
            touch(self.media, self._names_of_orphans())
            yield

    @contextmanager
    def without(self, names: list[str]) -> Iterator[None]:
        """These files are removed, and put back at the end."""
        with self._tree_changes(lambda: touch(self.media, names)):
            remove(self.media, names)
            yield

    @contextmanager
    def _tree_changes(self, put_back: Callable[[], None]) -> Iterator[None]:
        # A run that is killed leaves no stamp, and so the next one makes the tree anew.
        stamp = stamp_of(self.media)
        was_stamped = stamp.exists()
        stamp.unlink(missing_ok=True)
        try:
            yield
        finally:
            put_back()
            if was_stamped:
                stamp.touch()

    def _names_of_orphans(self) -> Iterator[str]:
        return (name(number, self.layout) for number in range(self.size) if is_orphan(number))


def site(database: Database, media: Path) -> dict[str, str]:
    """The environment of a site with this database and these media."""
    return database.environment() | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_MEDIA_ROOT": str(media),
        "STATE_DIRECTORY": str(STATE),
        "PYTHONWARNINGS": "ignore",
    }


def library(size: int, layout: Layout, kind: Kind) -> Library:
    """The library, made if it is not there yet."""
    label = f"{size}_{layout.name.lower()}"
    media = CACHE / label / "media"
    if not stamp_of(media).exists():
        ensure_room(size)
        print(f"(making {size:,} files, {layout})", flush=True)
        made = Library(size=size, layout=layout, database=kind(label), media=media)
        make_tree(made)
    database = made_database(label, kind, media, "building", str(size), layout.name)
    return Library(size=size, layout=layout, database=database, media=media)


def ensure_room(size: int) -> None:
    """Raises NotMeasuredError where the disk has no room for so many files, their records and a copy of these."""
    CACHE.mkdir(exist_ok=True)
    free = os.statvfs(CACHE)
    if free.f_bavail * free.f_frsize < size * BYTES_A_RECORD or (free.f_files and free.f_favail < size):
        raise NotMeasuredError(f"no room for {size:,} files in {CACHE}")


def make_tree(made: Library) -> None:
    """All files that are to be there, and none of the others."""
    shutil.rmtree(made.media.parent, ignore_errors=True)
    for folder in dict.fromkeys(os.path.dirname(one) for one in made.names()):
        os.makedirs(made.media / folder)
    touch(made.media, (name(number, made.layout) for number in range(made.size) if not is_orphan(number)))
    stamp_of(made.media).touch()


def made_database(label: str, kind: Kind, media: Path, builder: str, *arguments: str) -> Database:
    """A database that a module of this package fills, made anew when that module or a migration has changed."""
    database = kind(f"{label}_{made_by(builder)}")
    if not database.exists():
        print(f"(making the database {label} on {kind.label})", flush=True)
        CACHE.mkdir(exist_ok=True)
        for stale in [one for one in known(kind) if one.startswith(f"{label}_")]:
            kind(stale).drop()
        making = kind(f"{label}_making")
        making.create()
        module(site(making, media), builder, *arguments)
        making.rename(database.name)
    return database


def made_by(builder: str) -> str:
    """Which code makes a database, as a short hash."""
    sources = [
        Path(__file__).with_name(f"{builder}.py"),
        PROJECT / "tests/shapes/models.py",
        *sorted(PROJECT.glob("auditor/migrations/*.py")),
        *sorted(PROJECT.glob("deploy/gallery/migrations/*.py")),
    ]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def stamp_of(media: Path) -> Path:
    """The file that says that a tree is as it should be."""
    return media.parent / "complete"


def touch(media: Path, names: Iterable[str]) -> None:
    """Makes files of one byte, which take no room on the disk: an empty one is a finding of its own."""
    _each(["xargs", "-0", "-r", "-n", str(AT_ONCE), "-P", "2", "truncate", "--size=1", "--"], media, names)


def remove(media: Path, names: Iterable[str]) -> None:
    """Removes files, with `rm`."""
    _each(["xargs", "-0", "-r", "-n", str(AT_ONCE), "rm", "-f", "--"], media, names)


def _each(arguments: list[str], media: Path, names: Iterable[str]) -> None:
    with subprocess.Popen(arguments, cwd=media, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.writelines(f"{one}\0".encode() for one in names)
    assert process.returncode == 0, arguments


def forget() -> None:
    """Removes all that was kept."""
    with suppress(NotMeasuredError):  # without a server, its databases stay there
        for one in known(Postgres):
            Postgres(one).drop()
    shutil.rmtree(CACHE, ignore_errors=True)
