"""The events past the models, as the driver gives their columns, and the hashes that they amount to.

To make an instance of each takes most of the time.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connections

from auditor.auditlog.seal import EPOCH, KEPT, LEAF, NODE, canonical, microseconds

EVENTS_AT_ONCE = 10_000

# Position, type, version, root, path, time, run and data.
Row: TypeAlias = tuple[Any, ...]


def rows_between(after: int, until: int | None = None, *, using: str) -> Iterator[Row]:
    """The events after a position, and up to another one, in order."""
    connection = connections[using]
    # Without its type, SQLite gives the text; PostgreSQL's driver leaves JSON as text only if it is told to.
    moment = "occurred_at || ''" if connection.vendor == "sqlite" else "occurred_at"
    data = "data::text" if connection.vendor == "postgresql" else "data"
    end = "" if until is None else f"AND position <= {int(until)} "
    sql = (
        f"SELECT position, type, version, root_id, path, {moment}, run_id, {data} FROM auditor_event "  # noqa: S608
        f"WHERE position > %s {end}ORDER BY position LIMIT %s"
    )
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, [after, EVENTS_AT_ONCE])
            found = cursor.fetchall()
        yield from found
        if len(found) < EVENTS_AT_ONCE:
            return
        after = found[-1][0]


def node(digests: Sequence[bytes]) -> str:
    """The `events_hash` of a batch whose events have these hashes."""
    return sha256(NODE + b"".join(digests)).hexdigest()


def digest(row: Row) -> bytes:
    """The hash of one event, as `seal.leaf` and `seal.canonical` make it; of none that can be read, an empty one."""
    _, kind, version, root, path, occurred_at, run, data = row
    try:
        form = (
            f"[{encode_basestring(kind)},{version},{'null' if root is None else root},{encode_basestring(path)},"
            f"{_microseconds(occurred_at)},{'null' if run is None else run_text(run)},{_data(data)}]"
        )
        return sha256(LEAF + form.encode()).digest()
    except (TypeError, ValueError):
        return b""


def kept_hash(rows: Iterable[Row]) -> tuple[int, str]:
    """(How many they are, a hash over their places and hashes): what seals the events that a prune has left."""
    count, kept = 0, sha256(KEPT)
    for row in rows:
        count += 1
        kept.update(row[0].to_bytes(8, "big") + digest(row))
    return count, kept.hexdigest()


def _microseconds(moment: str | datetime) -> int:
    if isinstance(moment, str):
        whole, _, fraction = moment.partition(".")
        return _whole(whole) + int(fraction.ljust(6, "0"))
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(maxsize=1_000)
def _whole(moment: str) -> int:
    return microseconds(datetime.fromisoformat(moment).replace(tzinfo=UTC))


@lru_cache(maxsize=1_000)
def run_text(run: str | UUID) -> str:
    """The id of a run as JSON."""
    return f'"{run if isinstance(run, UUID) else UUID(run)}"'


@lru_cache(maxsize=10_000)
def _data(data: str) -> str:
    return canonical(json.loads(data)).decode()
