"""`manage.py watch_media`: writes every deletion in the media folders into the audit log, as it happens."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, connections

from auditor import conf
from auditor.catalogue import LogLine, WatcherFailed, WatcherStarted
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, refuse_unknown, usable
from auditor.orphans import registry
from auditor.version import VERSION
from watcher import health
from watcher.daemon import Daemon
from watcher.database import bound
from watcher.guard import Guard
from watcher.reporters import Reporters
from watcher.shutdown import StopFlag, begin_anew, stop_on_signals
from watcher.site import Site, state_folder
from watcher.sources import Observer
from watcher.status import STALE_SECONDS


class Command(AuditorCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "Watches the media folders and writes every deletion into the audit log. Ctrl-C ends it."
    is_quiet = False  # the log is all that it shows
    state = "Nobody watches the media folders now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_log_arguments(parser)
        parser.add_argument(
            "--observer",
            default=Observer.AUTO,
            choices=[str(one) for one in Observer],
            help="ask the kernel (inotify), or look again and again (polling; auto: where the kernel does not tell)",
        )
        parser.add_argument("--metrics", default="", metavar="ADDRESS", help="serve metrics for Prometheus there")
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--once", action="store_true", help="compare everything once, write it down, and leave")
        instead.add_argument("--health", action="store_true", help="say how the running watcher is, by the exit code")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["health"]:
            self._tell_health(options["database"])
        with (
            self.opened_log(log_format=options["log_format"], json_into=options["json_into"]) as log,
            stop_on_signals() as stop,
        ):
            self._watch(log, stop, options)
        if stop.is_to_restart:
            begin_anew()

    def failed(self, error: AuditorError) -> LogLine:
        return WatcherFailed(message=error.message, hint=error.hint, exit_code=int(error.exit_code))

    def _watch(self, log: JsonLog, stop: StopFlag, options: dict[str, Any]) -> None:
        using = options["database"]
        roots = found_roots(known_models(using))
        refuse_inside(state_folder(using), roots)
        bound(using)
        site = Site(using=using, log=log, observer=Observer(options["observer"]))
        with ExitStack() as ending:
            reporters = ending.enter_context(Reporters(state_folder(using), metrics=options["metrics"], log=log))
            daemon = Daemon(roots, site, reporters=[] if options["once"] else [reporters])

            def last_words(sentence: str) -> None:
                log.emit(self.failed(AuditorError(sentence, hint="Its supervisor should start it again.")))
                daemon.last_words(sentence)

            guard = Guard(site.pulse, stall_seconds=conf.stall_seconds(), last_words=last_words)
            ending.enter_context(guard.standing())
            log.emit(WatcherStarted(version=VERSION, database=using, roots=list(roots)))
            (daemon.run_once if options["once"] else daemon.run)(stop)
            reporters.is_to_restart = stop.is_to_restart

    def _tell_health(self, using: str) -> None:
        try:
            refuse_unknown(using)
        except AuditorError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error
        found = health.judge(state_folder(using), stale_after=STALE_SECONDS)
        for sentence in found.sentences:
            self.stdout.write(self.encodable(sentence))
        sys.exit(health.exit_code(found.state))


def known_models(using: str) -> list[registry.AuditedModel]:
    """The models to audit; all of them while the database cannot be reached, which the watcher waits for."""
    audited = registry.audited_models()
    try:
        return usable(using, audited)
    except OperationalError:
        connections[using].close()
        return audited


def refuse_inside(folder: str, roots: Sequence[str]) -> None:
    """Raises AuditorError if the watcher's own files would lie in a folder that it watches."""
    for root in roots:
        if f"{os.path.realpath(folder)}/".startswith(f"{root}/"):
            raise AuditorError(
                f"The state directory {folder} lies in the media folder {root}.",
                hint="Set AUDITOR_STATE_DIR to a folder outside of it.",
            )


def found_roots(audited: Sequence[registry.AuditedModel]) -> list[str]:
    """The media folders; raises AuditorError (refused: root) if there is none."""
    roots = registry.roots(list(audited))
    if not roots:
        raise AuditorError(
            "No model keeps files in a folder of this machine, so there is nothing to watch.",
            hint="Install an app that has a model with a file field, stored by FileSystemStorage.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    return roots
