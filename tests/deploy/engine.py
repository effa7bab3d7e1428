"""A Docker daemon of its own for the tests, in a network of its own: nothing else on the machine is touched."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import PROJECT
from tests.watcher.waiting import wait_until

ROOT = PROJECT / ".deploy" / "root.tar"
STAND_IN = Path(__file__).parent / "stand_in"
PROJECT_NAME = "deployed"
START = 'ip link set lo up && exec dockerd "$@"'


class Engine:
    """The daemon, and the programs that talk to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "DOCKER_CONFIG": str(folder),
            "COMPOSE_PROJECT_NAME": PROJECT_NAME,
            "SECRET_KEY": "of-the-tests",
            "POSTGRES_PASSWORD": "of-the-tests",
        }

    def run(self, *command: str, stdin: str | None = None, check: bool = True) -> str:
        """What a program writes, stdout and stderr together; fails if it does, with that for a reason."""
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert not (check and done.returncode), f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def docker(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """What `docker` writes."""
        return self.run("docker", *arguments, stdin=stdin, check=check)

    def compose(self, *arguments: str, check: bool = True) -> str:
        """What `docker-compose` writes."""
        return self.run("docker-compose", *arguments, check=check)

    def answers(self) -> bool:
        return not subprocess.run(
            ["docker", "version"], env=self.environment, capture_output=True, check=False
        ).returncode


@contextmanager
def started() -> Iterator[Engine]:
    """A daemon, with the images that stand in for those of a registry; it leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="deploy-", dir="/tmp"))  # a socket's path must be short
    # In memory: a disk takes longer to remove the images than the tests take.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder)], check=True)
    engine = Engine(folder)
    options = [
        f"--host=unix://{folder}/docker.sock",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/run",
        f"--pidfile={folder}/docker.pid",
        "--log-level=error",
    ]
    with open(folder / "dockerd.log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", START, "sh", *options], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: engine.answers() or daemon.poll() is not None, seconds=60)
        assert daemon.poll() is None, (folder / "dockerd.log").read_text(encoding="utf-8")
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(60)
        subprocess.run(["umount", "--recursive", "--lazy", str(folder)], check=True)
        folder.rmdir()
