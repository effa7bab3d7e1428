"""The JSON log: whatever is in a name, each line is one short line of valid JSON."""

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import catalogue, jsonlog
from auditor.catalogue import LogLine, OrphanFound
from auditor.errors import AuditorError, ExitCode
from tests.commands.library import Terminal
from tests.conftest import line_faults
from tests.output.lines import KINDS, RUN_ID, largest, lines, read, texts, written

pytestmark = pytest.mark.sqlite


def orphan(path: str) -> OrphanFound:
    return OrphanFound(model="gallery.Photo", key="1", field="image", path=path, group="Album: Aix", named=True)


@pytest.mark.parametrize("text", ["a", "\x1b", "😀", "\udcff"], ids=ascii)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_longest_line_fits_its_limit_and_its_schema(kind: type[LogLine], text: str) -> None:
    line = written(largest(kind, text * 5_000))

    assert line_faults(line) == []
    assert len(line.removesuffix("\n")) <= 7_680


@settings(max_examples=20)  # of each kind, and one function writes them all
@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_line_is_one_line_of_plain_characters(kind: type[LogLine], data: st.DataObject) -> None:
    line = written(data.draw(lines(kind)))

    assert line.endswith("\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    assert isinstance(json.loads(line), dict)


def test_whole_line() -> None:
    line = json.loads(written(orphan("photos/a.jpg")))

    timestamp = line.pop("timestamp")
    assert timestamp.endswith("Z")
    assert list(line.items()) == [
        ("level", "info"),
        ("event", "orphan.found"),
        ("schema", "media-auditor/1"),
        ("run_id", str(RUN_ID)),
        ("model", "gallery.Photo"),
        ("key", "1"),
        ("field", "image"),
        ("path", "photos/a.jpg"),
        ("group", "Album: Aix"),
        ("named", True),
    ]


@pytest.mark.parametrize("character", ["a", "é", "\n", "\u202e", "😀"], ids=ascii)
def test_path_of_4096_bytes_is_cut_and_there_in_full_as_bytes(character: str) -> None:
    path = character * (4_096 // len(character.encode()))

    line = read(orphan(path))

    short = line["path"] == path
    assert short or line["path"] in (character * 100 + "…", character * 20 + "…")
    assert short or (b64decode(line["path_b64"]).decode(), line["cut"]) == (path, True)
    assert short is (character == "a")


def test_path_that_is_not_utf8_is_readable_and_there_as_bytes() -> None:
    path = os.fsdecode(b"photos/\xff\xc3\xa9\n.jpg")

    line = read(orphan(path))

    assert line["path"] == "photos/\\xffé\n.jpg"
    assert (b64decode(line["path_b64"]), "cut" in line) == (b"photos/\xff\xc3\xa9\n.jpg", False)


def test_long_path_that_is_not_utf8_is_readable_and_there_as_bytes() -> None:
    raw = b"\xff" * 4_096

    line = read(orphan(os.fsdecode(raw)))

    assert line["path"] == "\\xff" * 25 + "…"
    assert (b64decode(line["path_b64"]), line["cut"]) == (raw, True)


@given(texts)
def test_path_is_there_as_text_or_as_bytes(path: str) -> None:
    line = read(orphan(path))

    told = b64decode(line["path_b64"]) if "path_b64" in line else line["path"].encode()
    try:
        assert told == os.fsencode(path)
    except UnicodeEncodeError:  # a half that stands for no byte
        assert told == path.encode(errors="surrogatepass")


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        jsonlog.render_json(None, "info", {"event": "x", "value": float("nan")})


class Theirs(dict[str, Any]):
    """A context that a host might have configured."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values, theirs=True)


@pytest.fixture
def configured() -> Iterator[list[Any]]:
    """A host that has set structlog up for itself, and what it heard."""
    heard: list[Any] = []

    def hear(logger: Any, method: str, event: Any) -> Any:
        heard.append(event)
        raise structlog.DropEvent

    structlog.configure(processors=[hear], context_class=Theirs, cache_logger_on_first_use=True)
    yield heard
    structlog.reset_defaults()


def test_configuration_of_the_host_neither_changes_our_lines_nor_is_changed(configured: list[Any]) -> None:
    before = dict(structlog.get_config())

    line = read(orphan("photos/a.jpg"))

    assert line == {
        "model": "gallery.Photo",
        "key": "1",
        "field": "image",
        "path": "photos/a.jpg",
        "group": "Album: Aix",
        "named": True,
    }
    assert (structlog.get_config(), configured) == (before, [])
    structlog.get_logger().info("hello")
    assert configured == [{"event": "hello", "theirs": True}]


def test_configuration_of_the_host_after_the_log_was_opened_changes_nothing(configured: list[Any]) -> None:
    structlog.reset_defaults()
    stream = StringIO()
    log = jsonlog.JsonLog(RUN_ID)
    log.add_json(stream)
    log.emit(orphan("before.jpg"))
    structlog.configure(processors=[lambda *_: pytest.fail("the host's processor was used")])

    log.emit(orphan("after.jpg"))

    assert [json.loads(line)["path"] for line in stream.getvalue().splitlines()] == ["before.jpg", "after.jpg"]


@settings(max_examples=20)  # of each kind, and one function writes them all
@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_console_line_holds_nothing_that_a_terminal_obeys(kind: type[LogLine], data: st.DataObject) -> None:
    terminal = Terminal()
    log = jsonlog.JsonLog(RUN_ID)
    log.add_console(terminal)

    log.emit(data.draw(lines(kind)))

    shown = terminal.getvalue()
    assert shown.endswith("\n")
    assert shown[:-1].isprintable()


@pytest.mark.parametrize(
    ("log_format", "is_terminal", "quiet", "with_stdout", "on_stderr", "on_stdout"),
    [
        ("auto", False, True, False, "json", ""),
        ("auto", False, False, False, "json", ""),
        ("auto", True, True, False, "", ""),
        ("auto", True, False, False, "console", ""),
        ("auto", False, True, True, "", "json"),
        ("auto", True, True, True, "", "json"),
        ("json", True, True, False, "json", ""),
        ("json", False, True, True, "json", "json"),
        ("console", False, True, False, "console", ""),
        ("console", True, True, True, "console", "json"),
        ("none", False, False, False, "", ""),
        ("none", False, True, True, "", "json"),
    ],
)
def test_which_stream_gets_what(
    log_format: str, is_terminal: bool, quiet: bool, with_stdout: bool, on_stderr: str, on_stdout: str
) -> None:
    stderr, stdout = Terminal() if is_terminal else StringIO(), StringIO()
    chosen = stdout if with_stdout else None

    with jsonlog.open_log(RUN_ID, stderr=stderr, log_format=log_format, stdout=chosen, quiet=quiet) as log:
        log.emit(orphan("photos/a.jpg"))

    assert (form(stderr.getvalue()), form(stdout.getvalue())) == (on_stderr, on_stdout)


def form(text: str) -> str:
    return text and ("json" if text.startswith("{") else "console")


def test_file_is_appended_to_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for name in ("a.jpg", "b.jpg"):
        with jsonlog.JsonLog(RUN_ID) as log:
            log.add_file(str(path))
            log.emit(orphan(name))

    assert [json.loads(line)["path"] for line in path.read_text().splitlines()] == ["a.jpg", "b.jpg"]


def test_file_that_cannot_be_opened_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(AuditorError) as refused:
        jsonlog.JsonLog(RUN_ID).add_file(str(tmp_path))

    assert (refused.value.message, refused.value.exit_code) == (
        f"The JSON log cannot be written to {tmp_path}: Is a directory.",
        ExitCode.USAGE,
    )


def test_every_level_of_the_catalogue_is_written() -> None:
    assert {json.loads(written(largest(kind, "a")))["level"] for kind in KINDS} == {"info", "warning", "error"}
    assert {kind.level for kind in catalogue.LINES.values()} == {"info", "warning", "error"}
