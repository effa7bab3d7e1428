"""The tutorial: who does what it says sees what it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.desk import Desk
from tests.docs.pages import DOCS, IS_WRITING, Fence, fences, write
from tests.docs.test_outputs import is_shown, typed

pytestmark = [pytest.mark.sqlite, pytest.mark.live]

PAGE = DOCS / "tutorial/first-clean-up.md"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.stop()


def test_a_reader_who_follows_the_page_sees_what_it_shows(desk: Desk) -> None:
    for fence, shown in steps():
        if fence.mark in ("file", "append"):
            desk.edit(fence)
        elif fence.about == "started":
            desk.start(fence)
        else:
            if fence.about == "stopped":
                desk.stop()
            printed = desk.run(fence, answer=typed(shown) if shown else "")
            if IS_WRITING and shown and not is_shown(printed, shown.text):
                write(shown, printed)
            assert IS_WRITING or shown is None or is_shown(printed, shown.text), f"{shown}\n{printed}"


def steps() -> Iterator[tuple[Fence, Fence | None]]:
    """Each block to follow, with the one that shows what it prints."""
    blocks = list(fences(PAGE))
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block.mark != "output":
            yield block, following if following and following.mark == "output" else None
