"""Plans, and a log that vouches for a root."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from auditor.auditlog import store
from auditor.auditlog.events import SpanOpened
from auditor.journal import triggers
from auditor.models import Root
from auditor.orphans.finder import find
from auditor.orphans.journaled import audited_columns
from auditor.orphans.plan import Finding, Group, Plan
from auditor.orphans.registry import audited_models
from auditor.orphans.route import RouteKind
from auditor.orphans.survey import make_survey
from auditor.roots import identity
from tests.makers import real
from watcher.census import take_census
from watcher.reach import Reach

EVAN = Group(kind="Album", kinds="Albums", name="Evan Photos")


def planned(*only: str, wanted: RouteKind = RouteKind.AUTO) -> Plan:
    audited = audited_models(only)
    return find(audited, make_survey(audited, using="default", wanted=wanted))


def finding(plan: Plan, model: str) -> Finding:
    return next(one for one in plan.findings if one.model == model)


def watch(media: Path) -> Root:
    """A root that the log vouches for, as a watcher leaves it after its first checkpoint."""
    root, span = store.register_root(real(media), using="default"), uuid4()
    triggers.install(audited_columns("default"), using="default")
    opened = SpanOpened(
        root=root.pk,
        occurred_at=store.database_time("default"),
        span=str(span),
        identity=identity(root.path),
    )
    store.append([opened], using="default")
    for part in take_census(root, span, reach=Reach(), using="default"):
        store.append(part.events, using="default")
        part.keep("default")
    store.move_watermark(span, store.database_time("default"), using="default")
    return root


def keys(plan: Plan, model: str) -> list[Any]:
    return [orphan.key for orphan in finding(plan, model).orphans]
