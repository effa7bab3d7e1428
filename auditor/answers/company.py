"""Who vanished together: the events around the one by which a file went."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from auditor import models
from auditor.answers.sentences import Company
from auditor.auditlog.events import DirectoryDeleted, FileDeleted
from auditor.auditlog.pruned import pruned_until
from auditor.orphans.trails import above

APART_SECONDS = 2.0  # what follows later is taken for something else
READ_AT_ONCE = 1_000  # events
LOOKED_AT = 5_000  # events, to each side
COLUMNS = ("position", "root_id", "type", "path", "occurred_at", "data")

Row: TypeAlias = tuple[int, int | None, str, str, datetime, dict[str, object]]
Gone: TypeAlias = tuple[str, str, object, datetime]  # type, path, its bytes where these are more, when


def company_of(position: int, event: FileDeleted, *, using: str) -> Company:
    """What vanished around a position by the same cause; where a directory above went too, what was below it."""
    around = Around(event, using)
    before, after = list(around.walk(position, step=-1)), list(around.walk(position, step=1))
    folders = set(above(event.path))
    directories = [path for kind, path, *_ in after if kind == DirectoryDeleted.type and path in folders]
    directory = min(directories, key=len, default="")
    files = [
        (path, raw, at)
        for kind, path, raw, at in before + after
        if kind == FileDeleted.type and (not directory or path.startswith(f"{directory}/"))
    ]
    own = (event.path, b64encode(event.path_bytes).decode() if event.path_bytes else None)
    times = [event.occurred_at, *(at for *_, at in files), *(at for _, path, _, at in after if path == directory)]
    return Company(
        others=len({(path, raw) for path, raw, _ in files} - {own}),
        seconds=(max(times) - min(times)).total_seconds(),
        directory=directory,
        is_cut=around.is_cut,
    )


class Around:
    """The neighbours of one event."""

    def __init__(self, event: FileDeleted, using: str) -> None:
        self.event = event
        self.using = using
        self.is_cut = False
        self._archived_until = pruned_until(using)

    def walk(self, position: int, *, step: int) -> Iterator[Gone]:
        """What vanished in the same root before (-1) or after (1), until nothing did for `APART_SECONDS`."""
        last = self.event.occurred_at
        for at, root, kind, path, occurred_at, data in self._rows(position, step):
            if abs((occurred_at - last).total_seconds()) > APART_SECONDS:
                return
            if root != self.event.root or not self._is_like_it(kind, data):
                continue
            last = occurred_at
            yield kind, path, data.get("path_b64"), occurred_at
            if abs(at - position) >= LOOKED_AT:
                self.is_cut = True
                return

    def _is_like_it(self, kind: str, data: dict[str, object]) -> bool:
        if kind == DirectoryDeleted.type:
            return data.get("cause") == "removed" and self.event.cause == "unlinked"
        return kind == FileDeleted.type and data.get("cause") == self.event.cause

    def _rows(self, position: int, step: int) -> Iterator[Row]:
        events = models.Event.objects.using(self.using).values_list(*COLUMNS)
        for _ in range(0, LOOKED_AT + READ_AT_ONCE, READ_AT_ONCE):
            if step > 0:
                rows = list(events.filter(position__gt=position).order_by("position")[:READ_AT_ONCE])
            else:
                there = events.filter(position__lt=position, position__gt=self._archived_until)
                rows = list(there.order_by("-position")[:READ_AT_ONCE])
            yield from rows
            if len(rows) < READ_AT_ONCE:
                self.is_cut = self.is_cut or (step < 0 and self._archived_until > 0)
                return
            position = rows[-1][0]
