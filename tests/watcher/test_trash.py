"""The watcher knows the hands of the clean-up of unused files: what goes to the trash is no mystery."""

from pathlib import Path

import pytest

from auditor.models import Event, MissingFile
from tests.makers import make_file, make_photo
from tests.usage.test_races import before_the_move
from tests.usage.worlds import clean, make_used, run_of
from tests.watcher.conftest import Launch
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
HEARD = "photos/heard.jpg"
UNUSED = ["deep/er/b.bin", "old/a.bin", "photos/left.jpg"]


def told(kind: str) -> list[str]:
    return sorted(Event.objects.filter(type=kind).values_list("path", flat=True))


def test_files_that_a_run_trashes_and_restores_are_told_with_its_id(
    media: Path, start_watcher: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_used(media)
    for name in UNUSED:
        make_file(media, name)
    make_photo(HEARD, media=media)
    start_watcher()

    def has_heard_of_the_folders(_: bytes) -> None:
        (media / HEARD).unlink(missing_ok=True)
        wait_until(lambda: HEARD in told("file.deleted"))

    before_the_move(monkeypatch, has_heard_of_the_folders)

    gone = clean("--force")

    wait_until(lambda: told("file.deleted") == sorted([*UNUSED, HEARD]))
    heard = Event.objects.filter(type="file.deleted").exclude(path=HEARD)
    assert {(event.data["cause"], event.run_id) for event in heard} == {("trashed", run_of(gone))}
    assert told("file.moved") == []

    clean("--restore", str(run_of(gone)), "--force")

    wait_until(lambda: told("file.created") == UNUSED)
    assert told("file.untrashed") == UNUSED
    assert list(MissingFile.objects.values_list("path", flat=True)) == [HEARD]
