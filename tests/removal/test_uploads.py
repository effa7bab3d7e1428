"""Uploads beside clean-ups: a record that was saved behind its file is there for as long as the file is."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from deploy.gallery.models import Photo
from tests.commands.programs import NAME
from tests.makers import make_file, make_known
from tests.running import PROJECT, environment, run

STEPS = 1_500


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_no_clean_up_takes_a_record_that_was_uploaded_meanwhile(media: Path) -> None:
    make_file(media, "kept.jpg")
    make_known(media)
    codes, told = Counter[int](), Counter[str]()

    uploaders = [upload(seed) for seed in (1, 2)]
    while any(one.poll() is None for one in uploaders):
        ran = run(NAME, "--force", "--delete-moved")
        codes[ran.code] += 1
        told.update(line.get("reason", line["event"]) for line in ran.log)
    assert [one.wait(60) for one in uploaders] == [0, 0]
    promised = {int(key): name for one in uploaders for key, name in json.loads(one.communicate()[0]).items()}

    assert promised.items() <= records().items()
    assert set(codes) == {0}
    assert min(told["the file is back"], told["the record has got another file"], told["record.deleted"]) > 0
    run(NAME, "--force", "--delete-moved")
    assert promised.items() <= records().items()
    assert all(os.path.lexists(media / name) for name in records().values())


def upload(seed: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.removal.uploading", str(seed), str(STEPS)],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
    )


def records() -> dict[int, str]:
    return dict(Photo.objects.values_list("pk", "image"))
