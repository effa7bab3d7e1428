"""The Dockerfile and compose.yaml as they are written; what they do is in the other tests."""

import re
import subprocess
import sysconfig

import pytest
import yaml

from tests.running import PROJECT

pytestmark = pytest.mark.sqlite
DOCKERFILE = PROJECT / "deploy/Dockerfile"
SERVICES = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_hadolint_has_nothing_to_say() -> None:
    program = f"{sysconfig.get_path('scripts')}/hadolint"

    done = subprocess.run([program, str(DOCKERFILE)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_images_of_others_have_a_tag_that_says_which() -> None:
    base = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)

    assert [*base, SERVICES["db"]["image"]] == ["python:3.13-slim-trixie", "postgres:17-trixie"]


def test_one_image_runs_every_service_but_the_database() -> None:
    assert {one["image"] for name, one in SERVICES.items() if name != "db"} == {"media-auditor"}


@pytest.mark.parametrize("given", ["", "photos.example.org"])
def test_health_check_of_the_image_is_an_allowed_host(given: str) -> None:
    hosts = SERVICES["web"]["environment"]["ALLOWED_HOSTS"]

    allowed = re.sub(r"\$\{ALLOWED_HOSTS:-([^}]*)\}", lambda default: given or default[1], hosts)
    assert "127.0.0.1" in allowed.split(",")
