import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.sqlite

CHECKOUT = Path(__file__).parents[2]


def asked_for(group: str) -> list[Requirement]:
    """What pyproject.toml wants for the project itself and one of its dependency groups."""
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    pending, wanted = [{"include-group": group}], list(config["project"]["dependencies"])
    while pending:
        entries = config["dependency-groups"][pending.pop()["include-group"]]
        wanted += [entry for entry in entries if isinstance(entry, str)]
        pending += [entry for entry in entries if not isinstance(entry, str)]
    return [Requirement(line) for line in wanted]


def locked_for(python: str, lock: str) -> dict[str, str]:
    """What a lock file installs on Linux: {name: version}."""
    pins = re.findall(r"^[a-z].*?(?= \\$)", (CHECKOUT / lock).read_text(), re.MULTILINE)
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    requirements = [Requirement(pin) for pin in pins]
    return {
        canonicalize_name(one.name): next(iter(one.specifier)).version
        for one in requirements
        if one.marker is None or one.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("group", "lock"), [("site", "requirements.txt"), ("dev", "requirements-dev.txt")])
def test_lock_has_what_the_project_asks_for(python: str, group: str, lock: str) -> None:
    locked = locked_for(python, lock)
    wanted = {canonicalize_name(one.name): one.specifier for one in asked_for(group)}

    assert [name for name in wanted if not wanted[name].contains(locked.get(name, "0"))] == []


@pytest.mark.parametrize(("python", "django"), [("3.11", "5.2"), ("3.12", "6.1"), ("3.13", "6.1")])
def test_each_python_gets_the_newest_django_for_it(python: str, django: str) -> None:
    assert locked_for(python, "requirements.txt")["django"].rpartition(".")[0] == django


def test_tools_have_what_every_extra_installs() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    tools = {str(one) for one in asked_for("dev")}

    assert {str(Requirement(line)) for lines in extras.values() for line in lines} <= tools


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_tools_are_installed_beside_the_very_same_site(python: str) -> None:
    site, tools = locked_for(python, "requirements.txt"), locked_for(python, "requirements-dev.txt")

    assert {name: tools[name] for name in site} == site
