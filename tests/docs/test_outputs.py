"""Every shown output is printed anew by the command above it, in the state of the site that its mark names."""

import re

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.docs.bare_site import WORLD as BARE
from tests.docs.desk import WORLD as TUTORIAL
from tests.docs.pages import IS_WRITING, Fence, fences, marked, pages, write
from tests.docs.site import PROMPT, SHOWN_MEDIA, Site
from tests.docs.worlds import WORLDS, in_world
from tests.makers import real

VARYING = [
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "HH:MM"),
    (re.compile(r"\b\d+ s ago"), "N s ago"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
]
LEFT_OUT = "[…]\n"
ELSEWHERE = {BARE, TUTORIAL}  # sites of their own, which other tests run
OUTPUTS = [fence for fence in marked("output") if fence.about not in ELSEWHERE]
INPUT_LANGUAGES = {"bash", "python", "cron", "ini", "logrotate", "sql", "yaml"}


def normal(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def is_shown(text: str, shown: str) -> bool:
    """Whether a text is as shown, where a line […] stands for any lines."""
    parts = [re.escape(part) for part in normal(shown).split(LEFT_OUT)]
    return re.fullmatch("(?:.*\n)?".join(parts), normal(text), re.DOTALL) is not None


def typed(fence: Fence) -> str:
    """What a person answers in a shown dialogue."""
    _, _, answer = fence.text.partition(PROMPT)
    return answer.splitlines(keepends=True)[0] if answer else ""


@pytest.mark.live
@pytest.mark.sqlite
@pytest.mark.parametrize("fence", OUTPUTS, ids=str)
def test_shown_output_is_what_the_command_prints(fence: Fence, site: Site) -> None:
    with in_world(fence.about, site):
        code, text = site.run(fence.command, typed=typed(fence))
    if IS_WRITING and not is_shown(text, fence.text):
        write(fence, text)
        return

    assert code == fence.exit_code
    assert is_shown(text, fence.text), text


@pytest.mark.parametrize("fence", marked("page"), ids=str)
def test_shown_error_page_is_what_the_site_answers(fence: Fence, site: Site, settings: LazySettings) -> None:
    settings.DEBUG = True
    browser = Client(raise_request_exception=False, headers={"accept": "text/plain"})
    with in_world("files-removed", site):
        page = browser.get(fence.about).content.decode()

    assert page.replace(real(site.media), SHOWN_MEDIA).startswith(fence.text)


@pytest.mark.sqlite
def test_every_block_is_input_in_a_known_language_or_marked_output() -> None:
    unknown = [
        str(fence)
        for page in pages()
        for fence in fences(page)
        if fence.language not in INPUT_LANGUAGES and fence.mark not in ("output", "page")
    ]

    assert unknown == []


@pytest.mark.sqlite
def test_every_state_of_the_site_is_shown_somewhere() -> None:
    assert {fence.about for fence in OUTPUTS} == set(WORLDS)


@pytest.mark.sqlite
def test_every_docker_line_but_those_of_the_page_on_containers_has_its_twin_without_docker() -> None:
    prefix = "docker-compose exec web "
    blocks = [fence.text.splitlines() for page in pages() if page.stem != "containers" for fence in fences(page)]
    lonely = [
        line
        for lines in blocks
        for line in lines
        if line.startswith(f"{prefix}python") and line.removeprefix(prefix) not in lines
    ]

    assert lonely == []
