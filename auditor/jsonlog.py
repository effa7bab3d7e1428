"""The JSON log: one object per line, by structlog, set up by the program and never by the app.

It uses a logger of its own, so that its form does not depend on the host project's structlog configuration.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import fields
from types import TracebackType
from typing import Any, Protocol, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, WrappedLogger

from auditor.catalogue import SCHEMA, LogLine
from auditor.errors import AuditorError, ExitCode

FORMATS = ("auto", "json", "console", "none")
LINE_LIMIT = 7_680  # bytes: rsyslog cuts a line at 8,096
CUT_TEXT = 100  # characters, of up to six bytes each once escaped
CUT_ENTRIES = 20
ENVELOPE_ORDER = ("timestamp", "level", "event", "schema", "run_id")
PATH_MAX = 4_096  # bytes: no path on Linux is longer


class Stream(Protocol):
    """Where lines go: a text file, or a command's stdout or stderr."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


class JsonLog(AbstractContextManager["JsonLog"]):
    """Sends lines to any number of streams; all carry the same `run_id`."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self._loggers: list[Any] = []
        self._files = ExitStack()

    def add_json(self, stream: Stream) -> None:
        """Sends JSON lines to a stream."""
        self._add(stream, render_json, logging.INFO)

    def add_console(self, stream: Stream, *, level: int) -> None:
        """Sends lines for a person's eyes to a terminal, from a level of `logging` upwards."""
        # No colours and no `event` from outside: neither a name nor a terminal can put an escape code here.
        self._add(stream, structlog.dev.ConsoleRenderer(colors=False), level)

    def add_file(self, path: str) -> None:
        """Appends JSON lines to a file, a FIFO or a device; AuditorError if it cannot be opened."""
        try:
            stream = self._files.enter_context(open(path, "a", encoding="utf-8"))  # noqa: SIM115 - the stack closes it
        except OSError as error:
            raise AuditorError(
                f"The JSON log cannot be written to {path}: {error.strerror}.",
                hint="Give --json-into a file in a folder that this user may write.",
                exit_code=ExitCode.USAGE,
            ) from error
        self.add_json(stream)

    def _add(self, stream: Stream, renderer: Any, level: int) -> None:
        processors = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ]
        wrapper = structlog.make_filtering_bound_logger(level)
        self._loggers.append(structlog.wrap_logger(structlog.WriteLogger(cast("Any", stream)), processors, wrapper))

    def emit(self, line: LogLine) -> None:
        """Writes one line to every stream."""
        values = {field.name: getattr(line, field.name) for field in fields(line)}
        given = {name: value for name, value in values.items() if value is not None}
        for logger in self._loggers:
            getattr(logger, line.level)(line.event, schema=SCHEMA, run_id=str(self.run_id), **given)

    def emit_all(self, lines: Iterable[LogLine]) -> None:
        """Writes many lines."""
        for line in lines:
            self.emit(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()


def open_log(
    run_id: UUID, *, stderr: Stream, log_format: str, json_into: str, stdout: Stream | None, quiet: bool
) -> JsonLog:
    """The log as a command's flags ask for it.

    `stdout` gets JSON lines if given (`--json`), and stderr then stays empty unless a format is asked for.
    `auto` means JSON where stderr is not a terminal; on a terminal, console lines, warnings only if `quiet`.
    """
    log = JsonLog(run_id)
    if stdout is not None:
        log.add_json(stdout)
    chosen = log_format
    if chosen == "auto":
        chosen = "none" if stdout is not None else "console" if stderr.isatty() else "json"
    if chosen == "json":
        log.add_json(stderr)
    if chosen == "console":
        log.add_console(stderr, level=logging.WARNING if quiet and log_format == "auto" else logging.INFO)
    if json_into:
        log.add_file(json_into)
    return log


def render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line of ASCII, no longer than `LINE_LIMIT`: nothing in a name can break a line or a terminal."""
    ordered = {name: event[name] for name in ENVELOPE_ORDER if name in event} | dict(event)
    text = json.dumps(ordered, allow_nan=False)
    return text if len(text) <= LINE_LIMIT else json.dumps(shortened(ordered), allow_nan=False)


def shortened(event: EventDict) -> dict[str, Any]:
    """The event with its long parts cut and marked as cut; a cut path is there in full as `path_b64`."""
    short = {name: _cut(value) for name, value in event.items()} | {"cut": True}
    if "path" in event and event["path"] != short["path"]:
        short["path_b64"] = b64encode(event["path"].encode(errors="surrogateescape")[:PATH_MAX]).decode()
    return short


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > CUT_TEXT:
        return value[:CUT_TEXT] + "…"
    if isinstance(value, dict):
        return {_cut(key): value[key] for key in list(value)[:CUT_ENTRIES]}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_cut(entry) for entry in value[:CUT_ENTRIES]]
    return value
