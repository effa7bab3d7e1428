"""The checker of histories finds what it is there to find."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from auditor.auditlog import store
from auditor.auditlog.events import DirectoryDeleted, FileDeleted, SpanOpened
from auditor.models import Root
from tests.faults.history import Findings, History
from tests.makers import make_file, real

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
SECOND = timedelta(seconds=1)


@pytest.fixture
def root(media: Path) -> Root:
    return store.register_root(real(media), using="default")


@pytest.fixture
def history(media: Path) -> History:
    for name in ("album/a.jpg", "album/b.jpg"):
        make_file(media, name)
    made = History(media)
    made.references |= {"album/a.jpg"}
    return made


def vouch(root: Root, *, since: datetime, until: datetime) -> None:
    span = uuid4()
    store.append([SpanOpened(root=root.pk, occurred_at=since, span=str(span), identity="1:2")], using="default")
    store.move_watermark(span, until, using="default")


def tell(root: Root, path: str, at: datetime, cause: str = "unlinked") -> None:
    store.append([FileDeleted(root=root.pk, path=path, occurred_at=at, cause=cause)], using="default")


def test_what_is_gone_untold_inside_a_span_is_lost(history: History, root: Root) -> None:
    began = datetime.now(UTC)
    history.unlink("album/a.jpg")
    vouch(root, since=began - SECOND, until=datetime.now(UTC) + SECOND)

    assert history.check(root) == Findings(lost=("album/a.jpg",), unfound=("album/a.jpg",))


def test_what_is_gone_untold_outside_a_span_is_counted(history: History, root: Root) -> None:
    began = datetime.now(UTC)
    history.unlink("album/b.jpg")
    vouch(root, since=began - SECOND, until=began)

    findings = history.check(root)

    assert (findings, findings.lost_in_gaps) == (Findings(), 1)


def test_what_was_told_before_it_happened_is_invented(history: History, root: Root) -> None:
    tell(root, "album/b.jpg", datetime.now(UTC) - SECOND)
    history.unlink("album/b.jpg")

    assert history.check(root).invented == ("album/b.jpg",)


def test_what_was_told_twice_and_happened_once_is_invented(history: History, root: Root) -> None:
    history.unlink("album/b.jpg")
    tell(root, "album/b.jpg", datetime.now(UTC))
    tell(root, "album/b.jpg", datetime.now(UTC))

    assert history.check(root).invented == ("album/b.jpg",)


def test_what_never_went_away_is_invented_even_by_a_census(history: History, root: Root) -> None:
    tell(root, "album/a.jpg", datetime.now(UTC), cause="census")

    assert history.check(root) == Findings(invented=("album/a.jpg",))


def test_a_directory_speaks_for_what_was_in_it(history: History, root: Root, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    history.move_out("album", tmp_path / "outside")
    told = DirectoryDeleted(root=root.pk, path="album", occurred_at=datetime.now(UTC), cause="moved_out")
    store.append([told], using="default")
    vouch(root, since=began - SECOND, until=datetime.now(UTC) + SECOND)

    assert history.check(root) == Findings()
