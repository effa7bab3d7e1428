"""The lines of an export and of a segment: an object with one key each, that of its kind."""

import json
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring_ascii as _text
from typing import Any, TypeAlias
from uuid import UUID

from auditor.auditlog.digests import Row, run_text
from auditor.auditlog.events import StoredEvent
from auditor.auditlog.seal import FORMAT, LEAF, canonical, microseconds
from auditor.models import Batch

Values: TypeAlias = dict[str, Any]


def log_line(log_id: UUID | None, roots: dict[int, str], **more: Any) -> str:
    """The first line: which log this is, and its media folders by their number."""
    return _line("log", log_id=str(log_id) if log_id else None, format=FORMAT, roots=roots, **more)


def batch_line(batch: Batch) -> str:
    """A batch with its seal; its events follow."""
    return _line(
        "batch",
        number=batch.number,
        uid=str(batch.uid),
        first_position=batch.first_position,
        count=batch.count,
        recorded_at=batch.recorded_at.isoformat(),
        events_hash=batch.events_hash,
        previous_seal=batch.previous_seal,
        seal=batch.seal,
    )


def event_line(row: Row) -> str:
    """An event as it is stored; by hand, as that takes a quarter of the time."""
    position, kind, version, root, path, occurred_at, run, data = row
    moment = f"{occurred_at.replace(' ', 'T')}+00:00" if isinstance(occurred_at, str) else occurred_at.isoformat()
    return (
        f'{{"event": {{"position": {position}, "type": {_text(kind)}, "version": {version}, '
        f'"root": {"null" if root is None else root}, "path": {_text(path)}, "occurred_at": "{moment}", '
        f'"run_id": {"null" if run is None else run_text(run)}, "data": {data}}}}}'
    )


def end_line(position: int, batch: int = 0, seal: str = "") -> str:
    """The last line: without it, the lines are not whole."""
    return _line("end", position=position, **({"batch": batch, "seal": seal} if batch else {}))


def _line(kind: str, **values: Any) -> str:
    return json.dumps({kind: values})


def read_line(line: str) -> tuple[str, Values]:
    """The kind of a line, and what it says; raises ValueError for anything else."""
    ((kind, values),) = json.loads(line).items()
    return str(kind), dict(values)


def read_batch(values: Values) -> Batch:
    """The batch of a line, which is not in any database; raises ValueError, KeyError or TypeError for none."""
    return Batch(**values | {"uid": UUID(values["uid"]), "recorded_at": datetime.fromisoformat(values["recorded_at"])})


def digest_of(values: Values) -> bytes:
    """The hash of the event of a line; raises ValueError, KeyError or TypeError for none."""
    moment = microseconds(datetime.fromisoformat(values["occurred_at"]))
    columns = [values["type"], values["version"], values["root"], values["path"], moment]
    return sha256(LEAF + canonical([*columns, values["run_id"], values["data"]])).digest()


def read_event(values: Values) -> tuple[int, StoredEvent]:
    """The position and the event of a line; raises ValueError, KeyError or TypeError for none."""
    rest = {name: value for name, value in values.items() if name != "position"}
    rest["occurred_at"] = datetime.fromisoformat(rest["occurred_at"])
    rest["run_id"] = UUID(rest["run_id"]) if rest["run_id"] else None
    return int(values["position"]), StoredEvent(**rest)
