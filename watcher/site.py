"""What the watches of all roots share, and where they keep what must outlive the process."""

import hashlib
import os
from dataclasses import dataclass, field
from threading import Event

from django.db import connections

from auditor import conf
from auditor.jsonlog import JsonLog
from watcher.guard import Pulse
from watcher.sources import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The audited site as one watcher sees it; `wake` is set when there is something to do."""

    using: str
    log: JsonLog
    observer: Observer = Observer.AUTO
    pulse: Pulse = field(default_factory=Pulse)
    wake: Event = field(default_factory=Event)

    def root_folder(self, path: str) -> str:
        """Where the watcher keeps what belongs to one root."""
        return os.path.join(state_folder(self.using), f"root-{_short_hash(path)}")


def state_folder(using: str) -> str:
    """The watcher's folder for one database: two sites may share AUDITOR_STATE_DIR."""
    settings = connections[using].settings_dict
    place = (connections[using].vendor, str(settings["NAME"]), settings["HOST"], settings["PORT"])
    return os.path.join(conf.state_dir(), f"{using}-{_short_hash(repr(place))}")


def _short_hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]
