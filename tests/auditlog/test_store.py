"""The audit log: positions without holes, seals, the missing set, spans."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.auditlog import append_only, missing, store
from auditor.auditlog.coverage import FieldSeen
from auditor.auditlog.events import (
    CheckpointCompleted,
    DirectoryDeleted,
    DirectoryFound,
    DirectoryMoved,
    FileCreated,
    FileDeleted,
    FileFound,
    FileMoved,
    SpanClosed,
    SpanOpened,
    from_stored,
    to_stored,
)
from auditor.auditlog.events import Event as Fact
from auditor.auditlog.rebuilding import rebuild
from auditor.auditlog.seal import GENESIS, events_hash
from auditor.models import Batch, Event, Head, MissingFile, Root, Span

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 10, 2, 11, 500, tzinfo=UTC)


def make_root(path: str = "/srv/media") -> Root:
    return store.register_root(path, using="default")


def deleted(root: Root | int, path: str) -> FileDeleted:
    return FileDeleted(root=root if isinstance(root, int) else root.pk, path=path, occurred_at=NOW, cause="unlinked")


def append(*events: Fact) -> Batch:
    batch = store.append(events, using="default")
    assert batch is not None
    return batch


def missing_set() -> dict[missing.MissingName, missing.Missing]:
    return {
        (row.root_id, row.path, row.is_directory): missing.Missing(position=row.position, moved_to=row.moved_to)
        for row in MissingFile.objects.all()
    }


def test_positions_count_from_one_and_batches_are_chained() -> None:
    root = make_root()

    first = append(deleted(root, "a.jpg"), deleted(root, "b.jpg"))
    second = append(deleted(root, "c.jpg"))

    assert [position for position, _ in store.read(using="default")] == [1, 2, 3]
    assert (first.previous_seal, second.previous_seal) == (GENESIS, first.seal)
    head = Head.objects.get()
    assert (head.position, head.batch, head.seal) == (3, 2, second.seal)


def test_nothing_to_append_appends_nothing() -> None:
    assert store.append([], using="default") is None
    assert not Batch.objects.exists()


def test_a_repeated_append_is_not_recorded_twice() -> None:
    root, uid = make_root(), uuid4()

    first = store.append([deleted(root, "a.jpg")], using="default", uid=uid)
    again = store.append([deleted(root, "a.jpg")], using="default", uid=uid)

    assert first == again
    assert store.head_position("default") == 1


def test_what_is_read_back_is_what_was_appended_and_keeps_its_seal() -> None:
    root = make_root()
    strange = DirectoryDeleted(
        root=root.pk, path="\\xff", path_bytes=b"\xff", occurred_at=NOW, cause="removed", run_id=uuid4()
    )
    batch = append(deleted(root, "Ärger\n\u2028.jpg"), strange)

    stored = [event for _, event in store.read(using="default")]

    assert [from_stored(event) for event in stored] == [deleted(root, "Ärger\n\u2028.jpg"), strange]
    assert events_hash(stored) == batch.events_hash
    assert store.seal_of(Head.objects.get().log_id, Batch.objects.get(), None) == batch.seal


def test_an_event_of_a_newer_program_is_left_alone() -> None:
    stored = to_stored(deleted(1, "a.jpg"))

    assert from_stored(type(stored)(**{f: getattr(stored, f) for f in stored.__slots__} | {"type": "x.y"})) is None


def test_a_removed_directory_is_one_prefix_and_not_a_thousand_rows() -> None:
    root = make_root()
    append(*(deleted(root, f"photos/{number}.jpg") for number in range(1000)), deleted(root, "photos0.jpg"))

    append(DirectoryDeleted(root=root.pk, path="photos", occurred_at=NOW, cause="removed"))

    assert missing_set() == {
        (root.pk, "photos0.jpg", False): missing.Missing(position=1001),
        (root.pk, "photos", True): missing.Missing(position=1002),
    }


def test_a_census_does_not_take_out_what_vanished_after_it_looked() -> None:
    root = make_root()
    as_of = append(deleted(root, "a.jpg")).first_position
    append(deleted(root, "a.jpg"))

    append(FileFound(root=root.pk, path="a.jpg", occurred_at=NOW, as_of=as_of))

    assert missing_set() == {(root.pk, "a.jpg", False): missing.Missing(position=2)}


def test_a_span_opens_moves_its_watermark_and_closes() -> None:
    root, span = make_root(), uuid4()
    opened = NOW
    append(SpanOpened(root=root.pk, occurred_at=opened, span=str(span), identity="8:1"))
    checked = {"gallery.Photo.image": store.stored_field(FieldSeen(journal="triggers 1", has_too_many_odd=True))}
    append(
        CheckpointCompleted(
            root=root.pk, occurred_at=opened, span=str(span), compared=checked, references=7, missing=0
        )
    )
    append(deleted(root, "a.jpg"))

    assert store.move_watermark(span, opened + timedelta(seconds=5), using="default")
    coverage = store.coverage("/srv/media", using="default")

    assert coverage.span is not None
    assert coverage.checkpoint is not None
    assert (coverage.span.covered_until, coverage.deletions) == (opened + timedelta(seconds=5), 1)
    assert coverage.checkpoint.fields == {
        "gallery.Photo.image": FieldSeen(journal="triggers 1", has_too_many_odd=True)
    }

    append(
        SpanClosed(
            root=root.pk,
            occurred_at=opened + timedelta(seconds=9),
            span=str(span),
            covered_until="",
            reason="stopped",
        )
    )

    assert not store.move_watermark(span, opened + timedelta(seconds=10), using="default")
    coverage = store.coverage("/srv/media", using="default")
    assert coverage.span is None
    assert coverage.previous is not None
    assert (coverage.previous.closed_reason, coverage.previous.covered_until) == (
        "stopped",
        opened + timedelta(seconds=5),
    )
    assert Span.objects.get().closed_at == opened + timedelta(seconds=9)


def test_a_root_that_nobody_ever_watched_has_no_coverage() -> None:
    coverage = store.coverage("/srv/nowhere", using="default")

    assert (coverage.span, coverage.checkpoint, coverage.previous) == (None, None, None)
    assert coverage.age_seconds == float("inf")


def after(
    changes: missing.Changes, known: dict[missing.MissingName, missing.Missing]
) -> dict[missing.MissingName, missing.Missing]:
    """The missing set after the changes; `known` is left as it was."""
    names = dict(known)
    for root, directory in changes.swept:
        for name in [name for name in names if name[0] == root and name[1].startswith(f"{directory}/")]:
            del names[name]
    for name, known_until in changes.back.items():
        if name in names and names[name].position <= known_until:
            del names[name]
    return names | changes.gone


NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "d0", "d-"])


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Random events over a few names in one root."""
    makers = st.one_of(
        st.builds(FileDeleted, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), cause=st.just("unlinked")),
        st.builds(FileMoved, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), to=NAMES),
        st.builds(FileCreated, root=st.just(1), path=NAMES, occurred_at=st.just(NOW)),
        st.builds(FileFound, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), as_of=st.integers(0, 20)),
        st.builds(DirectoryDeleted, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), cause=st.just("removed")),
        st.builds(DirectoryMoved, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), to=NAMES),
        st.builds(DirectoryFound, root=st.just(1), path=NAMES, occurred_at=st.just(NOW), as_of=st.integers(0, 20)),
    )
    return draw(st.lists(makers, max_size=20))


