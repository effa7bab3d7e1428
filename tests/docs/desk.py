"""The reader of the tutorial: an editor and two terminals in one folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import Fence
from tests.docs.site import PROMPT
from tests.makers import real
from tests.running import PROJECT

WORLD = "tutorial"
SHOWN_FOLDER = "/home/you/desk"
ALREADY_THERE = ("mkdir ", "python3 -m venv", "python -m pip")  # the environment of the tests has all of it
PATIENCE_SECONDS = 120


class Desk:
    """A reader who has `folder` and no settings of anybody else's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watcher: subprocess.Popen[bytes] | None = None
        self._env = {
            "HOME": os.fspath(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.fspath(PROJECT),
        }

    def edit(self, fence: Fence) -> None:
        """Writes a file, or its end, as the page says."""
        with (self._folder / fence.about).open("w" if fence.mark == "file" else "a", encoding="utf-8") as file:
            file.write(fence.text)

    def start(self, fence: Fence) -> None:
        """Runs a line in the second terminal, which stays busy with it."""
        self._watcher = subprocess.Popen(
            ["bash", "-c", f"exec {fence.text}"], cwd=self._folder, env=self._env, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """Presses Ctrl-C in the second terminal, if it is busy."""
        if self._watcher:
            self._watcher.send_signal(signal.SIGINT)
            self._watcher.wait(PATIENCE_SECONDS)
            self._watcher = None

    def run(self, fence: Fence, *, answer: str) -> str:
        """Runs the lines of a block in the first terminal, and gives back what is on its screen."""
        lines = [line for line in fence.text.splitlines() if not line.startswith(ALREADY_THERE)]
        done = subprocess.run(
            ["bash", "-ec", "\n".join(lines)],
            cwd=self._folder,
            env=self._env,
            input=answer,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.replace(PROMPT, PROMPT + answer.strip()).replace(real(self._folder), SHOWN_FOLDER)
