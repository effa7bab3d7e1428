"""How many orphans are too many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.limits import Limit, Limits, limit_of, limits_of

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ("", Limits()),
        (0, Limits(each=Limit(count=0), run=Limit(count=0))),
        ("100", Limits(each=Limit(count=100), run=Limit(count=100))),
        ("2.5 %", Limits(each=Limit(percent=2.5), run=Limit(percent=2.5))),
        (
            {"gallery.Photo": "5%", "run": 10},
            Limits(run=Limit(count=10), models=(("gallery.Photo", Limit(percent=5.0)),)),
        ),
    ],
    ids=str,
)
def test_a_limit_is_a_number_or_a_percentage_or_one_for_each_model(value: object, limits: Limits) -> None:
    assert limits_of(value) == limits


@pytest.mark.parametrize(
    "value", ["-1", "5 per cent", "%", "1e3", True, -1, 2.5, [1], {"gallery.Photo": "many"}], ids=str
)
def test_what_is_no_limit_is_said(value: object) -> None:
    wrong = value["gallery.Photo"] if isinstance(value, dict) else value

    with pytest.raises(ValueError, match="neither a number of records nor a percentage") as refused:
        limits_of(value)
    assert str(refused.value).startswith(f"{wrong!r} is ")


def test_a_model_with_a_limit_of_its_own_does_not_take_that_of_all() -> None:
    limits = Limits(each=limit_of(3), models=(("gallery.Photo", limit_of(5)),))

    assert [limits.of_model(model) for model in ("gallery.Photo", "gallery.Video")] == [limit_of(5), limit_of(3)]


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 2_000))
def test_a_number_allows_so_many_and_not_one_more(orphans: int, total: int, count: int) -> None:
    assert limit_of(count).allows(orphans, total) is (orphans <= count)


@given(st.integers(0, 1_000), st.integers(1, 1_000), st.integers(0, 100))
def test_a_percentage_allows_that_share_and_no_more(orphans: int, total: int, percent: int) -> None:
    assert limit_of(f"{percent}%").allows(orphans, total) is (orphans / total <= percent / 100 + 1e-12)
