"""What all commands share: the log's flags, a usable database, and an error's way to the shell."""

import getpass
import os
import select
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from django.db.utils import Error as DatabaseFailure

from auditor import conf
from auditor.errors import AuditorError, ExitCode, first_line
from auditor.orphans.registry import AuditedModel
from auditor.wording import safe

if TYPE_CHECKING:
    from auditor.catalogue import LogLine
    from auditor.jsonlog import JsonLog

LOG_FORMATS = ("auto", "json", "console", "none")


class AuditorCommand(BaseCommand):
    """A command with a JSON log of its own, whose foreseen errors end in one sentence, a hint and an exit code."""

    # The host's own warnings would stand between the log's lines, and are no concern of ours.
    requires_system_checks = ("auditor",)
    is_quiet = True  # on a terminal, the log's lines would stand between those of the report
    state = "Nothing was deleted."  # what is true if the command ends here

    def add_log_arguments(self, parser: ArgumentParser) -> None:
        """The flags that every command has."""
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, metavar="ALIAS", help="the database to audit")
        parser.add_argument(
            "--log-format",
            default="auto",
            choices=LOG_FORMATS,
            help="what stderr carries: JSON lines, console lines, or none (auto: JSON if it is not a terminal)",
        )
        parser.add_argument("--json-into", default="", metavar="PATH", help="append the JSON lines to a file as well")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Runs the command; if whoever reads its output has left, as `head` does, it ends without a traceback."""
        try:
            output = super().execute(*args, **options)
            self.stdout.flush()
        except BrokenPipeError:
            if not reader_has_left():  # a pipe of the host's broke
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest at its exit
            sys.exit(ExitCode.BROKEN_PIPE)
        return output

    @contextmanager
    def opened_log(self, *, log_format: str, json_into: str, json: bool = False) -> "Iterator[JsonLog]":
        """The log of one run; a foreseen error is written to it and leaves as CommandError."""
        from auditor import jsonlog  # noqa: PLC0415 - `--help` is not to wait for structlog

        try:
            with jsonlog.open_log(
                uuid4(),
                stdout=self.stdout if json else None,
                stderr=Unstyled(self.stderr),
                log_format=log_format,
                quiet=self.is_quiet,
            ) as log:
                try:
                    for path in filter(None, dict.fromkeys((json_into, conf.json_into()))):
                        log.add_file(path)
                    yield log
                except (AuditorError, DatabaseFailure, KeyboardInterrupt) as error:
                    foreseen = self.foreseen(error)
                    log.emit(self.failed(foreseen))
                    self._keep_apart(log_format, json=json)
                    raise foreseen from error
                except Exception as error:
                    if not (isinstance(error, BrokenPipeError) and reader_has_left()):
                        log.emit(self.failed(self.unforeseen(error)))
                    raise
            if log.lost:
                raise AuditorError(
                    f"The JSON log could not be written to its end: {log.lost}. {self.state}",
                    hint="Make room where it is kept; what was deleted is in the audit log as well.",
                )
        except AuditorError as error:
            sentence = f"{safe(error.message)}\n{error.hint}"
            raise CommandError(self.encodable(sentence), returncode=error.exit_code) from error

    def encodable(self, text: str) -> str:
        """The text with what stdout cannot encode written out: a C locale must not break a run half-way."""
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        return text.encode(encoding, errors="backslashreplace").decode(encoding)

    def foreseen(self, error: BaseException) -> AuditorError:
        """The foreseen error that an exception amounts to."""
        if isinstance(error, AuditorError):
            return error
        if isinstance(error, KeyboardInterrupt):
            return AuditorError(
                f"Interrupted. {self.state}",
                hint="Run the command again when it suits you.",
                exit_code=ExitCode.INTERRUPTED,
            )
        reason = first_line(error) or type(error).__name__
        return AuditorError(
            f"The database failed: {reason.rstrip('.')}. {self.state}",
            hint="Mend the database, then run the command again.",
        )

    def unforeseen(self, error: Exception) -> AuditorError:
        """The log's word on an error that leaves with its traceback, such as one of the host's signal handlers."""
        return AuditorError(
            f"{type(error).__name__}: {error}. {self.state}", hint="The traceback on stderr shows where it came from."
        )

    def failed(self, error: AuditorError) -> "LogLine":
        """The log's line for an early end."""
        from auditor.catalogue import RunFailed  # noqa: PLC0415 - a file that takes long to import

        return RunFailed(command=self.name, message=error.message, hint=error.hint, exit_code=int(error.exit_code))

    @property
    def name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def _keep_apart(self, log_format: str, *, json: bool) -> None:
        """Keeps Django's sentence for an error out of a stderr that carries JSON lines, or leaves them to stdout."""
        if log_format == "json" or (log_format == "auto" and not self.stderr.isatty()):
            self.stderr = OutputWrapper(StringIO()) if json else self.stdout


