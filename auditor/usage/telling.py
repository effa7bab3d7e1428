"""What a run writes into the audit log of the files that it moves: before it moves them, so that none is untold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import transaction

from auditor.auditlog import store
from auditor.auditlog.events import FileFreed, FileTrashed, FileUntrashed, RunCompleted, readable
from auditor.models import Root, Run
from auditor.usage.bins import Binned

COMMAND = "cleanup_unused_files"


class _About(TypedDict):
    root: int
    path: str
    path_bytes: bytes | None
    occurred_at: datetime
    run_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Writes the events of one run; `roots` gives each root's number in the log, `options` are the command's."""

    run: UUID
    roots: Mapping[str, int]
    using: str
    options: str | None = None

    def trashed(self, files: Sequence[tuple[Binned, int]], *, cause: str = "unused") -> None:
        """Tells that files, each with its size, are going into the trash."""
        now = self._now()
        events = [
            FileTrashed(**self._about(one, now), to=readable(one.to)[0], size=size, cause=cause) for one, size in files
        ]
        store.append(events, using=self.using)

    def untrashed(self, files: Sequence[Binned], *, cause: str) -> None:
        """Tells that files are going back to their own places, or are still there."""
        now = self._now()
        events = [FileUntrashed(**self._about(one, now), trashed_by=str(one.run), cause=cause) for one in files]
        store.append(events, using=self.using)

    def freed(self, files: Sequence[tuple[Binned, int]]) -> None:
        """Tells that files, each with its size, are being removed from the trash."""
        now = self._now()
        events = [FileFreed(**self._about(one, now), trashed_by=str(one.run), size=size) for one, size in files]
        store.append(events, using=self.using)

    def completed(self, files: dict[str, int]) -> None:
        """Tells that the run has reached its end."""
        now = self._now()
        event = RunCompleted(
            occurred_at=now,
            run_id=self.run,
            command=COMMAND,
            deleted={},
            cascade={},
            kept={},
            files=files,
            options=self.options,
        )
        with transaction.atomic(self.using):
            store.append([event], using=self.using)
            Run.objects.using(self.using).filter(uid=self.run).update(finished_at=now)

    def _about(self, one: Binned, now: datetime) -> _About:
        path, path_bytes = readable(one.name)
        return {
            "root": self.roots[one.root],
            "path": path,
            "path_bytes": path_bytes,
            "occurred_at": now,
            "run_id": self.run,
        }

    def _now(self) -> datetime:
        return store.database_time(self.using)


def numbers_of(roots: Sequence[str], using: str) -> dict[str, int]:
    """{root: its number in the log}, of those that the log knows."""
    return dict(Root.objects.using(using).filter(path__in=roots).values_list("path", "pk"))
