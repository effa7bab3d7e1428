"""How each media folder is now, as a clean-up that started now would see it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from auditor import conf
from auditor.answers.asking import roots_known
from auditor.answers.sentences import clock
from auditor.auditlog import store
from auditor.auditlog.coverage import CheckpointSeen, Coverage
from auditor.durations import in_words
from auditor.errors import AuditorError
from auditor.journal.columns import column_of
from auditor.models import Event
from auditor.orphans.registry import AuditedModel, audited_models
from auditor.orphans.route import Route, RouteReason, decide, why_closed, words
from auditor.orphans.survey import look_at_root, marks_of
from auditor.pages.listing import Fact
from auditor.wording import counted, safe

MOST_DELETIONS = 10_000  # since a checkpoint: no more are counted
BEHIND = (RouteReason.NO_CHECKPOINT, RouteReason.CLOCK_SET_BACK)
IN_PART = (
    RouteReason.FIELD_NOT_SEEN,
    RouteReason.NOT_JOURNALED,
    RouteReason.JOURNAL_CHANGED,
    RouteReason.TOO_MANY_ODD_NAMES,
)


class State(StrEnum):
    """How a media folder is."""

    COVERED = "covered"
    IN_PART = "covered in part"  # the log can answer for some fields only, or for none, though somebody looks
    CATCHING_UP = "catching up"  # somebody looks, and has not compared everything
    BLIND = "blind"
    NO_FOLDER = "not a folder"  # an object store: every clean-up asks it


@dataclass(frozen=True, slots=True, kw_only=True)
class RootNow:
    """A media folder now; `why` is a sentence."""

    path: str
    state: State
    why: str
    hint: str = ""
    facts: Sequence[Fact] = ()

    @property
    def look(self) -> str:
        """The name of the state's colour."""
        return self.state.replace(" ", "-")


def roots_now(using: str) -> Iterator[RootNow]:
    """All media folders and places that the site uses or the log knows. Only reads."""
    models = audited_models()
    for path in roots_known(using):
        yield _root_now(path, models, using)


def _root_now(path: str, models: Sequence[AuditedModel], using: str) -> RootNow:
    if not path.startswith("/"):
        why = "It is no folder of this machine, so no watcher can tell of it: every clean-up asks it for each file."
        return RootNow(path=safe(path), state=State.NO_FOLDER, why=why)
    coverage = store.coverage(path, using=using, most=MOST_DELETIONS)
    facts = list(_facts(coverage, using))
    try:
        routes = _routes(path, coverage, models, using)
    except AuditorError as error:
        return RootNow(path=safe(path), state=State.BLIND, why=safe(error.message), hint=error.hint, facts=facts)
    state, why = _conclude(routes)
    return RootNow(path=safe(path), state=state, why=why, facts=facts)


def _routes(path: str, coverage: Coverage, models: Sequence[AuditedModel], using: str) -> dict[str, Route]:
    """{field: the route that a clean-up would take for it now}; under "" for a root that no field has."""
    seen = look_at_root(path, None, using=using)
    marks = marks_of(models, path, using)
    fields = {
        one.id: marks.get(column_of(audited.model, one.name).id, "")
        for audited in models
        for one in audited.fields
        if one.root == path and not audited.kept_in
    }
    allowed = conf.freshness_seconds()
    return {
        field: decide(coverage, field=field, identity=seen.identity, mark=mark, allowed_seconds=allowed)
        for field, mark in (fields or {"": ""}).items()
    }


def _conclude(routes: dict[str, Route]) -> tuple[State, str]:
    """The worst of the routes decides; which fields it goes for is said where it does not go for all."""
    closed = {field: route for field, route in routes.items() if route.reason is not RouteReason.COVERED}
    if "" in closed and closed[""].reason is RouteReason.FIELD_NOT_SEEN:
        return State.COVERED, "No record of this site names files here."
    if not closed:
        return State.COVERED, f"The audit log is {words(next(iter(routes.values())))}."
    first = next(iter(closed.values()))
    if first.reason in IN_PART:
        by_reason: dict[str, list[str]] = {}
        for field, route in closed.items():
            by_reason.setdefault(words(route), []).append(field)
        return State.IN_PART, " ".join(f"{', '.join(fields)}: {reason}." for reason, fields in by_reason.items())
    return State.CATCHING_UP if first.reason in BEHIND else State.BLIND, _sentence(words(first))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _facts(coverage: Coverage, using: str) -> Iterator[Fact]:
    span, previous = coverage.span, coverage.previous
    if span is not None:
        yield Fact(name="Watched since", text=f"{clock(span.opened_at)}, for {_length(coverage.now - span.opened_at)}")
        yield Fact(
            name="Watermark", text=f"{clock(span.covered_until)}, {_length(coverage.now - span.covered_until)} ago"
        )
    elif previous is not None:
        yield Fact(
            name="Blind since",
            text=f"{clock(previous.covered_until)}, for {_length(coverage.now - previous.covered_until)}",
        )
    if previous is not None:
        detail = f": {safe(previous.closed_detail)}" if previous.closed_detail else ""
        yield Fact(
            name="Last gap",
            text=f"from {clock(previous.covered_until)} ({why_closed(previous.closed_reason)}{detail})",
        )
    if coverage.checkpoint is not None:
        yield from _of_checkpoint(coverage.checkpoint, coverage.deletions, using)


def _of_checkpoint(made: CheckpointSeen, deletions: int, using: str) -> Iterator[Fact]:
    yield Fact(name="Last checkpoint", text=clock(made.made_at))
    event = Event.objects.using(using).filter(position=made.position).first()
    if event is not None:
        named = counted(event.data["references"], "file that records name", "files that records name")
        yield Fact(name="Missing then", text=f"{event.data['missing']:,} of {named}")
    more = "more than " if deletions >= MOST_DELETIONS else ""
    yield Fact(name="Deletions since", text=f"{more}{deletions:,}")


def _length(time: timedelta) -> str:
    return in_words(max(0.0, time.total_seconds()))
