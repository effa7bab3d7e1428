"""Renders the JSON Schema of the audit log's events, as `audit_log export` writes them."""

import inspect
import json
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from auditor.auditlog import events

NULL = {"type": "null"}
TIME = {"type": "string", "format": "date-time"}
TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**53},
    bool: {"type": "boolean"},
    Any: {},
    type(None): NULL,
}
COLUMNS = {
    "position": {"type": "integer", "minimum": 1, "exclusiveMaximum": 2**53},
    "root": {"anyOf": [TYPES[int], NULL]},
    "path": TYPES[str],
    "occurred_at": TIME,
    "run_id": {"anyOf": [{"type": "string", "format": "uuid"}, NULL]},
}
PATH_BYTES = {"path_b64": {"type": "string", "contentEncoding": "base64"}}


def event_schema() -> str:
    """The JSON Schema of every event."""
    kinds = sorted((kind for name, kind in events.REGISTRY.items() if name), key=lambda kind: kind.type)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:media-auditor:event:1",
        "title": "An event of the audit log",
        "oneOf": [{"$ref": f"#/$defs/{kind.type}"} for kind in kinds],
        "$defs": {kind.type: schema_of(kind) for kind in kinds},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_of(kind: type[events.Event]) -> dict[str, Any]:
    own = {"type": {"const": kind.type}, "version": {"const": kind.version}, "data": data_of(kind)}
    columns = COLUMNS | own
    return {
        "description": inspect.cleandoc(kind.__doc__ or ""),  # Python 3.13 does so by itself
        "type": "object",
        "properties": columns,
        "required": list(columns),
        "additionalProperties": False,
    }


def data_of(kind: type[events.Event]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    own = [field for field in fields(kind) if field.name not in events.COLUMNS]
    return {
        "type": "object",
        "properties": {field.name: of(hints[field.name]) for field in own} | PATH_BYTES,
        "required": [field.name for field in own if field.default is MISSING and field.default_factory is MISSING],
        "additionalProperties": False,
    }


def of(hint: Any) -> dict[str, Any]:
    if isinstance(hint, UnionType):
        return {"anyOf": [of(part) for part in get_args(hint)]}
    if get_origin(hint) is list:
        return {"type": "array", "items": of(get_args(hint)[0])}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": of(get_args(hint)[1])}
    return dict(TYPES[hint])
