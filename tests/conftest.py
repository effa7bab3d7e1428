"""What every test may ask for, and what every test has to keep: each JSON line fits its schema."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from jsonschema import Draft202012Validator, FormatChecker

from auditor import (
    catalogue,
    catalogue_of_files,  # noqa: F401 - its lines are in the catalogue then
    jsonlog,
)
from auditor.answers import catalogue as of_answers  # noqa: F401 - its lines are in the catalogue then
from auditor.integrity import catalogue as of_integrity  # noqa: F401 - its lines are in the catalogue then
from auditor.testing import allow_flush
from tests import settings

# The rooms whose tests ask the database most, and in words of its own.
ASKING = ("tests/archive/", "tests/auditlog/", "tests/journal/", "tests/removal/")
VALIDATORS = {
    event: Draft202012Validator(catalogue.json_schema(kind), format_checker=FormatChecker())
    for event, kind in catalogue.LINES.items()
    if event
}


@pytest.fixture
def media(tmp_path: Path, settings: LazySettings) -> Path:
    """An empty media folder that the site uses."""
    folder = tmp_path / "media"
    folder.mkdir()
    settings.MEDIA_ROOT = str(folder)
    settings.AUDITOR_STATE_DIR = str(tmp_path / "state")
    return folder


@pytest.fixture(scope="session", autouse=True)
def tables_can_be_flushed() -> None:
    allow_flush()


@pytest.fixture(scope="session", autouse=True)
def no_lock_files_are_left() -> Iterator[None]:
    """Removes the lock files beside the test database, which a watcher never removes itself."""
    yield
    for file in Path(tempfile.gettempdir()).glob(f"auditor-tests-{os.getpid()}.sqlite3*.lock"):
        file.unlink()


@pytest.fixture(autouse=True)
def every_line_fits_its_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Validates every line of the JSON log that this process emits in any test."""
    faults: list[str] = []
    render = jsonlog.render_json

    def render_and_validate(logger: Any, method: str, event: Any) -> str:
        line = render(logger, method, event)
        faults.extend(line_faults(line))
        return line

    monkeypatch.setattr(jsonlog, "render_json", render_and_validate)
    yield
    assert faults == []


def line_faults(line: str) -> list[str]:
    """What is wrong with one line of the JSON log."""
    values = json.loads(line)
    faults = [error.message for error in VALIDATORS[values["event"]].iter_errors(values)]
    return faults + [f"too long: {len(line)}"] * (len(line.encode()) > jsonlog.LINE_LIMIT)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what needs the database that this run does not have, and marks what needs the one it has.

    What is marked `deploy` is left out as well, unless it is asked for.
    """
    ours, other = ("postgresql", "sqlite") if settings.ON_POSTGRESQL else ("sqlite", "postgresql")
    for item in items:
        if item.get_closest_marker(ours) or (item.nodeid.startswith(ASKING) and item.get_closest_marker("django_db")):
            item.add_marker("needed")
    left_out = [other] if "deploy" in config.option.markexpr else [other, "deploy"]
    elsewhere = [item for item in items if any(map(item.get_closest_marker, left_out))]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]
