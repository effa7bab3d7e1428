"""What the explanations claim of the code."""

import errno
import os
import re
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from auditor.orphans.disk import Verdict, judge_error
from tests.docs.pages import DOCS, table_rows

pytestmark = pytest.mark.sqlite

VERDICTS = table_rows(DOCS / "explanation/why-exists-lies.md", section="Three verdicts")


@pytest.mark.parametrize(("answer", "verdict"), [row for row in VERDICTS if row[0].startswith("`E")], ids=str)
def test_errors_have_the_verdicts_that_the_page_gives(answer: str, verdict: str) -> None:
    name = re.match(r"`(E\w+)`", answer)
    assert name
    number = getattr(errno, name[1])

    assert judge_error(OSError(number, os.strerror(number))).verdict == verdict.strip("`")


def test_every_other_error_is_unknown() -> None:
    named = {getattr(errno, name) for answer, _ in VERDICTS for name in re.findall(r"`(E\w+)`", answer)}
    others = set(errno.errorcode) - named

    assert {judge_error(OSError(number, "")).verdict for number in others} == {Verdict.UNKNOWN}


def test_exists_says_false_where_it_could_not_look(tmp_path: Path) -> None:
    too_long = "a" * 300

    assert not os.path.exists(tmp_path / too_long)
    assert not FileSystemStorage(location=tmp_path).exists(too_long)
    with pytest.raises(OSError, match="File name too long"):
        os.stat(tmp_path / too_long)