def reader_has_left() -> bool:
    """Whether stdout or stderr is a pipe that nobody reads any more."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # it may be closed, or no file at all
            poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


class Unstyled:
    """A command's stderr without the colour that Django gives to all that is written there on a terminal."""

    def __init__(self, wrapper: OutputWrapper) -> None:
        self._wrapper = wrapper

    def write(self, text: str) -> None:
        """Writes the text as it is, with a newline at its end."""
        self._wrapper.write(text, style_func=str)

    def flush(self) -> None:
        self._wrapper.flush()

    def isatty(self) -> bool:
        return self._wrapper.isatty()


def usable(alias: str, audited: Sequence[AuditedModel]) -> list[AuditedModel]:
    """Those models whose table is in the database, and last, not named, those that a router keeps in another one.

    Raises AuditorError if the alias is unknown, or every named model is kept elsewhere (usage), or if a table of the
    audit log, of a model named for deletion, or of every model is not there.
    """
    from auditor.orphans import references  # noqa: PLC0415 - `--help` is not to wait for it

    refuse_unknown(alias)
    elsewhere = {one.id: home for one in audited if (home := references.kept_elsewhere(one, alias))}
    refuse_all_elsewhere(audited, elsewhere)
    present = references.in_database(audited, alias)
    expected = [one for one in audited if one.id not in elsewhere]
    absent = [one.model for one in expected if one not in present and (one.named or not present)]
    needed = [*_log_tables_absent(alias), *absent]
    if needed:
        raise AuditorError(
            f"The database {alias!r} has no table {needed[0]._meta.db_table}: it has not been migrated.",
            hint=f"Run: python manage.py migrate --database {alias}",
        )
    others = [replace(one, named=False, kept_in=elsewhere[one.id]) for one in audited if one.id in elsewhere]
    return present + others


def refuse_all_elsewhere(audited: Sequence[AuditedModel], elsewhere: Mapping[str, str]) -> None:
    """Raises AuditorError (usage) if every model that is named for deletion is kept in another database."""
    named = [one.id for one in audited if one.named]
    if named and all(name in elsewhere for name in named):
        raise AuditorError(
            f"A router keeps {named[0]} in the database {elsewhere[named[0]]!r}.",
            hint=f"Run this with --database {elsewhere[named[0]]}.",
            exit_code=ExitCode.USAGE,
        )


def ensure_log(alias: str) -> None:
    """Raises AuditorError if the alias is unknown (usage), or if the tables of the audit log are not all there."""
    refuse_unknown(alias)
    for model in _log_tables_absent(alias):
        raise AuditorError(
            f"The database {alias!r} has no table {model._meta.db_table}: it has not been migrated.",
            hint=f"Run: python manage.py migrate --database {alias}",
        )


def who() -> str:
    """The user who runs this; in a container, that may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before Python 3.13, a KeyError
        return f"uid {os.getuid()}"


def refuse_unknown(alias: str) -> None:
    """Raises AuditorError (usage) unless DATABASES has a database of this name."""
    if alias not in connections:
        raise AuditorError(
            f"There is no database {alias!r} in DATABASES.",
            hint=f"Choose one of: {', '.join(connections)}.",
            exit_code=ExitCode.USAGE,
        )


def _log_tables_absent(alias: str) -> list[type[Model]]:
    from auditor.orphans import references  # noqa: PLC0415 - `--help` is not to wait for it

    present = references.tables(alias)
    return [model for model in apps.get_app_config("auditor").get_models() if model._meta.db_table not in present]
