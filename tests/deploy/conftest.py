"""What the tests of deploy/ share: a Docker daemon, the image, and what runs in it, each made once."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.deploy import engine as engines
from tests.deploy.engine import ROOT, Engine
from tests.deploy.images import make_stand_ins
from tests.deploy.machine import Machine
from tests.deploy.site import ComposedSite


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A daemon with the images that stand in for those of a registry."""
    if os.getuid() or not ROOT.exists() or not shutil.which("dockerd"):
        pytest.skip("needs root, and what `make test-deploy` brings")
    with engines.started() as started:
        make_stand_ins(started)
        yield started


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image, built by Compose as the page says."""
    engine.compose("build", "web")
    return "media-auditor"


@pytest.fixture(scope="session")
def site(engine: Engine, image: str) -> Iterator[ComposedSite]:
    """All of compose.yaml, up and filled; the watcher covers the media."""
    engine.compose("up", "--detach")
    site = ComposedSite(engine)
    try:
        site.fill()
        yield site
    finally:
        engine.compose("--profile", "cleanup", "down", "--volumes", "--timeout", "3", check=False)


@pytest.fixture(scope="session")
def machine(engine: Engine, image: str) -> Iterator[Machine]:
    """A booted machine with systemd, the units, a site and its database."""
    with Machine.booted(engine) as machine:
        yield machine
