"""Two clean-ups of the same orphans at once, as two programs."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from auditor.auditlog import store
from auditor.models import Run, Tombstone
from deploy.gallery.models import Photo, Video
from tests.commands.library import RULE, make_library
from tests.commands.programs import NAME, program
from tests.removal.killing import Killer

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def ensure_each_went_once(records: int) -> None:
    went = Counter(Tombstone.objects.filter(kind="orphan").values_list("model", "key"))
    told = Counter(
        (event.data["model"], event.data["key"])
        for _, event in store.read(using="default")
        if event.type == "record.deleted"
    )
    assert (len(went), set(went.values()), told) == (records, {1}, went)
    assert sum(Run.objects.values_list("deleted", flat=True)) == records
    assert not Photo.objects.exists()
    assert not Video.objects.exists()


def test_of_two_that_start_at_once_one_does_the_work_and_the_other_is_refused_or_finds_it_done(
    media: Path, tmp_path: Path
) -> None:
    make_library(media, photos=700, videos=300)

    with ExitStack() as both:
        racing = [
            both.enter_context(program(NAME, "--force", stderr=tmp_path / f"{number}.jsonl")) for number in (1, 2)
        ]
        codes = [one.end() for one in racing]

    ensure_each_went_once(1_000)
    assert sorted(codes) in ([0, 0], [0, 7])
    refused = [one.said for one, code in zip(racing, codes, strict=True) if code == 7]
    # Who it is has tests of its own: a winner that ends within the loser's question is nobody any more.
    assert all("Another clean-up or restore is at work on this database: " in said for said in refused)
    assert sum(f"{RULE}\nCLEANUP COMPLETE\n{RULE}\n" in one.said for one in racing) == 1


def test_rows_are_taken_once_even_if_nothing_keeps_two_removals_apart(media: Path) -> None:
    make_library(media, photos=700, videos=300)

    # Below the command, where no lock is taken: a pooler that shares connections loses the lock as well.
    with Killer() as one, Killer() as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda program: program.run(), (one, other)))

    ensure_each_went_once(1_000)
