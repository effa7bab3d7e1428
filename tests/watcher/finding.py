"""What the log says of a root, and what the clean-up would find by each of its routes."""

from datetime import datetime
from typing import Any

from auditor.auditlog import store
from auditor.orphans.finder import find
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey


def open_span(root: str) -> str:
    """The uid of the span that vouches for a root, or nothing."""
    span = store.coverage(root, using="default").span
    return span.uid if span else ""


def is_proven_since(root: str, asked: datetime) -> bool:
    """Whether the watermark has passed that moment, and a checkpoint."""
    seen = store.coverage(root, using="default")
    if seen.span is None or seen.checkpoint is None:
        return False
    return seen.span.covered_until > asked and seen.checkpoint.made_at <= seen.span.covered_until


def orphans_by(kind: RouteKind) -> list[int]:
    audited = [one for one in audited_models() if one.id == "gallery.Photo"]
    plan = find(audited, make_survey(audited, using="default", wanted=kind))
    assert plan.unknown == ()
    return [orphan.key for _, orphan in plan.orphans()]


def some(things: list[Any], number: int) -> list[Any]:
    """One of the things, if there is one."""
    return [things[number % len(things)]] if things else []
