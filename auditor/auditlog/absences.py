"""Since when names are missing: by the log, and by the runs that saw them missing and noted it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Set

from django.db import transaction

from auditor.auditlog import store
from auditor.auditlog.elapsed import Elapsed
from auditor.auditlog.events import is_too_long
from auditor.models import Absence, ClockReading, MissingFile, Root, Span

WRITTEN_AT_ONCE = 2_000  # rows


def readings_of(
    root: Root,
    names: Set[str],
    elapsed: Elapsed,
    *,
    can_follow: Callable[[str], bool],
    is_covered: bool,
    using: str,
) -> dict[str, int]:
    """{name: number of the reading at which it was missing already}, of those names of which that is known.

    What a run noted goes before what the log said until that run: the run has looked.
    `can_follow` says of which names the log can speak, `is_covered` whether it vouches for the root now.
    `root` must have been read before, not after: a run that notes meanwhile then changes nothing.
    """
    # All of them: they are about as many as the names, and a list of names to a query takes longer.
    every = Absence.objects.using(using).filter(root=root).values_list("path", "reading")
    noted = {name: number for name, number in every if name in names}
    rest = [name for name in names if name not in noted and can_follow(name)]
    logged = {
        name: number
        for name, position in _positions(root.pk, rest, is_covered, using).items()
        if position > root.noted_until and (number := elapsed.reading_at(position)) is not None
    }
    return noted | logged


def note(
    root: Root,
    missing: Mapping[str, int],
    reading: ClockReading,
    *,
    is_back: Callable[[str], bool],
    is_complete: bool,
    using: str,
) -> None:
    """Notes the names that a run saw missing, {name: number of a reading}; what was noted before stays as it is.

    Forgets those of which `is_back` says that they are not missing any more.
    `is_complete` if every name of this root that was missing at this `reading` is either given or was noted before.
    """
    with transaction.atomic(using):
        store.lock_writer(using)
        rows = Absence.objects.using(using).filter(root=root)
        known = dict(rows.values_list("path", "pk"))
        for keys in store.chunks([key for name, key in known.items() if is_back(name)], store.CHUNK):
            rows.filter(pk__in=keys).delete()
        new = [
            Absence(root_id=root.pk, path=name, seen_at=reading.read_at, reading=number)
            for name, number in missing.items()
            if name not in known and not is_too_long(name)
        ]
        Absence.objects.using(using).bulk_create(new, batch_size=WRITTEN_AT_ONCE, ignore_conflicts=True)
        if is_complete:
            Root.objects.using(using).filter(pk=root.pk).update(noted_until=reading.position)


def _positions(root: int, names: Collection[str], is_covered: bool, using: str) -> dict[str, int]:
    """{name: position} of those names that the log knows as missing, with the last event that says so."""
    rows = MissingFile.objects.using(using).filter(root_id=root, is_directory=False)
    found: dict[str, int] = {}
    for paths in store.chunks(names, store.CHUNK):
        found.update(rows.filter(path__in=paths).values_list("path", "position"))
    for name, position in _positions_above(root, names, using) if is_covered else ():
        found[name] = max(position, found.get(name, 0))
    return found


def _positions_above(root: int, names: Collection[str], using: str) -> Iterator[tuple[str, int]]:
    """(name, position) of the last removal of a directory above a name, since when it was watched without a gap.

    When a directory is there again, it is not told which files are there again in it. Only if they have vanished
    under a watcher's eyes as well, they have a later row of their own: so before the last gap, this says nothing.
    """
    opened = Span.objects.using(using).filter(root_id=root, closed_at__isnull=True)
    since = opened.values_list("opened_position", flat=True).first()
    if since is None:
        return
    rows = MissingFile.objects.using(using).filter(root_id=root, is_directory=True, position__gt=since)
    above = {name: list(_and_above(name)) for name in names}
    folders: dict[str, int] = {}
    for paths in store.chunks({path for found in above.values() for path in found}, store.CHUNK):
        folders.update(rows.filter(path__in=paths).values_list("path", "position"))
    for name, paths in above.items() if folders else ():
        if removed := [folders[path] for path in paths if path in folders]:
            yield name, max(removed)


def _and_above(name: str) -> Iterator[str]:
    """The name, and every directory above it."""
    cut = len(name)
    while cut > 0:
        yield name[:cut]
        cut = name.rfind("/", 0, cut)
