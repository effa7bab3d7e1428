"""Writes health files, alters them, and has them judged."""

import json
from pathlib import Path
from typing import Any

from watcher import health
from watcher.health import NAME, Health, Moment
from watcher.status import STALE_SECONDS, State, WatcherStatus


def written(folder: Path, status: WatcherStatus) -> None:
    assert health.write(status, str(folder)) == ""


def judged(folder: Path, *, after: float = 0.0) -> Health:
    """The judgement so many seconds after the file was written."""
    found = document(folder)
    return judged_at(folder, Moment(boot=found["boot"], seconds=found["boot_seconds"] + after))


def judged_at(folder: Path, now: Moment) -> Health:
    return health.judge(str(folder), stale_after=STALE_SECONDS, now=now)


def document(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / NAME).read_text())
    return loaded


def alter(folder: Path, **values: Any) -> None:
    (folder / NAME).write_text(json.dumps(document(folder) | values))


def blind(sentence: str) -> Health:
    return Health(state=State.BLIND, sentences=(f"blind       {sentence}",))
