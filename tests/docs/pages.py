"""Reads the pages of `docs/`: their fences, tables, links and sentences."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.running import PROJECT

DOCS = PROJECT / "docs"
IS_WRITING = bool(os.environ.get("WRITE_DOCS"))  # shown output and generated pages are then written anew
COMMAND_PAGE = DOCS / "commands/cleanup_orphaned_media.md"

FENCE = re.compile(r"```(\w*)")
MARK = re.compile(r"<!-- (output|page|file|append|terminal): (\S+?)(?:, exit code (\d+))? -->")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE = re.compile(r"`[^`]*`")
NEXT_SENTENCE = re.compile(r"(?<!\d)[.!?] +[A-Z]")  # and not the number of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block, the `number`th of its page.

    `mark`, `about` and `exit_code` are from the comment before it, `command` is the last bash block above it.
    """

    page: Path
    number: int
    line: int
    language: str
    text: str
    mark: str = ""
    about: str = ""
    exit_code: int = 0
    command: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(DOCS)}:{self.line}"


def read(page: Path) -> str:
    """The text of a page, which is UTF-8 wherever the tests run."""
    return page.read_text(encoding="utf-8")


def pages() -> list[Path]:
    """All pages, in the order of their paths."""
    return sorted(DOCS.rglob("*.md"))


def fences(page: Path) -> Iterator[Fence]:
    """The fenced blocks of a page, from top to bottom."""
    lines = read(page).splitlines()
    opened: int | None = None
    command, number = "", 0
    for at, line in enumerate(lines):
        if opened is None and FENCE.fullmatch(line):
            opened = at
        elif opened is not None and line == "```":
            fence = _fence(page, number, lines, opened, at, command)
            command = fence.text if fence.language == "bash" else command
            opened, number = None, number + 1
            yield fence


def _fence(page: Path, number: int, lines: list[str], opened: int, closed: int, command: str) -> Fence:
    language, mark = FENCE.fullmatch(lines[opened]), MARK.fullmatch(lines[opened - 1])
    return Fence(
        page=page,
        number=number,
        line=opened + 1,
        language=language[1] if language else "",
        text="".join(f"{line}\n" for line in lines[opened + 1 : closed]),
        mark=mark[1] if mark else "",
        about=mark[2] if mark else "",
        exit_code=int(mark[3] or 0) if mark else 0,
        command=command,
    )


def marked(mark: str) -> list[Fence]:
    """The blocks of all pages with this mark."""
    return [fence for page in pages() for fence in fences(page) if fence.mark == mark]


def write(fence: Fence, text: str) -> None:
    """Puts another text into a block."""
    now = next(one for one in fences(fence.page) if one.number == fence.number)
    lines = read(now.page).splitlines(keepends=True)
    lines[now.line : now.line + now.text.count("\n")] = text.splitlines(keepends=True)
    now.page.write_text("".join(lines), encoding="utf-8")


def prose(page: Path) -> list[str]:
    """The lines of a page that are neither in a block, nor in a table, nor a comment."""
    kept, in_block = [], False
    for line in read(page).splitlines():
        if line.startswith("```"):
            in_block = not in_block
        elif not in_block and not line.startswith(("|", "<!--")):
            kept.append(line)
    return kept


def table_rows(page: Path, *, section: str = "") -> list[list[str]]:
    """The cells of all tables below a heading, or of a whole page, without the rows at their heads."""
    text = read(page)
    if section:
        _, _, rest = text.partition(f"## {section}\n")
        assert rest, f"{page.name} has no section {section!r}"
        text = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    lines = text.splitlines()
    heads = {at - 1 for at, line in enumerate(lines) if line.startswith("| ---")}
    rows = [line for at, line in enumerate(lines) if line.startswith("| ") and at not in heads and at - 1 not in heads]
    return [[cell.strip() for cell in row.strip()[1:-1].split("|")] for row in rows]


def links(page: Path) -> list[str]:
    """The targets of a page's links that lie in this project, with their anchors."""
    found = LINK.findall("\n".join(prose(page)) + "\n" + page_tables(page))
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def page_tables(page: Path) -> str:
    return "\n".join(line for line in read(page).splitlines() if line.startswith("|"))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may say after the #."""
    without_blocks = "\n".join(prose(page))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in HEADING.findall(without_blocks)}


def crowded_lines(page: Path) -> list[str]:
    """The lines of prose that hold more than one sentence."""
    return [line for line in prose(page) if NEXT_SENTENCE.search(CODE.sub("`x`", line))]
