"""`manage.py watch_media`: writes every deletion in the media folders into the audit log, as it happens."""

from argparse import ArgumentParser
from typing import Any

from auditor.catalogue import LogLine, WatcherFailed, WatcherStarted
from auditor.errors import AuditorError, ExitCode
from auditor.management.base import AuditorCommand, usable
from auditor.orphans import registry
from auditor.version import VERSION
from watcher.daemon import Daemon
from watcher.shutdown import stop_on_signals


class Command(AuditorCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "Watches the media folders and writes every deletion into the audit log. Ctrl-C ends it."
    is_quiet = False  # the log is all that it shows
    state = "Nobody watches the media folders now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_log_arguments(parser)

    def handle(self, *_: Any, database: str, log_format: str, json_into: str, **__: Any) -> None:
        with self.opened_log(log_format=log_format, json_into=json_into) as log, stop_on_signals() as stop:
            roots = found_roots(usable(database, registry.audited_models()))
            log.emit(WatcherStarted(version=VERSION, database=database, roots=roots))
            Daemon(roots, using=database, log=log).run(stop)

    def failed(self, error: AuditorError) -> LogLine:
        return WatcherFailed(message=error.message, hint=error.hint, exit_code=int(error.exit_code))


def found_roots(audited: list[registry.AuditedModel]) -> list[str]:
    """The media folders; raises AuditorError (refused: root) if there is none."""
    roots = registry.roots(audited)
    if not roots:
        raise AuditorError(
            "No model keeps files in a folder of this machine, so there is nothing to watch.",
            hint="Install an app that has a model with a file field, stored by FileSystemStorage.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    return roots
