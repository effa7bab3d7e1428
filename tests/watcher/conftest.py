"""Watchers as programs of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from tests.faults.programs import Watcher
from tests.running import environment

Launch: TypeAlias = Callable[..., Watcher]
ALONE = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings"}  # with the one media folder of the gallery


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder to listen to."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def launch(media: Path, tmp_path: Path) -> Iterator[Launch]:
    """Starts watchers, and kills what is left of them."""
    with ExitStack() as ending:

        def launch_one(*arguments: str) -> Watcher:
            watcher = Watcher(tmp_path / f"{uuid4()}.jsonl", environment(**ALONE), arguments=arguments)
            ending.callback(watcher.kill)
            return watcher

        yield launch_one


@pytest.fixture
def start_watcher(launch: Launch) -> Launch:
    """Starts watchers, and waits until each has its first checkpoint."""

    def start(*arguments: str) -> Watcher:
        watcher = launch(*arguments)
        watcher.wait_for("checkpoint.completed", seconds=60)
        return watcher

    return start
