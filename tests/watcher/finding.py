"""What the clean-up would find by each of its routes, and a choice among things that may be none."""

from typing import Any

from auditor.orphans.finder import find
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey


def orphans_by(kind: RouteKind) -> list[int]:
    audited = [one for one in audited_models() if one.id == "gallery.Photo"]
    plan = find(audited, make_survey(audited, using="default", wanted=kind))
    assert plan.unknown == ()
    return [orphan.key for _, orphan in plan.orphans()]


def some(things: list[Any], number: int) -> list[Any]:
    """One of the things, if there is one."""
    return [things[number % len(things)]] if things else []
