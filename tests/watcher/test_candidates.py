"""What is looked at each time: how references come among the candidates, and how they leave."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

import pytest

from auditor.auditlog.coverage import GapReason
from auditor.journal.columns import column_of, key_text
from auditor.models import Candidate, Root, Span, UncheckedReference
from auditor.orphans.disk import Disk, Look
from deploy.gallery.models import Photo
from tests.makers import make_photo
from tests.orphans.law import made_world
from tests.orphans.world import World
from tests.shapes.models import Contract, Invoice, Page, Pair
from watcher import census
from watcher.notices import GapError
from watcher.reach import Reach

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Iterator[World]:
    """A folder with one file and its photo, all compared, and nothing left to look at."""
    with made_world() as made:
        make_photo("d/a", media=made.media)
        made.come_to_rest()
        yield made


def candidates() -> list[tuple[str, str]]:
    return in_order(Candidate.objects.values_list("field", "key"))


def in_order(some: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """By field and key, where 9 comes before 10."""
    return sorted(some, key=lambda one: (one[0], len(one[1]), one[1]))


def journaled() -> list[str]:
    return list(UncheckedReference.objects.order_by("id").values_list("field", flat=True))


def photo(one: Photo) -> tuple[str, str]:
    return ("gallery.Photo.image", str(one.pk))


def test_a_census_makes_candidates_of_what_is_missing_and_empties_the_journal() -> None:
    with made_world() as world:
        kept, gone = make_photo("a", media=world.media), make_photo("b")
        assert len(journaled()) == 2

        world.come_to_rest()

        assert (candidates(), journaled()) == ([photo(gone)], [])
        assert kept.pk != gone.pk


def test_a_census_looks_at_a_missing_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    judge = Disk.judge

    def note(disk: Disk, names: Collection[str]) -> dict[str, Look]:
        judged.extend(names)
        return judge(disk, names)

    with made_world() as world:
        make_photo("gone")
        monkeypatch.setattr(Disk, "judge", note)

        world.come_to_rest()

    assert judged == ["gone"]


def test_what_is_written_while_a_census_runs_stays_in_the_journal(world: World) -> None:
    world.is_compared = False
    world.begin_census()
    world.step_census()

    make_photo("b")
    world.come_to_rest()

    assert journaled() == ["gallery.Photo.image"]


def test_a_name_that_vanished_before_a_census_is_resolved_by_it(world: World) -> None:
    world.remove("d/a")
    world.record()
    world.is_compared = False

    world.come_to_rest()

    assert candidates() == [photo(Photo.objects.get())]
    assert Root.objects.get().resolved_until == 3  # the span, its checkpoint, the deletion


def test_candidates_are_kept_under_the_column_of_the_parent() -> None:
    with made_world() as world:
        contract = Contract.objects.create(file="never")

        world.come_to_rest()

        assert candidates() == [("shapes.Document.file", str(contract.pk))]


def test_more_odd_names_than_are_kept_make_no_more_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "ODD_KEYS_KEPT", 1)
    with made_world() as world:
        world.link("l", "d")
        world.create("d/a")
        photos = [make_photo(name) for name in ("l/a", "./d/a", "gone", "l/gone")]

        world.come_to_rest()

        assert candidates() == [photo(photos[0]), photo(photos[2]), photo(photos[3])]


def test_draining_takes_out_what_is_there_and_keeps_what_is_not(world: World) -> None:
    world.create("b")
    there, gone = make_photo("b"), make_photo("c")
    odd = make_photo("./b")

    while world.candidates.drain():
        pass

    assert (candidates(), journaled()) == ([photo(gone), photo(odd)], [])
    assert there.pk


def test_draining_drops_entries_of_records_that_are_gone_or_name_nothing(world: World) -> None:
    make_photo("b").delete()
    empty = make_photo("c")
    Photo.objects.filter(pk=empty.pk).update(image="")

    while world.candidates.drain():
        pass

    assert (candidates(), journaled()) == ([], [])


def test_an_entry_whose_file_is_not_heard_of_yet_waits(world: World) -> None:
    world.create("b")
    make_photo("b")
    world.candidates._make_reach = lambda: Reach(lambda _: False)

    world.candidates.drain()

    assert (candidates(), journaled(), world.candidates.has_unheard) == ([], ["gallery.Photo.image"], True)


def test_a_page_of_waiting_entries_does_not_hold_up_the_next(world: World) -> None:
    for name in ("b", "c"):
        world.create(name)
        make_photo(name)
    gone = make_photo("gone")
    world.candidates._make_reach = lambda: Reach(lambda _: False)

    world.candidates.drain()
    world.candidates.drain()

    assert (candidates(), len(journaled())) == ([photo(gone)], 2)


def test_a_record_that_was_a_candidate_is_a_new_one_once_it_names_something_else(world: World) -> None:
    gone = make_photo("gone")
    world.drain()
    first = Candidate.objects.get().pk

    Photo.objects.filter(pk=gone.pk).update(image="also gone")
    world.drain()

    assert (Candidate.objects.get().pk > first, candidates()) == (True, [photo(gone)])


def test_keys_of_every_kind_are_drained(world: World) -> None:
    invoice = Invoice.objects.create(scan="gone")
    Page.objects.create(book=1, number=2, file="gone")
    pair = Pair.objects.create(left="gone", right="d/a")

    while world.candidates.drain():
        pass

    assert candidates() == [
        ("shapes.Invoice.scan", key_text(column_of(Invoice, "scan"), invoice.pk, "default")),
        ("shapes.Page.file", '["1","2"]'),
        ("shapes.Pair.left", str(pair.pk)),
    ]


def test_a_key_that_no_record_can_have_is_dropped(world: World) -> None:
    UncheckedReference.objects.create(field="gallery.Photo.image", key="0a1b")
    UncheckedReference.objects.create(field="shapes.Page.file", key="7")
    Candidate.objects.create(field="gallery.Photo.image", key="not a number")
    Candidate.objects.create(field="gallery.Photo.image", key="9" * 40)
    Candidate.objects.create(field="shapes.Invoice.scan", key="17")

    while world.candidates.drain():
        pass
    while world.candidates.review():
        pass

    assert (candidates(), journaled()) == ([], [])


@pytest.mark.parametrize("is_many", [False, True])
def test_what_vanished_makes_candidates_of_all_that_name_it(
    world: World, is_many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_many:
        monkeypatch.setattr("auditor.orphans.references.PREFIXES_BY_DATABASE", 0)
    names = ("d/e/b", "d-", "d0", "e_/x", "exx/y", "z")
    photos = {name: make_photo(name, media=world.media) for name in names}
    world.close_span()
    world.come_to_rest()  # a new folder that nobody heard of would be no folder to the world
    pair = Pair.objects.create(left="z", right="z")

    for name in ("d", "e_", "z"):
        world.move_out(name)
    world.record()
    assert world.candidates.resolve() is False

    expected = [photo(Photo.objects.get(image="d/a")), *(photo(photos[name]) for name in ("d/e/b", "e_/x", "z"))]
    assert candidates() == in_order(
        [*expected, ("shapes.Pair.left", str(pair.pk)), ("shapes.Pair.right", str(pair.pk))]
    )
    assert Root.objects.get().resolved_until == world.recorder.position


def test_what_comes_back_is_told_so_that_it_is_reviewed(world: World) -> None:
    world.remove("d/a")
    world.record()
    assert world.candidates.resolve() is False

    world.create("d/a")
    world.record()

    assert world.candidates.resolve() is True
    world.review()
    assert candidates() == []


def test_a_review_keeps_what_is_missing_odd_or_not_heard_of(world: World) -> None:
    world.create("b")
    kept = [make_photo("gone"), make_photo("./b")]
    back = make_photo("c")
    while world.candidates.drain():
        pass
    assert candidates() == [*map(photo, kept), photo(back)]
    world.create("c")

    world.candidates._make_reach = lambda: Reach(lambda _: False)
    while world.candidates.review():
        pass
    assert candidates() == [*map(photo, kept), photo(back)]

    world.candidates._make_reach = Reach
    while world.candidates.review():
        pass
    assert candidates() == [*map(photo, kept)]


@pytest.mark.parametrize("what", ["drain", "resolve", "review"])
def test_a_watcher_that_was_replaced_changes_nothing(world: World, what: str) -> None:
    Candidate.objects.create(field="gallery.Photo.image", key=str(Photo.objects.get().pk))
    world.remove("d/a")
    world.record()
    world.create("d/a")
    world.create("b")
    make_photo("b")
    before = (candidates(), journaled(), Root.objects.get().resolved_until)
    Span.objects.update(closed_at=datetime(2026, 3, 1, tzinfo=UTC), closed_reason="crashed")

    with pytest.raises(GapError) as gap:
        getattr(world, what)()

    assert gap.value.reason is GapReason.TAKEN_OVER
    assert (candidates(), journaled(), Root.objects.get().resolved_until) == before
