"""The site of compose.yaml: what a person does with it, and what they see."""

import json
import subprocess
from pathlib import Path

from tests.deploy.engine import PROJECT_NAME, Engine
from tests.running import PROJECT
from tests.watcher.waiting import wait_until

READY_SECONDS = 90.0
SHOW = r"""
import sys
from urllib.request import urlopen
answer = urlopen("http://127.0.0.1:8000" + sys.argv[1])
print(answer.status, answer.read().decode(errors="replace"), sep="\n")
"""


class ComposedSite:
    """The services, by way of docker-compose."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._containers: dict[str, str] = {}

    def fill(self) -> None:
        """Waits for the site, fills the gallery, and waits until the watcher covers it."""
        wait_until(lambda: "200\n" in self.show("/admin/login/", check=False), seconds=READY_SECONDS)
        self.manage("fill_gallery", "--photos=12", "--videos=4")
        self.manage("register_media_root")
        wait_until(self.is_covered, seconds=READY_SECONDS)

    def is_covered(self) -> bool:
        return "covered" in self.inside("watcher", "python", "manage.py", "watch_media", "--health", check=False)

    def manage(self, *arguments: str, check: bool = True) -> str:
        """Runs manage.py in the web container, without a terminal."""
        return self.inside("web", "python", "manage.py", *arguments, check=check)

    def get(self, path: str) -> tuple[int, str]:
        """The status and the text of a page, asked for inside the web container."""
        status, _, text = self.show(path).partition("\n")
        return int(status), text

    def show(self, path: str, *, check: bool = True) -> str:
        return self.inside("web", "python", "-c", SHOW, path, check=check)

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """What a program writes in the container of a service, without a terminal."""
        return self.engine.docker("exec", self.container(service), *command, check=check)

    def remove_photo(self) -> str:
        """Removes one of the photos, on the host; its name."""
        photo = max((self.media / "photos").iterdir())
        photo.unlink()
        return f"photos/{photo.name}"

    def type_line(self, line: str, *, typed: str = "", seconds: float = 60.0) -> str:
        """What a terminal shows when somebody types this line in the folder of the checkout."""
        done = subprocess.run(
            ["timeout", str(seconds), "script", "--quiet", "--return", "--command", line, "/dev/null"],
            cwd=PROJECT,
            env=self.engine.environment,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout.replace("\r\n", "\n")

    def log(self, service: str) -> list[dict[str, object]]:
        """The JSON lines in the log of a service."""
        lines = self.engine.docker("logs", self.container(service)).splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"timestamp"')]

    def container(self, service: str) -> str:
        """Its id, which Compose tells whatever its version; the containers stay the same."""
        if service not in self._containers:
            self._containers[service] = self.engine.compose("ps", "--quiet", service).strip().splitlines()[-1]
        return self._containers[service]

    def inspect(self, service: str) -> dict[str, object]:
        [found] = json.loads(self.engine.docker("inspect", self.container(service)))
        return dict(found)

    def wait_for(self, service: str, health: str) -> None:
        """Waits until Docker itself calls the service so."""
        asked = ["inspect", "--format={{.State.Health.Status}}", self.container(service)]
        wait_until(lambda: self.engine.docker(*asked).strip() == health, seconds=READY_SECONDS)

    @property
    def media(self) -> Path:
        """The media folder, on the side of the host."""
        return Path(
            self.engine.docker("volume", "inspect", "--format={{.Mountpoint}}", f"{PROJECT_NAME}_media").strip()
        )
