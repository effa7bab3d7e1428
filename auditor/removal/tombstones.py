"""What is kept of a row that a run deletes or changes: its form, written and read back."""

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connections, models

from auditor import bulk
from auditor.models import Run, Tombstone
from auditor.removal.rows import Row

COLUMNS = ("run", "kind", "model", "key", "payload", "sha256")


# A tombstone that is still to be written, as (kind, model, key, payload): 60,000 instances of the model would cost
# more than the deletion.
Note: TypeAlias = tuple[str, str, str, str]


def _float(value: float) -> str:
    return float.__repr__(value) if math.isfinite(value) else f'{{"float": "{value}"}}'


def _bytes(value: bytes | memoryview) -> str:
    return f'{{"base64": "{b64encode(value).decode()}"}}'


# An encoder of `json` costs as much to start as it takes for ten rows.
ENCODERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    float: _float,
    bytes: _bytes,
    memoryview: _bytes,
}


def form_of(columns: Sequence[str]) -> str:
    """The form into which `to_payload` puts the values of these columns."""
    names = (encode_basestring(column).replace("%", "%%") for column in columns)
    return "{" + ", ".join(f"{name}: %s" for name in names) + "}"


def to_payload(form: str, values: Sequence[Any]) -> str:
    """A row's stored form, in JSON: bytes are {"base64": …}, an infinite number is {"float": "inf"}.

    What else a driver may give is kept as its text.
    """
    return form % tuple([value if type(value) is int else _encoded(value) for value in values])


def _encoded(value: Any) -> str:
    encode = ENCODERS.get(type(value))
    return encode(value) if encode else encode_basestring(str(value))


def from_payload(payload: str) -> Row:
    """The row of a stored form."""
    return {name: _value(value) for name, value in json.loads(payload).items()}


def from_changed(payload: str) -> Row:
    """The {"key", "column", "old", "new"} of a row's change."""
    row = json.loads(payload)
    keys = {name: _value(value) for name, value in row["key"].items()}
    return {name: _value(value) for name, value in row.items()} | {"key": keys}


def _value(found: Any) -> Any:
    match found:
        case {"base64": text}:
            return b64decode(text)
        case {"float": text}:
            return float(text)
    return found


def digest(payload: str) -> str:
    """What a tombstone keeps of its payload for ever."""
    return sha256(payload.encode()).hexdigest()


def changed_note(
    kind: Tombstone.Kind, model: type[models.Model], key: Any, key_values: Row, column: str, old: Any, new: Any
) -> Note:
    """A row in which one column goes from `old` to `new`, both as stored; `key_values` are its key's columns."""
    keys = to_payload(form_of(list(key_values)), list(key_values.values()))
    change = to_payload(form_of(["column", "new", "old"]), [column, new, old])
    payload = f'{change[:-1]}, "key": {keys}}}'
    return kind.value, model._meta.label, str(key), payload


def changed_row(
    kind: Tombstone.Kind, model: type[models.Model], key_values: Row, column: str, old: Any, new: Any, run: UUID
) -> Tombstone:
    """As `changed_note`, as an instance that is yet to be saved; the key is read from `key_values`."""
    keys = tuple(field.to_python(key_values[str(field.column)]) for field in model._meta.pk_fields)
    note = changed_note(kind, model, keys if len(keys) > 1 else keys[0], key_values, column, old, new)
    return Tombstone(run_id=run, kind=note[0], model=note[1], key=note[2], payload=note[3], sha256=digest(note[3]))


def write_down(notes: Iterable[Note], run: UUID, using: str) -> None:
    """Writes the tombstones, in the order of the notes."""
    fields = [Tombstone._meta.get_field(name) for name in COLUMNS]
    uid = Run._meta.pk.get_db_prep_save(run, connections[using])
    rows = [
        (uid, kind, model, key, payload, sha256(payload.encode()).hexdigest()) for kind, model, key, payload in notes
    ]
    bulk.insert(fields, rows, using)
