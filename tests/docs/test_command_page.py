"""The pages that tell of options: each one exists, none is left out, and the words are those of `--help`."""

import re
from argparse import Action, _SubParsersAction
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from auditor.management.questions import QUESTIONS
from auditor.orphans import disk
from auditor.orphans.route import Route, RouteKind, RouteReason, words
from tests.docs.pages import COMMAND_PAGE, DOCS, fences, pages, prose, read, table_rows
from tests.docs.test_outputs import normal

pytestmark = pytest.mark.sqlite

QUESTIONS_PAGE = DOCS / "commands/audit_log.md"
WATCHER_PAGE = DOCS / "how-to/run-the-watcher.md"
COMMANDS = {
    "check_media_integrity": ("auditor", DOCS / "commands/check_media_integrity.md"),
    "cleanup_orphaned_media": ("auditor", COMMAND_PAGE),
    "cleanup_unused_files": ("auditor", DOCS / "commands/cleanup_unused_files.md"),
    "register_media_root": ("auditor", DOCS / "how-to/register-a-media-root.md"),
    "restore_orphaned_media": ("auditor", DOCS / "how-to/undo-a-clean-up.md"),
    "watch_media": ("watcher", WATCHER_PAGE),
}
CALL = re.compile(r"(?:manage\.py|-m) (\w+)([^`|>\n]*)")
FLAG = re.compile(r"--[a-z][a-z-]*")
CODE = re.compile(r"`([^`]+)`")


def actions(name: str) -> list[Action]:
    """The options of a command, Django's own among them."""
    parser = load_command_class(COMMANDS[name][0], name).create_parser("manage.py", name)
    return [action for action in parser._actions if action.option_strings]


def is_own(action: Action) -> bool:
    django = BaseCommand().create_parser("manage.py", "any")
    return action.dest not in {other.dest for other in django._actions}


def shown(action: Action) -> list[str]:
    """An option as the page's table shows it: (flags, help)."""
    value = "{" + ",".join(action.choices) + "}" if action.choices else action.metavar
    value = f"[{value}]" if action.nargs == "?" else value
    flags = [f"`{flag} {value}`" if value else f"`{flag}`" for flag in action.option_strings]
    return [", ".join(flags), str(action.help).replace("%%", "%")]


@pytest.mark.parametrize("name", COMMANDS)
def test_option_table_is_what_help_says(name: str) -> None:
    expected = [shown(action) for action in actions(name) if is_own(action)]

    assert table_rows(COMMANDS[name][1], section="Options") == expected


def test_option_page_names_every_option_of_django() -> None:
    long = [action.option_strings[-1] for action in actions("cleanup_orphaned_media") if not is_own(action)]

    assert [flag for flag in long if f"`{flag}`" not in read(COMMAND_PAGE)] == []


def questions() -> dict[str, list[Action]]:
    """The options of each question to the audit log."""
    parser = load_command_class("auditor", "audit_log").create_parser("manage.py", "audit_log")
    [asked] = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    return {name: one._actions for name, one in asked.choices.items()}


def test_page_of_questions_has_every_question_with_its_help() -> None:
    rows = table_rows(QUESTIONS_PAGE, section="Overview")

    assert rows == [[f"`{name}`", words] for name, (words, _) in QUESTIONS.items()]


def test_page_of_questions_has_every_option() -> None:
    common = {action.dest for action in questions()["spans"]} - {"root", "limit"}
    rows = table_rows(QUESTIONS_PAGE, section="Options")
    expected = [
        [f"`{name}`", *shown(action)]
        for name, actions in questions().items()
        for action in actions
        if action.option_strings and action.dest not in common
    ]
    everywhere = [
        ["all but `export`" if action.dest == "json" else "all", *shown(action)]
        for action in questions()["spans"]
        if action.dest in common - {"help"}
    ]

    assert rows == expected + everywhere


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_every_shown_call_of_a_command_has_real_options(page: Path) -> None:
    text = "\n".join([*(fence.text for fence in fences(page)), *CODE.findall("\n".join(prose(page)))])
    calls = [(name, FLAG.findall(rest)) for name, rest in CALL.findall(text) if name in COMMANDS]
    known = {name: {flag for action in actions(name) for flag in action.option_strings} for name in COMMANDS}

    assert [(name, flag) for name, flags in calls for flag in flags if flag not in known[name]] == []


def test_every_option_that_the_page_names_exists() -> None:
    flags = {flag for action in actions("cleanup_orphaned_media") for flag in action.option_strings}

    named = set(FLAG.findall(" ".join(CODE.findall(read(COMMAND_PAGE)))))

    assert named - flags == {"--photos", "--videos", "--replace"}  # of fill_gallery and register_media_root


def a_route(reason: RouteReason, *, blind: bool = False, closed: str = "") -> Route:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Route(
        kind=RouteKind.SCAN,
        reason=reason,
        now=moment,
        age_seconds=95,
        allowed_seconds=30,
        blind_since=moment - timedelta(minutes=5) if blind else None,
        blind_until=moment if blind else None,
        closed_reason=closed,
    )


def test_page_explains_every_reason_for_a_scan() -> None:
    routes = [
        a_route(reason, blind=blind, closed="stopped")
        for reason in RouteReason
        if reason is not RouteReason.COVERED
        for blind in ((False, True) if reason is RouteReason.NO_CHECKPOINT else (True,))
    ]

    rows = table_rows(COMMAND_PAGE, section="Where the answer comes from")

    expected = [[f"`{route.reason}`", normal(words(route))] for route in routes]
    assert [[reason, normal(said)] for reason, said, _ in rows] == expected


def test_page_quotes_the_reasons_for_an_unknown_name() -> None:
    reasons = [disk.LEAVES_ROOT.reason, disk.LEADS_OUT.reason, disk.NOT_A_NAME.reason]

    assert [reason for reason in reasons if f'"{reason}"' not in read(COMMAND_PAGE)] == []
