"""What holds for every page: its links lead somewhere, its lines are sentences, the index knows it."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import COMMAND_PAGE, DOCS, anchors, crowded_lines, fences, links, pages, read
from tests.running import PROJECT

pytestmark = pytest.mark.sqlite

OUTER = [PROJECT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
LINKING = [*pages(), *(page for page in OUTER if page.exists())]


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    astray = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_there = target.is_file() and target.is_relative_to(PROJECT)
        if not is_there or (anchor and anchor not in anchors(target)):
            astray.append(link)

    assert astray == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_line_holds_one_sentence(page: Path) -> None:
    assert crowded_lines(page) == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_page_begins_with_its_title(page: Path) -> None:
    assert read(page).startswith("# ")


def test_every_line_of_a_crontab_is_whole_and_mails_nothing_but_failures() -> None:
    lines = [
        line
        for page in pages()
        for fence in fences(page)
        if fence.language == "cron"
        for line in fence.text.splitlines()
    ]

    assert lines
    assert [line for line in lines if re.search(r"(?<!\\)%", line)] == []  # there, cron ends the command
    assert [line for line in lines if "--log-format none" not in line] == []


def test_the_index_links_every_page() -> None:
    index = DOCS / "README.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}

    assert set(pages()) - {index} <= linked


def test_the_command_page_links_the_three_pages_at_their_places() -> None:
    places = (
        "technical/STORAGE_MANAGEMENT.md",
        "deployment/BACKUP_RESTORE.md",
        "admin-guides/DATABASE_MAINTENANCE.md",
    )

    assert {f"../{place}" for place in places} <= set(links(COMMAND_PAGE))
