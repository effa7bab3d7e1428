"""The image, as it is built from the checkout."""

import json

import pytest

from tests.deploy.engine import Engine

pytestmark = [pytest.mark.deploy, pytest.mark.sqlite]
READ_ONLY = ("run", "--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none")
BUILDERS = ("cc", "gcc", "g++", "make", "git", "uv", "curl")


def test_image_runs_as_a_user_of_its_own_and_declares_a_health_check(engine: Engine, image: str) -> None:
    [found] = json.loads(engine.docker("inspect", image))

    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert engine.docker(*READ_ONLY, image, "id", "-un").strip() == "app"


def test_image_has_neither_a_compiler_nor_an_installer_of_packages(engine: Engine, image: str) -> None:
    look = f"for name in {' '.join(BUILDERS)}; do command -v $name; done; find /app -name 'pip*' -prune"

    assert engine.docker(*READ_ONLY, image, "sh", "-c", look) == ""


def test_image_holds_the_program_and_nothing_else_of_the_checkout(engine: Engine, image: str) -> None:
    shown = engine.docker(*READ_ONLY, image, "sh", "-c", "ls -A /app /app/deploy")

    assert shown.split() == [
        *("/app:", ".venv", "auditor", "deploy", "manage.py", "media", "requirements.txt"),
        *("state", "var", "watcher", "/app/deploy:", "gallery"),
    ]


@pytest.mark.parametrize("command", ["watch_media", "cleanup_orphaned_media", "audit_log", "restore_orphaned_media"])
def test_commands_start_on_a_read_only_root(engine: Engine, image: str, command: str) -> None:
    shown = engine.docker(*READ_ONLY, image, "python", "manage.py", command, "--help")

    assert shown.startswith(f"usage: manage.py {command}")


def test_nothing_in_the_image_belongs_to_its_user_but_the_two_folders(engine: Engine, image: str) -> None:
    look = "find / -xdev -user app -not -path '/proc/*' 2>/dev/null | sort"

    assert engine.docker(*READ_ONLY, image, "sh", "-c", look).split() == ["/app/media", "/app/state"]
