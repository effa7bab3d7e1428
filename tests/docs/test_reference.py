"""The reference pages that people write: their tables hold what the code holds, and nothing else."""

import re

import pytest
from django.apps import apps
from django.core.checks.registry import registry as django_checks
from django.core.management import find_commands, load_command_class
from django.db.models import Model

from auditor import checks, conf
from auditor.errors import ExitCode
from auditor.integrity.findings import Kind
from auditor.models import Event
from tests.docs.pages import DOCS, read, table_rows
from tests.running import PROJECT

pytestmark = pytest.mark.sqlite

KINDS = {"append-only", "projection", "bookkeeping"}
EXIT_CODES = DOCS / "reference/exit-codes.md"
OF_EVERY_COMMAND = {"130", "141"}


def code(value: object) -> str:
    return f"`{value}`"


def commands() -> list[str]:
    """The commands that the reference lists."""
    return [row[0].strip("`") for row in table_rows(DOCS / "reference/commands.md")]


def exit_codes(name: str) -> list[list[str]]:
    """The rows of a command's section."""
    return table_rows(EXIT_CODES, section=name)


def test_settings_page_has_every_setting() -> None:
    rows = table_rows(DOCS / "reference/settings.md")

    expected = [
        [
            code(one.name),
            one.words,
            "empty" if one.default == "" else code(one.default),
            "" if one.at_least is None else code(one.at_least),
        ]
        for one in conf.ALL
    ]
    assert [row[:4] for row in rows] == expected


def test_exit_code_page_has_every_code() -> None:
    rows = [row for row in table_rows(EXIT_CODES) if len(row) == 3]

    assert [row[:2] for row in rows] == [[str(int(one)), code(one.name)] for one in ExitCode]


def test_every_exit_code_is_one_that_a_command_returns() -> None:
    sources = [path for app in ("auditor", "watcher") for path in (PROJECT / app).rglob("*.py")]
    used = {name for path in sources for name in re.findall(r"ExitCode\.([A-Z_]+)", path.read_text(encoding="utf-8"))}

    told = {row[0] for name in commands() for row in exit_codes(name)} | OF_EVERY_COMMAND

    assert used == {one.name for one in ExitCode}
    assert told == {str(int(one)) for one in ExitCode}


def test_command_page_of_the_reference_has_every_command_with_its_help() -> None:
    expected = [
        [code(name), str(load_command_class(app, name).help)]
        for app in ("auditor", "watcher")
        for name in find_commands(str(PROJECT / app / "management"))
    ]

    rows = table_rows(DOCS / "reference/commands.md")

    assert [row[:2] for row in rows] == sorted(expected)


def test_exit_code_page_has_a_section_for_every_command() -> None:
    sections = re.findall(r"^## (.*)$", read(EXIT_CODES), re.MULTILINE)

    assert sections == commands()


@pytest.mark.parametrize("name", ["cleanup_orphaned_media", "check_media_integrity", "audit_log"])
def test_page_of_a_command_has_every_code_that_it_returns(name: str) -> None:
    returned = {row[0] for row in exit_codes(name)} | OF_EVERY_COMMAND

    assert {row[0] for row in table_rows(DOCS / f"commands/{name}.md", section="Exit codes")} == returned


def test_integrity_page_has_every_kind_of_finding() -> None:
    rows = table_rows(DOCS / "commands/check_media_integrity.md", section="What it finds")

    assert rows == [[code(kind.word), kind.severity.value, kind.one] for kind in Kind]


def test_system_check_page_has_every_id() -> None:
    registered = [check for check in django_checks.get_checks() if check.__module__ == checks.__name__]
    told = [re.fullmatch(r"(auditor\.[EW]\d+): (.*)\.", str(check.__doc__).replace("`", "")) for check in registered]

    rows = [[row[0], row[2].replace("`", "")] for row in table_rows(DOCS / "reference/system-checks.md")]

    expected = sorted([code(one[1]), one[2]] for one in told if one)
    assert rows == expected
    assert len(expected) == len(registered)


def stored_models() -> list[type[Model]]:
    """The models that have a table of their own."""
    return [model for model in apps.get_app_config("auditor").get_models() if not model._meta.proxy]


def test_table_page_has_every_table_with_its_kind() -> None:
    models = stored_models()
    page = DOCS / "reference/tables.md"
    rows = [row for row in table_rows(page) if len(row) == 4]

    assert {(row[0], row[1]) for row in rows} == {(code(one._meta.db_table), code(one.__name__)) for one in models}
    assert {row[2] for row in rows} == KINDS


def test_table_page_has_every_column() -> None:
    models = stored_models()

    rows = table_rows(DOCS / "reference/tables.md", section="Columns")

    expected = {
        code(one._meta.db_table): ", ".join(code(field.column) for field in one._meta.concrete_fields)
        for one in models
    }
    assert dict(rows) == expected


def test_maintenance_page_names_tables_that_exist_and_every_index_of_the_events() -> None:
    page = DOCS / "admin-guides/DATABASE_MAINTENANCE.md"
    models = apps.get_app_config("auditor").get_models()

    tables = {row[0].strip("`") for row in table_rows(page, section="How large they are")}
    indexes = [row[0] for row in table_rows(page, section="Indexes")]

    assert tables <= {one._meta.db_table for one in models}
    assert indexes == [code(index.name) for index in Event._meta.indexes]


def test_glossary_is_in_the_order_of_its_words() -> None:
    words = [row[0].lower() for row in table_rows(DOCS / "glossary.md")]

    assert words == sorted(words)
