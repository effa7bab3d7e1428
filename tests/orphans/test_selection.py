"""Which orphans a run is about."""

import pytest

from auditor.limits import limit_of, limits_of
from auditor.orphans.plan import Excess, Fate, Finding, Group, Orphan, Plan, Unknown
from auditor.orphans.selection import Selection, faults, first, select

pytestmark = pytest.mark.sqlite


def orphan(key: int, *names: str, album: str = "") -> Orphan:
    group = Group(kind="Album", kinds="Albums", name=album) if album else None
    return Orphan(key, tuple(("image", name) for name in names), group)


def plan(*orphans: Orphan, model: str = "gallery.Photo", total: int = 10, unknown: tuple[Unknown, ...] = ()) -> Plan:
    found = Finding(
        model=model,
        label=f"{model.split('.')[1]}s",
        label_of_one="One",
        total=total,
        named=True,
        has_primary=True,
        orphans=orphans,
    )
    return Plan(findings=(found,), unknown=unknown)


def keys(chosen: Plan, *fates: Fate) -> list[int]:
    return [one.key for finding in chosen.findings for one in finding.orphans if not fates or one.fate in fates]


LIBRARY = plan(
    orphan(1, "photos/2024/a.jpg", album="Aix"),
    orphan(2, "photos/2024b/b.jpg", album="Brest"),
    orphan(3, "photos/2025/c.jpg"),
    orphan(4, "photos/2024/d.jpg", "scans/d.jpg"),
)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), [1, 2, 3, 4]),
        (Selection(prefixes=("photos/2024/",)), [1]),
        (Selection(prefixes=("photos/2024",)), [1, 2]),
        (Selection(prefixes=("photos/2024/", "scans/")), [1, 4]),
        (Selection(prefixes=("videos/",)), []),
        (Selection(excluded=("photos/2024*",)), [3]),
        (Selection(excluded=("*.JPG",)), [1, 2, 3, 4]),
        (Selection(groups=("Aix",)), [1]),
        (Selection(groups=("Album: Brest", "Aix")), [1, 2]),
        (Selection(groups=("aix",)), []),
        (Selection(prefixes=("photos/",), groups=("Aix",), excluded=("*/a.jpg",)), []),
    ],
    ids=str,
)
def test_only_what_every_flag_selects_is_left(selection: Selection, selected: list[int]) -> None:
    chosen = select(LIBRARY, selection)

    assert (keys(chosen), chosen.unselected) == (selected, 4 - len(selected))
    assert chosen.is_selection is (selection != Selection())


def test_a_selection_without_any_orphan_does_not_call_the_database_clean() -> None:
    assert plan().is_clean
    assert not select(plan(), Selection(prefixes=("photos/",))).is_clean


def test_unknown_names_that_are_not_selected_are_not_reported() -> None:
    here, there = (Unknown("gallery.Photo", 9, "image", name, "EIO") for name in ("photos/x.jpg", "scans/x.jpg"))

    chosen = select(plan(unknown=(here, there)), Selection(prefixes=("photos/",)))

    assert chosen.unknown == (here,)


@pytest.mark.parametrize("prefix", ["/app/media/photos/", "./photos/"])
def test_a_path_that_no_name_can_begin_with_is_refused(prefix: str) -> None:
    assert list(faults(Selection(prefixes=("photos/", prefix)))) == [
        f"--path {prefix} selects nothing: names are relative to the media folder, such as photos/2024/."
    ]


def test_a_limit_counts_only_what_would_be_done() -> None:
    orphans = [orphan(1, "a"), orphan(2, "b"), orphan(3, "c"), orphan(4, "d")]
    waiting = plan(*orphans).changed(
        lambda _, one: Orphan(one.key, one.missing, fate=Fate.WAITING) if one.key == 1 else one
    )

    chosen = first(waiting, 2)

    assert (keys(chosen, Fate.DELETE), keys(chosen, Fate.NOT_NOW), keys(chosen, Fate.WAITING)) == ([2, 3], [4], [1])
    assert keys(Plan(findings=chosen.to_do)) == [2, 3]


def test_what_is_put_off_counts_for_the_limit_of_the_run_and_what_waits_does_not() -> None:
    limited = first(LIBRARY, 1).limited(limits_of(3))

    assert limited.excesses == (
        Excess(model="gallery.Photo", label="Photos", orphans=4, total=10, limit=limit_of(3)),
        Excess(model="", label="records", orphans=4, total=10, limit=limit_of(3)),
    )
    assert [str(one) for one in limited.excesses] == [
        "4 of 10 photos would be deleted, more than 3",
        "4 of 10 records would be deleted, more than 3",
    ]
    assert LIBRARY.limited(limits_of("40%")).excesses == ()
