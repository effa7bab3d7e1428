"""Builds the pages with Sphinx; they stay plain Markdown, so the navigation is read from the index."""

import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

DOCS = Path(__file__).parent
VERSION = DOCS.parent / "auditor" / "version.py"
SECTION = re.compile(r"^## (.+?)(?:: .*)?$", re.MULTILINE)
ENTRY = re.compile(r"^- \[.*?\]\((.+?)\.md\)", re.MULTILINE)

project = "django-media-auditor"
copyright = "its contributors, under the MIT licence"  # noqa: A001 - Sphinx asks for this name
[release] = re.findall(r'^VERSION = "(.+)"$', VERSION.read_text(encoding="utf-8"), re.MULTILINE)

extensions = ["myst_parser"]
root_doc = "README"
exclude_patterns = ["conf.py"]
nitpicky = True
myst_heading_anchors = 4
highlight_language = "text"

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False
html_additional_pages = {"index": "index.html"}
templates_path = ["_templates"]

linkcheck_anchors = True


def setup(app: Sphinx) -> None:
    for language in ("cron", "logrotate"):
        app.add_lexer(language, TextLexer)
    app.connect("source-read", add_navigation)


def add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Gives the index a hidden table of contents for each of its sections."""
    if page == root_doc:
        _, *parts = SECTION.split(source[0])
        source[0] += "".join(contents(*part) for part in zip(parts[::2], parts[1::2], strict=True))


def contents(caption: str, section: str) -> str:
    pages = ENTRY.findall(section)
    return "\n".join(["\n```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```\n"]) if pages else ""
