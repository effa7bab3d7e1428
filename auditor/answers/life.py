"""The life of a file: what the log tells of its name, which records name it, and how it is now."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from uuid import UUID

from auditor import models
from auditor.answers.company import company_of
from auditor.answers.sentences import Archive, RunMade, Runs, Told, of_file
from auditor.auditlog import pruned, store
from auditor.auditlog.departures import Placed
from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    FileDeleted,
    FileFound,
    FileMoved,
    FileTrashed,
    StoredEvent,
    from_stored,
    readable,
    to_stored,
)
from auditor.errors import AuditorError
from auditor.orphans import references
from auditor.orphans.disk import Look, Verdict, looks_now
from auditor.orphans.registry import audited_models
from auditor.orphans.trails import above
from auditor.roots import STRANGERS, MarkerState, check, identity

MOST_EVENTS = 1_000  # of one name: the newest are told
MOST_MOVES = 100_000  # that may have ended at the name: the newest are looked through
MOST_HOLDERS = 10
MOST_COMPANIES = 20  # of one name: who vanished with it is looked for the newest times only
OF_DIRECTORIES = (DirectoryDeleted.type, DirectoryFound.type, DirectoryMoved.type)
MOVES = (FileMoved.type, DirectoryMoved.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A record that names a file now."""

    model: str
    key: str
    field: str


@dataclass(slots=True, kw_only=True)
class Life:
    """What there is to say of one name in one root; `root` is the log's row, or None where the log has none.

    `left_out` says in words what was not looked through; `look` is None where the root is no folder of this machine.
    `archive` is what was archived, and may know more.
    """

    path: str
    name: str
    root: models.Root | None
    told: list[Told]
    holders: list[Holder]
    look: Look | None
    archive: Archive | None
    left_out: list[str] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether the log, a record or the disk has the name."""
        is_there = self.look is not None and self.look.verdict is Verdict.PRESENT
        return bool(self.told or self.holders or is_there)


def life_of(path: str, name: str, *, using: str) -> Life:
    """All that is known of a name in the root at a path; only reads."""
    root = models.Root.objects.using(using).filter(path=path).first()
    text, raw = readable(os.fsencode(name))
    named = [] if raw else list(holders(path, name, using))  # no record can hold a name that is not UTF-8
    life = Life(path=path, name=text, root=root, told=[], holders=named, look=None, archive=archive(using))
    if root is not None:
        stored = to_stored(FileFound(root=root.pk, path=text, path_bytes=raw, occurred_at=root.registered_at, as_of=0))
        events = sorted(_events(root, text, stored, using, life.left_out), key=itemgetter(0))
        runs = runs_made({event.run_id for _, event in events if event.run_id}, using=using)
        life.told = list(_tell(events, text, runs, using, life.archive.until if life.archive else 0))
    if path.startswith("/"):
        life.look = _look(path, name, root)
    return life


def archive(using: str) -> Archive | None:
    """What was archived; None if the log was never pruned."""
    last = pruned.last_prune(using)
    if last is None:
        return None
    recorded_at = models.Batch.objects.using(using).values_list("recorded_at", flat=True).get(number=last.batch)
    return Archive(until=last.until, recorded_at=recorded_at, segment=last.segment)


def _look(path: str, name: str, root: models.Root | None) -> Look:
    """A look at the disk; where the folder is not the one that the database knows, nobody can say."""
    try:
        identity(path)
        state = check(root) if root else MarkerState.UNREGISTERED
    except AuditorError as error:
        return Look(Verdict.UNKNOWN, error.message.rstrip("."))
    if state in STRANGERS:
        return Look(Verdict.UNKNOWN, f"the media folder {STRANGERS[state][0]}")
    return looks_now(path, [name], root.mounts if root else ())[name]


def runs_made(ids: Collection[UUID], *, using: str) -> Runs:
    """{id: RunMade} of those runs that the database knows."""
    rows = models.Run.objects.using(using).filter(uid__in=ids).values_list("uid", "command", "user")
    return {uid: RunMade(uid=uid, command=command, user=user) for uid, command, user in rows}


def holders(path: str, name: str, using: str) -> Iterator[Holder]:
    """The records that name the file now, no more than `MOST_HOLDERS` of a field."""
    for audited in references.in_database(audited_models(), using):
        for one in audited.fields:
            if one.root == path:
                rows = references.rows(audited, using).filter(**{one.name: name}).order_by("pk")
                for key in rows.values_list("pk", flat=True)[:MOST_HOLDERS]:
                    yield Holder(model=audited.id, key=str(key), field=one.name)


def _tell(events: Sequence[Placed], name: str, runs: Runs, using: str, archived_until: int) -> Iterator[Told]:
    removed, trashed = set(), set()
    # Who vanished with a file before the log was pruned, it does not know any more.
    known = [at for at, event in events if isinstance(event, FileDeleted) and at > archived_until]
    accompanied = known[-MOST_COMPANIES:]
    for position, event in events:
        company = None
        match event:
            case FileTrashed():
                trashed.add(event.run_id)
            case FileDeleted(cause="trashed") if event.run_id in trashed:
                continue  # the run has told of it
            case FileDeleted() if position in accompanied:
                company = company_of(position, event, using=using)
                removed.add(company.directory)
            case DirectoryDeleted(cause="removed") if event.path in removed or _is_below(event.path, removed):
                continue  # it is in the sentence on the file
        yield Told(at=event.occurred_at, text=of_file(event, name, runs, company), position=position)


def _is_below(path: str, directories: Collection[str]) -> bool:
    return any(one and path.startswith(f"{one}/") for one in directories)


def _events(root: models.Root, name: str, stored: StoredEvent, using: str, left_out: list[str]) -> Iterator[Placed]:
    """The events of a name; those of another one that is stored alike, for it was cut, have other bytes."""
    rows = models.Event.objects.using(using).filter(root=root)
    own = list(rows.filter(path=stored.path).order_by("-position")[:MOST_EVENTS])
    of_folders = rows.filter(path__in=list(above(name)), type__in=OF_DIRECTORIES).order_by("-position")
    folders = list(of_folders[:MOST_EVENTS])
    if MOST_EVENTS in (len(own), len(folders)):
        left_out.append(f"Only the newest {MOST_EVENTS:,} events of this name, and of the folders above it, are told.")
    own = [row for row in own if row.data.get("path_b64") == stored.data.get("path_b64")]
    folders = [row for row in folders if "path_b64" not in row.data]
    for row in (*own, *folders, *_arrivals(root, name, using, left_out)):
        event = from_stored(store.stored_of(row))
        if event is not None:
            yield row.position, event


def _arrivals(root: models.Root, name: str, using: str, left_out: list[str]) -> Iterator[models.Event]:
    """The moves that ended at the name, or at a folder above it: no index has their ends."""
    ends = [name, *above(name)]
    for kind in MOVES:
        moves = models.Event.objects.using(using).filter(type=kind).order_by("-position")
        older = list(moves.values_list("position", flat=True)[MOST_MOVES : MOST_MOVES + 1])
        if older:
            moves = moves.filter(position__gt=older[0])
            left_out.append(f"Of all moves, only the newest {MOST_MOVES:,} were looked through.")
        # The root is compared here: by its column, a database may go through all events that it ever had.
        yield from (row for row in moves.filter(data__to__in=ends) if row.root_id == root.pk)
