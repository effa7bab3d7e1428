"""The hash that binds each batch of events to the one before.

It shows an edit, a swap, an insertion or a deletion inside the log.
A cut tail, or a log written anew from the start, shows only against a seal that was carried away.
"""

import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from auditor.auditlog.events import StoredEvent

GENESIS = "0" * 64
FORMAT = "media-auditor/1"
KEYED_FORMAT = "media-auditor/1+hmac"
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

# A leaf, a node, a header and what a prune has kept never hash alike (RFC 6962, section 2.1).
LEAF, NODE, HEADER, KEPT = b"\x00", b"\x01", b"\x02", b"\x03"


def events_hash(events: Iterable[StoredEvent]) -> str:
    """SHA-256 over the events of one batch in their order, as 64 hex digits."""
    node = sha256(NODE)
    for event in events:
        node.update(sha256(LEAF + canonical(leaf(event))).digest())
    return node.hexdigest()


def seal(  # noqa: PLR0913 - the header of a batch has so many fields
    *,
    log_id: UUID,
    number: int,
    uid: UUID,
    first_position: int,
    count: int,
    recorded_at: datetime,
    content: str,
    previous: str,
    key: bytes | None,
) -> str:
    """The seal of a batch: SHA-256 over its header, its events' hash and the seal before it, as 64 hex digits.

    With a key, it is an HMAC (RFC 2104) of the same with another format: nobody can compute it who has not the key.
    """
    form = KEYED_FORMAT if key else FORMAT
    header = [form, str(log_id), number, str(uid), first_position, count, microseconds(recorded_at)]
    sealed = HEADER + canonical([*header, content, previous])
    return hmac.digest(key, sealed, "sha256").hex() if key else sha256(sealed).hexdigest()


def leaf(event: StoredEvent) -> list[Any]:
    return [
        event.type,
        event.version,
        event.root,
        event.path,
        microseconds(event.occurred_at),
        as_text(event.run_id) if event.run_id else None,
        event.data,
    ]


def canonical(value: Any) -> bytes:
    """One spelling for one value, whichever database it came through: sorted keys, no spaces, UTF-8, no floats."""
    return ENCODER.encode(value).encode()


# Most events of a batch share their time and their run.
@lru_cache(maxsize=16)
def as_text(run_id: UUID) -> str:
    return str(run_id)


@lru_cache(maxsize=16)
def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
