"""Makes the projections anew from the events: what is missing, the spans and the checkpoints.

Only what differs is written. A watermark is in no event while its span is open, so there it stays as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from auditor.auditlog import missing, pruned, store
from auditor.auditlog.events import CheckpointCompleted, Event, SpanClosed, SpanOpened, StoredEvent, from_stored
from auditor.auditlog.missing import MissingName
from auditor.models import Checkpoint, MissingFile, Span

READ_AT_ONCE = 2_000

# A row as {column: value} without its key, by its key.
Rows: TypeAlias = dict[Any, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one projection differed from the events: rows that were missing, that were too many, or that were wrong."""

    table: str
    lacking: int
    surplus: int
    wrong: int

    def __bool__(self) -> bool:
        return bool(self.lacking or self.surplus or self.wrong)


@dataclass(slots=True)
class Projection:
    """What the events up to `position` say."""

    position: int = 0
    names: dict[MissingName, missing.Missing] = field(default_factory=dict)
    swept: dict[tuple[int, str], int] = field(default_factory=dict)  # names below that are older went with it
    spans: Rows = field(default_factory=dict)
    checkpoints: Rows = field(default_factory=dict)

    def read_on(self, using: str) -> None:
        """Takes all events into account that the log has by now."""
        self.read(store.read(after=self.position, using=using))

    def read(self, events: Iterable[tuple[int, StoredEvent]]) -> None:
        """Takes the events that follow into account."""
        for chunk in store.chunks(events, READ_AT_ONCE):
            self._add([(position, event) for position, stored in chunk if (event := from_stored(stored))])
            self.position = chunk[-1][0]

    def missing_files(self) -> Rows:
        """The missing set: what did not go with a directory later."""
        return {
            name: {"position": gone.position, "moved_to": gone.moved_to}
            for name, gone in self.names.items()
            if not self._is_swept(name, gone.position)
        }

    def _add(self, placed: list[tuple[int, Event]]) -> None:
        changes = missing.fold(placed)
        for root, directory in changes.swept:
            self.swept[root, directory] = self.position + 1  # what this chunk has below is told apart by the fold
        for name, until in changes.back.items():
            if name in self.names and self.names[name].position <= until:
                del self.names[name]
        self.names |= changes.gone
        for position, event in placed:
            self._add_coverage(position, event)

    def _add_coverage(self, position: int, event: Event) -> None:
        match event:
            case SpanOpened():
                self.spans[UUID(event.span)] = {
                    "root_id": event.root,
                    "identity": event.identity,
                    "opened_at": event.occurred_at,
                    "opened_position": position,
                    "covered_until": event.occurred_at,
                    "closed_at": None,
                    "closed_reason": "",
                    "closed_detail": "",
                }
            case SpanClosed() if (span := self.spans.get(UUID(event.span))) and span["closed_at"] is None:
                span["covered_until"] = datetime.fromisoformat(event.covered_until)
                span["closed_at"] = event.occurred_at
                span["closed_reason"], span["closed_detail"] = event.reason, event.detail
            case CheckpointCompleted():
                self.checkpoints[position] = {
                    "span_id": UUID(event.span),
                    "made_at": event.occurred_at,
                    "fields": event.compared,
                }

    def _is_swept(self, name: MissingName, position: int) -> bool:
        root, path, _ = name
        cut = path.rfind("/")
        while cut > 0:
            if self.swept.get((root, path[:cut]), 0) > position:
                return True
            cut = path.rfind("/", 0, cut)
        return False


def rebuild(*, is_dry: bool, using: str, archived: Iterable[tuple[int, StoredEvent]] = ()) -> list[Difference]:
    """Makes the projections what the events say, and gives back how they differed; a dry run only says so.

    `archived` are all events that were pruned. While what differs is written, no append goes through.
    Raises AuditorError, with nothing changed, if the log was pruned meanwhile.
    """
    last_prune = pruned.place_of_last_prune(using)
    projection = Projection()
    projection.read(archived)
    projection.read_on(using)
    pruned.ensure_not_since(last_prune, using)
    if is_dry:
        return [difference for difference, _ in _differences(projection, using)]
    with transaction.atomic(using):
        store.lock_head(using)
        pruned.ensure_not_since(last_prune, using)
        projection.read_on(using)
        found = _differences(projection, using)
        for _, change in found:
            change.apply(using)
    return [difference for difference, _ in found]


@dataclass(slots=True, kw_only=True)
class Change:
    """What has to be done to one table; keys are those of the projection, `model` is the table's."""

    model: type[Model]
    key: tuple[str, ...]
    lacking: Rows
    surplus: list[Any]
    wrong: Rows

    def apply(self, using: str) -> None:
        """Makes the table what the events say."""
        rows = self.model._base_manager.using(using)
        for key in self.surplus:
            rows.filter(**self._named(key)).delete()
        for key, values in self.wrong.items():
            rows.filter(**self._named(key)).update(**values)
        made = [self.model(**self._named(key), **values) for key, values in self.lacking.items()]
        rows.bulk_create(made, batch_size=store.CHUNK)

    def _named(self, key: Any) -> dict[str, Any]:
        return dict(zip(self.key, key if len(self.key) > 1 else (key,), strict=True))


def _differences(projection: Projection, using: str) -> list[tuple[Difference, Change]]:
    """In the order in which they can be applied: a checkpoint needs its span."""
    spans = _held(Span, ("uid",), using)
    expected = {key: values | _watermark(values, spans.get(key)) for key, values in projection.spans.items()}
    return [
        _compared(MissingFile, ("root_id", "path", "is_directory"), projection.missing_files(), using),
        _compared(Span, ("uid",), expected, using),
        _compared(Checkpoint, ("position",), projection.checkpoints, using),
    ]


def _watermark(expected: Mapping[str, Any], held: Mapping[str, Any] | None) -> dict[str, Any]:
    """The watermark to keep: the one that is there, unless the event that closed the span says less."""
    if held is None:
        return {}
    reached = held["covered_until"]
    return {"covered_until": reached if expected["closed_at"] is None else min(reached, expected["covered_until"])}


def _compared(model: type[Model], key: tuple[str, ...], expected: Rows, using: str) -> tuple[Difference, Change]:
    held = _held(model, key, using)
    change = Change(
        model=model,
        key=key,
        lacking={one: values for one, values in expected.items() if one not in held},
        surplus=[one for one in held if one not in expected],
        wrong={one: values for one, values in expected.items() if one in held and held[one] != values},
    )
    difference = Difference(
        table=model._meta.db_table,
        lacking=len(change.lacking),
        surplus=len(change.surplus),
        wrong=len(change.wrong),
    )
    return difference, change


def _held(model: type[Model], key: tuple[str, ...], using: str) -> Rows:
    """The rows that the table holds."""
    columns = [one.attname for one in model._meta.concrete_fields if one.attname not in (*key, "id")]
    rows = model._base_manager.using(using).values_list(*key, *columns)
    width = len(key)
    return {
        (row[:width] if width > 1 else row[0]): dict(zip(columns, row[width:], strict=True))
        for row in rows.iterator(READ_AT_ONCE)
    }
