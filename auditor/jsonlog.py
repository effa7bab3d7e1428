"""The JSON log: one object per line, by structlog, set up by the program and never by the app.

It uses a logger of its own, so that its form does not depend on the host project's structlog configuration.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

from auditor.catalogue import SCHEMA, LogLine, LogLost
from auditor.errors import AuditorError, ExitCode

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

LINE_LIMIT = 7_680  # bytes: rsyslog cuts a line at 8,096
# Texts are cut to so many characters, of up to twelve bytes each once escaped, and lists to so many entries.
CUTS = ((100, 20), (20, 5), (8, 5))
ENVELOPE_ORDER = ("timestamp", "level", "event", "schema", "run_id")
PATH_MAX = 4_096  # bytes: no path on Linux is longer
HALF_A_CHARACTER = "\\ud"  # in JSON of ASCII: a surrogate, which is half of a character or a byte that is none


class Stream(Protocol):
    """Where lines go: a text file, or a command's stdout or stderr."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


def _structlog() -> Any:
    """The library, once a line is to be written: it takes a third of the time of a short run to import."""
    import structlog  # noqa: PLC0415 - see above

    return structlog


class JsonLog(AbstractContextManager["JsonLog"]):
    """Sends lines to any number of streams; all carry the same `run_id`."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self._loggers: list[Any] = []
        self._files = ExitStack()
        self.lost = ""  # why a stream could not be written to its end

    def add_json(self, stream: Stream) -> None:
        """Sends JSON lines to a stream."""
        self._add(stream, [_structlog().processors.TimeStamper(fmt="iso", utc=True), render_json])

    def add_console(self, stream: Stream) -> None:
        """Sends lines for a person's eyes to a stream."""
        # A value is shown by its repr, and `event` is ours: no name can put an escape code here.
        structlog = _structlog()
        renderer = structlog.dev.ConsoleRenderer(colors=False, repr_native_str=True)
        self._add(stream, [structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False), without_envelope, renderer])

    def add_file(self, path: str) -> None:
        """Appends JSON lines to a file, a FIFO or a device; AuditorError if it cannot be opened."""
        try:
            stream = self._files.enter_context(open(path, "a", encoding="utf-8"))  # noqa: SIM115 - the stack closes it
        except OSError as error:
            raise AuditorError(
                f"The JSON log cannot be written to {path}: {error.strerror}.",
                hint="Name a file in a folder that this user may write, by --json-into or AUDITOR_JSON_INTO.",
                exit_code=ExitCode.USAGE,
            ) from error
        self.add_json(stream)

    def _add(self, stream: Stream, processors: list[Any]) -> None:
        structlog = _structlog()
        logger, bound = structlog.WriteLogger(cast("Any", stream)), structlog.make_filtering_bound_logger(logging.INFO)
        # Not by wrap_logger(), which takes what it is not given from the host's configuration.
        self._loggers.append(bound(logger, [structlog.processors.add_log_level, *processors], {}))

    def emit(self, line: LogLine) -> None:
        """Writes one line to every stream."""
        if not self._loggers:
            return
        given = {name: plain(value) for name, value in vars(line).items() if value is not None}
        for logger in tuple(self._loggers):
            try:
                getattr(logger, line.level)(line.event, schema=SCHEMA, run_id=str(self.run_id), **given)
            except BrokenPipeError:
                raise  # whoever reads has left: the command ends
            except OSError as error:
                self._lose(logger, error)

    def _lose(self, logger: Any, error: OSError) -> None:
        """Goes on without a stream that cannot be written: a full disk must not end a run half-way."""
        self._loggers = [one for one in self._loggers if one is not logger]  # structlog's are equal to one another
        self.lost = error.strerror or type(error).__name__
        self.emit(LogLost(error=self.lost))

    def emit_all(self, lines: Iterable[LogLine]) -> None:
        """Writes many lines, which are not even made where nothing is written."""
        for line in lines if self._loggers else ():
            self.emit(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError) if self.lost else nullcontext():  # its last lines are lost as well
            self._files.close()


def open_log(run_id: UUID, *, stderr: Stream, log_format: str, stdout: Stream | None, quiet: bool) -> JsonLog:
    """The log as a command's flags ask for it.

    `stdout` gets JSON lines if given (`--json`), and stderr then stays empty unless a format is asked for.
    `auto` means JSON where stderr is not a terminal; on a terminal console lines, or nothing if `quiet`.
    """
    log = JsonLog(run_id)
    if stdout is not None:
        log.add_json(stdout)
    chosen = log_format
    if chosen == "auto" and stderr.isatty():
        chosen = "none" if quiet else "console"
    if chosen == "json" or (chosen == "auto" and stdout is None):
        log.add_json(stderr)
    if chosen == "console":
        log.add_console(stderr)
    return log


def plain(value: Any) -> Any:
    """The value, or that of a member of an enumeration: a console would show the member's type."""
    return value.value if isinstance(value, Enum) else value


def without_envelope(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    """The event without what is the same in every line of a run."""
    return {name: value for name, value in event.items() if name not in ("schema", "run_id")}


def render_json(_logger: "WrappedLogger", _method: str, event: "EventDict") -> str:
    """One line of ASCII, no longer than `LINE_LIMIT`: nothing in a name can break a line or a terminal."""
    ordered = {name: event[name] for name in ENVELOPE_ORDER if name in event} | dict(event)
    text = json.dumps(ordered, allow_nan=False)
    if HALF_A_CHARACTER in text:
        ordered = _changed(ordered, _readable)
        text = json.dumps(ordered, allow_nan=False)
    for characters, entries in CUTS:
        if len(text) > LINE_LIMIT:
            text = json.dumps(shortened(ordered, characters, entries), allow_nan=False)
    return text


def shortened(event: dict[str, Any], characters: int, entries: int) -> dict[str, Any]:
    """The event with its long parts cut and marked as cut; a cut path is there in full as `path_b64`."""

    def cut(text: str) -> str:
        return text if len(text) <= characters else text[:characters] + "…"

    return _changed(event, cut, entries) | {"cut": True}


def _changed(event: dict[str, Any], change: Callable[[str], str], entries: int | None = None) -> dict[str, Any]:
    """The event with the texts of its own fields changed; the bytes that a path loses by it are in `path_b64`."""
    kept = (*ENVELOPE_ORDER, "path_b64")
    changed = {name: value if name in kept else _mapped(value, change, entries) for name, value in event.items()}
    path = event.get("path")
    if path != changed.get("path") and "path_b64" not in event:
        changed["path_b64"] = b64encode(_bytes_of(cast("str", path))[:PATH_MAX]).decode()
    return changed


def _bytes_of(path: str) -> bytes:
    try:
        return path.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a half that stands for no byte
        return path.encode(errors="surrogatepass")


def _readable(text: str) -> str:
    return _bytes_of(text).decode(errors="backslashreplace")


def _mapped(value: Any, change: Callable[[str], str], entries: int | None = None) -> Any:
    """The value with its texts changed, and no more than so many entries of a list or an object."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): value[key] for key in list(value)[:entries]}
    if isinstance(value, Sequence):
        return [_mapped(entry, change, entries) for entry in value[:entries]]
    return value
