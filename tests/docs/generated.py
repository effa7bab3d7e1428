"""Renders the reference pages that are made from the code: {page: text}."""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from auditor import (
    catalogue,
    catalogue_of_files,  # noqa: F401 - its lines are in the catalogue then
)
from auditor.answers import catalogue as of_answers  # noqa: F401 - its lines are in the catalogue then
from auditor.auditlog import events
from auditor.auditlog.coverage import GapReason
from auditor.catalogue import ENVELOPE, LINES, OPTIONAL, REQUIRED, SCHEMA, LogLine
from auditor.integrity import catalogue as of_integrity  # noqa: F401 - its lines are in the catalogue then
from auditor.orphans.route import RouteKind, RouteReason
from tests.docs.event_schema import event_schema

NOTE = "<!-- Made from {source} by tests/docs/generated.py: WRITE_DOCS=1 pytest tests/docs -->"
PLAIN_WORDS: dict[Any, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    Any: "value",
    type(None): "null",
}


def json_log() -> str:
    """The page of the JSON log."""
    kinds = log_lines()
    return "\n".join(
        [
            "# The JSON log",
            "",
            NOTE.format(source="auditor/catalogue.py"),
            "",
            "One JSON object per line; [Log pipelines](../how-to/log-pipelines.md) tells where the lines go.",
            "[json-log.schema.json](json-log.schema.json) is the JSON Schema (2020-12) that every line fits.",
            "",
            "## All lines",
            "",
            "| event | level | meaning |",
            "| --- | --- | --- |",
            *(f"| [`{kind.event}`](#{anchor(kind.event)}) | {kind.level} | {sentence(kind)} |" for kind in kinds),
            "",
            "## Fields of every line",
            "",
            "| field | type | required |",
            "| --- | --- | --- |",
            *(f"| `{name}` | {envelope_words(ENVELOPE[name])} | yes |" for name in ENVELOPE),
            "| `event` | the name of the line | yes |",
            *(f"| `{name}` | {envelope_words(OPTIONAL[name])} | no |" for name in OPTIONAL),
            "",
            "A field that is not required is left out where there is nothing to say.",
            "",
            *(line for kind in kinds for line in log_section(kind)),
            "## Values",
            "",
            "| field | values |",
            "| --- | --- |",
            f"| `route` | {values(kind for kind in RouteKind if kind is not RouteKind.AUTO)} |",
            f"| `reason` of `route.chosen` | {values(RouteReason)} |",
            f"| `reason` of `span.closed` | {values(GapReason)} |",
            f"| `reason` of `root.waiting` | those of `span.closed`, and {values(['database'])} |",
            "",
            "Other reasons are sentences for a person.",
            "[What closes a span](../how-to/run-the-watcher.md#what-closes-a-span) and"
            " [Where the answer comes from](../commands/cleanup_orphaned_media.md#where-the-answer-comes-from)"
            " explain them.",
            "",
        ]
    )


def log_section(kind: type[LogLine]) -> list[str]:
    hints = get_type_hints(kind)
    rows = [
        f"| `{name}` | {words(hints[name])} | {'yes' if default is REQUIRED else 'no'} |"
        for name, default in kind.defaults.items()
    ]
    head = [f"## {kind.event}", "", f"{sentence(kind)}", f"Level: {kind.level}.", ""]
    return [*head, "| field | type | required |", "| --- | --- | --- |", *rows, ""]


def json_log_schema() -> str:
    """The JSON Schema that every line of the JSON log fits."""
    kinds = log_lines()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:media-auditor:log:1",
        "title": f"A line of the JSON log, {SCHEMA}",
        "oneOf": [{"$ref": f"#/$defs/{kind.event}"} for kind in kinds],
        "$defs": {kind.event: catalogue.json_schema(kind) for kind in kinds},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def event_types() -> str:
    """The page of the audit log's events."""
    kinds = sorted((kind for name, kind in events.REGISTRY.items() if name), key=lambda kind: kind.type)
    common = {field.name for field in fields(events.Event)}
    return "\n".join(
        [
            "# Events of the audit log",
            "",
            NOTE.format(source="auditor/auditlog/events.py"),
            "",
            "Every row of `auditor_event` is one event.",
            "Its columns are those in [Tables](tables.md); `data` holds the fields that are listed here.",
            "[events.schema.json](events.schema.json) is the JSON Schema (2020-12) that every event"
            " of `audit_log export` fits.",
            "`path` is relative to the media folder.",
            "Where a name is not UTF-8, `path` shows its bytes as `\\xNN`, and `path_b64` in `data` holds them.",
            "",
            "| type | version | meaning |",
            "| --- | --- | --- |",
            *(f"| [`{kind.type}`](#{anchor(kind.type)}) | {kind.version} | {sentence(kind)} |" for kind in kinds),
            "",
            *(line for kind in kinds for line in event_section(kind, common)),
        ]
    )


def event_section(kind: type[events.Event], common: set[str]) -> list[str]:
    hints = get_type_hints(kind)
    own = [field.name for field in fields(kind) if field.name not in common]
    rows = [f"| `{name}` | {words(hints[name])} |" for name in own]
    table = ["| field in `data` | type |", "| --- | --- |", *rows] if rows else ["It has no fields in `data`."]
    return [f"## {kind.type}", "", *paragraph(kind), "", *table, ""]


GENERATED: dict[str, Callable[[], str]] = {
    "reference/json-log.md": json_log,
    "reference/json-log.schema.json": json_log_schema,
    "reference/events.md": event_types,
    "reference/events.schema.json": event_schema,
}


def log_lines() -> list[type[LogLine]]:
    """Every kind of line, in the order of the catalogue."""
    return [kind for event, kind in LINES.items() if event]


def sentence(kind: type[object]) -> str:
    """The first line of a docstring, fit for a table."""
    return paragraph(kind)[0].replace("|", "\\|")


def paragraph(kind: type[object]) -> list[str]:
    """The lines of a docstring; what looks like code is marked as such."""
    assert kind.__doc__
    return [line.strip() for line in kind.__doc__.strip().splitlines() if line.strip()]


def anchor(name: str) -> str:
    return name.replace(".", "")


def values(some: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in some)


def words(hint: Any) -> str:
    """A type as a reader of JSON calls it."""
    if isinstance(hint, UnionType):
        return " or ".join(words(part) for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is list:
        return f"array of {words(get_args(hint)[0])}s"
    if get_origin(hint) is dict:
        return f"object of {words(get_args(hint)[1])}s"
    return PLAIN_WORDS[hint]


def envelope_words(schema: dict[str, Any]) -> str:
    """The type of a field that every line has, or may have."""
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    detail = schema.get("format") or schema.get("contentEncoding")
    return f"{schema['type']}, {detail}" if detail else schema["type"]
