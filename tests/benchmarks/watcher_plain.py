"""What one would write first with watchdog: `python -m tests.benchmarks.watcher_plain FOLDER`.

Says READY, answers each line on stdin with what it has heard so far, in JSON, and ends with stdin.
"""

import json
import logging
import sys
import time

from watchdog.events import DirDeletedEvent, FileDeletedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Collector(FileSystemEventHandler):
    """Appends every deletion of a file, with its time, to a list."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | bytes, float]] = []

    def on_deleted(self, event: DirDeletedEvent | FileDeletedEvent) -> None:
        if not event.is_directory:
            self.heard.append((event.src_path, time.monotonic()))

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Nothing, as in most handlers."""


class Warnings(logging.Handler):
    """Counts what watchdog says in its own log."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def main(folder: str) -> None:
    """Observes the folder until stdin is closed."""
    collector, warnings = Collector(), Warnings(logging.WARNING)
    logging.getLogger("watchdog").addHandler(warnings)
    observer = Observer()
    observer.schedule(collector, folder, recursive=True)
    observer.start()
    print("READY", flush=True)
    for line in sys.stdin:
        names = collector.heard.copy() if line == "names\n" else []
        print(json.dumps({"count": len(collector.heard), "names": names, "warnings": warnings.count}), flush=True)
    observer.stop()
    observer.join()


if __name__ == "__main__":
    main(sys.argv[1])
