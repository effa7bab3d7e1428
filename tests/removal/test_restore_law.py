"""The laws, for random graphs of records: deletion as foreseen, and restored to what was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.models import Tombstone
from auditor.orphans.plan import Fate, Plan
from auditor.removal.preview import preview
from auditor.removal.restore_plan import Wish
from auditor.removal.runs import RECORDS
from tests.laws import examples
from tests.removal.graphs import NAMED, Graph, graphs, made
from tests.removal.removing import planned
from tests.removal.restoring import restored, site_rows, waiting

pytestmark = pytest.mark.django_db


@settings(max_examples=examples(40), deadline=None)
@given(graphs())
def test_delete_then_restore_is_the_identity(graph: Graph) -> None:
    with made(graph):
        before = site_rows()
        planned(*NAMED).execute()

        restored()

        assert site_rows() == before
        assert waiting() == []


@settings(max_examples=examples(40), deadline=None)
@given(graphs(), st.sets(st.integers(0, 12)))
def test_restore_in_two_steps_is_the_identity(graph: Graph, first: set[int]) -> None:
    with made(graph):
        before = site_rows()
        planned(*NAMED).execute()
        records = [f"{model}:{key}" for model, key in records_waiting()]
        some = tuple(name for number, name in enumerate(records) if number in first)

        one = restored(Wish(only=some, with_missing_files=True), number=2) if some else None
        two = restored(number=3)

        assert site_rows() == before
        assert [*(one.plan.conflicts if one else ()), *two.plan.conflicts] == []
        assert waiting() == []


def records_waiting() -> list[tuple[str, str]]:
    return list(Tombstone.objects.filter(kind__in=RECORDS).order_by("id").values_list("model", "key"))


@settings(max_examples=examples(40), deadline=None)
@given(graphs())
def test_what_is_foreseen_is_what_happens(graph: Graph) -> None:
    with made(graph):
        plan = planned(*NAMED)

        foreseen = preview(plan.plan, plan.audited, using="default")
        outcome = plan.execute()

        assert (foreseen.taken, foreseen.emptied) == (outcome.taken, outcome.emptied)
        assert protected(foreseen) == {
            (one.model, one.orphan.key, one.reason) for one in outcome.kept if not one.is_settled
        }


def protected(plan: Plan) -> set[tuple[str, object, str]]:
    return {
        (finding.model, orphan.key, orphan.why)
        for finding in plan.findings
        for orphan in finding.of_fate(Fate.PROTECTED)
    }
