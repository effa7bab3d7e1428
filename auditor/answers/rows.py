"""Lists of `audit_log` as text, a row each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from auditor.answers.blind import Interval
from auditor.answers.figures import Figures
from auditor.answers.runs import RunListed
from auditor.answers.sentences import clock
from auditor.archive.pruning import Pruned
from auditor.auditlog.rebuilding import Difference
from auditor.durations import in_words
from auditor.wording import counted, safe, sized

NEVER = "  no watcher has ever looked after it"
BAR = 40  # characters of the longest bar
# Of an event's data.
SHOWN = ("cause", "reason", "detail", "trashed_by", "deleted_by", "command", "message", "segment")


def event(position: int, at: datetime, kind: str, path: str, data: dict[str, Any]) -> str:
    """One event; `path` begins with its root where there are several."""
    words = " ".join(filter(None, [safe(path), about(data)]))
    return f"{position:>9}  {clock(at)}  {kind:<20}  {words}".rstrip()


def about(data: dict[str, Any]) -> str:
    """What an event says beside its name."""
    record = f"{data['model']}:{data['key']}" if "model" in data and "key" in data else ""
    to = f"-> {data['to']}" if data.get("to") else ""
    details = ", ".join(str(data[name]) for name in SHOWN if data.get(name))
    return safe(" ".join(filter(None, [to, record, f"({details})" if details else ""])))


def intervals(root: str, some: Sequence[Interval]) -> str:
    """When a root was covered and when it was not, the newest first."""
    return "\n".join([safe(root), *(f"  {_interval(one)}" for one in some)] if some else [safe(root), NEVER])


def _interval(one: Interval) -> str:
    until = "now                " if one.is_now and not one.is_covered else clock(one.until)
    length = in_words((one.until - one.since).total_seconds())
    if one.is_covered:
        return f"covered  {clock(one.since)} to {until}  {length}{' so far' if one.is_now else ''}"
    detail = f": {safe(one.detail)}" if one.detail else ""
    return f"blind    {clock(one.since)} to {until}  {length} ({one.why}{detail})"


def run(one: RunListed) -> str:
    """One run and what it did."""
    by = f" by {safe(one.user)}" if one.user else ""
    return f"{one.uid}  {clock(one.finished_at)}  {one.command}{by}: {did(one)}"


def did(one: RunListed) -> str:
    """What a run did, in a few words."""
    counts = [f"{count:,} {word}" for word, count in one.counts.items() if count]
    return (", ".join(counts) or "nothing to do") if one.is_complete else "not completed"


def difference(one: Difference, *, is_dry: bool) -> str:
    """How a projection differed from the events."""
    if not one:
        return f"{one.table}: as the events say"
    counts = {"lacking": one.lacking, "too many": one.surplus, "wrong": one.wrong}
    what = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"{one.table}: {what}{'' if is_dry else ', set right'}"


def pruned(one: Pruned, *, is_dry: bool) -> str:
    """What one step of a prune did, or would."""
    first, last = one.step.after.position + 1, one.step.until.position
    would = "would be " if is_dry else ""
    where = "" if is_dry else f" in {one.segment}"
    return (
        f"Positions {first} to {last}: {counted(one.step.archived, 'event')} {would}archived{where}, "
        f"{one.removed:,} {would}removed, {one.kept:,} kept up to there"
    )


def figures(log: Figures) -> Iterator[str]:
    """The figures of the log, a line each."""
    if not log.events or log.oldest is None or log.newest is None:
        yield "The audit log is empty."
        return
    yield f"{counted(log.events, 'event')} in {counted(log.batches, 'batch', 'batches')}"
    yield f"  oldest: position {log.first_position}, of {clock(log.oldest)}"
    yield f"  newest: position {log.last_position}, of {clock(log.newest)}"
    if log.archived_until:
        yield f"  archived: up to position {log.archived_until}; {log.kept:,} of these are still here"
    yield ""
    for table, size in log.sizes.items():
        yield f"{table or 'the whole database':<28}  {sized(size):>8}"
    yield ""
    yield "Events recorded by day"
    most = max(log.days.values(), default=0) or 1
    for day, count in log.days.items():
        yield f"  {day}  {count:>9}  {'#' * -(-count * BAR // most)}".rstrip()
