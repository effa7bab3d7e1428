import os
import tomllib
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

from auditor.version import VERSION

pytestmark = pytest.mark.sqlite

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
INFO = f"django_media_auditor-{VERSION}.dist-info"


def files_below(package: str) -> set[str]:
    paths = (path for path in (CHECKOUT / package).rglob("*") if path.is_file())
    return {os.fspath(path.relative_to(CHECKOUT)) for path in paths if path.suffix != ".pyc"}


def test_wheel_holds_the_two_packages_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())

    metadata = {f"{INFO}/{name}" for name in ["METADATA", "WHEEL", "RECORD", "licenses/LICENSE"]}
    assert names == files_below("auditor") | files_below("watcher") | metadata


def test_wheel_holds_what_no_import_would_miss(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {"auditor/py.typed", "watcher/py.typed", "auditor/migrations/0001_initial.py"} <= names


def test_wheel_asks_for_what_the_project_says(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        metadata = message_from_bytes(archive.read(f"{INFO}/METADATA"))

    assert metadata["Name"] == PROJECT["name"]
    assert metadata["Version"] == VERSION
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert metadata["License-Expression"] == "MIT"
    extras = PROJECT["optional-dependencies"].items()
    optional = [f"{line}; extra == '{extra}'" for extra, lines in extras for line in lines]
    assert sorted(metadata.get_all("Requires-Dist", [])) == sorted(PROJECT["dependencies"] + optional)
    assert metadata.get_all("Provides-Extra") == list(PROJECT["optional-dependencies"])
    assert metadata.get_payload() == (CHECKOUT / "README.md").read_text()
