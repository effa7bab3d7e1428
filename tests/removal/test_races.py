"""Two clean-ups of the same orphans at once, as two programs."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from auditor.auditlog import store
from auditor.models import Run, Tombstone
from deploy.gallery.models import Photo, Video
from tests.commands.library import RULE, make_library
from tests.commands.programs import CONFIRMED, NAME, program

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def test_two_at_once_delete_each_record_once_and_both_end_well(media: Path, tmp_path: Path) -> None:
    make_library(media, photos=700, videos=300)

    with ExitStack() as both:
        racing = [both.enter_context(program(NAME, stderr=tmp_path / f"{number}.jsonl")) for number in (1, 2)]
        for one in racing:
            one.wait_for(CONFIRMED)
        for one in racing:
            one.answer("yes\n")
        codes = [one.end() for one in racing]

    assert codes == [0, 0]
    assert not Photo.objects.exists()
    assert not Video.objects.exists()
    counted = [[one.said.split(f"{noun} deleted: ")[1].split()[0] for one in racing] for noun in ("Photos", "Videos")]
    assert [sum(map(int, counts)) for counts in counted] == [700, 300]
    assert all(f"{RULE}\nCLEANUP COMPLETE\n{RULE}\n" in one.said for one in racing)

    went = Counter(Tombstone.objects.filter(kind="orphan").values_list("model", "key"))
    told = Counter(
        (event.data["model"], event.data["key"])
        for _, event in store.read(using="default")
        if event.type == "record.deleted"
    )
    assert (len(went), set(went.values()), told) == (1_000, {1}, went)
    assert sum(Run.objects.values_list("deleted", flat=True)) == 1_000
    assert sum(Run.objects.values_list("kept", flat=True)) == 1_000