@given(histories(), st.integers(0, 20))
def test_folding_in_two_parts_equals_folding_once(history: list[Fact], cut: int) -> None:
    placed = list(enumerate(history, 1))

    at_once = after(missing.fold(placed), {})
    in_parts = after(missing.fold(placed[cut:]), after(missing.fold(placed[:cut]), {}))

    assert at_once == in_parts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), cut=st.integers(0, 20))
def test_the_table_holds_what_the_fold_says_and_can_be_rebuilt(history: list[Fact], cut: int) -> None:
    with append_only.lifted("default"):
        for table in (MissingFile, Event, Batch, Head):
            table.objects.all().delete()
    Root.objects.get_or_create(pk=1, defaults={"path": "/srv/media"})
    for part in (history[:cut], history[cut:]):
        store.append(part, using="default")

    expected = after(missing.fold(list(enumerate(history, 1))), {})
    assert missing_set() == expected
    assert not any(rebuild(is_dry=True, using="default"))
    MissingFile.objects.all().delete()
    rebuild(is_dry=False, using="default")
    assert missing_set() == expected


def test_path_that_is_too_long_for_the_index_is_stored_cut_with_all_its_bytes() -> None:
    root = make_root()
    long = "ä" * 120 + "/" + "x/" * 1_000 + "a.jpg"

    append(deleted(root, long))

    (_, stored) = next(store.read(using="default"))
    event = from_stored(stored)
    assert event is not None
    assert (event.path, event.path_bytes) == (long[:500], long.encode())
    assert missing_set() == {}


def test_new_checkpoint_counts_once_the_watermark_has_passed_it() -> None:
    root, span = make_root(), uuid4()
    append(SpanOpened(root=root.pk, occurred_at=NOW, span=str(span), identity="8:1"))

    def checkpoint(seconds: int) -> None:
        moment = NOW + timedelta(seconds=seconds)
        append(
            CheckpointCompleted(root=root.pk, occurred_at=moment, span=str(span), compared={}, references=0, missing=0)
        )

    checkpoint(1)
    store.move_watermark(span, NOW + timedelta(seconds=2), using="default")
    checkpoint(3)

    first = store.coverage("/srv/media", using="default").checkpoint
    store.move_watermark(span, NOW + timedelta(seconds=4), using="default")
    second = store.coverage("/srv/media", using="default").checkpoint

    assert first is not None
    assert second is not None
    assert (first.position, second.position) == (2, 3)
