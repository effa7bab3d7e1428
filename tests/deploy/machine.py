"""A machine with systemd, in a container: the units of deploy/, rsyslog and PostgreSQL run on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.deploy.engine import Engine
from tests.deploy.images import build
from tests.running import PROJECT
from tests.watcher.waiting import wait_until

NAME = "machine"
SETTLED = ("running", "degraded")
WATCHER = "media-auditor-watcher.service"
LINES = "/var/log/media-auditor.jsonl"
PREPARE = f"""
echo 'DATABASE_URL=postgres://%2Fvar%2Frun%2Fpostgresql/gallery' >/etc/media-auditor.env
runuser -u postgres -- createuser site
runuser -u postgres -- createdb --owner=site gallery
cp /etc/media-auditor-logs/rsyslog.conf /etc/rsyslog.d/10-media-auditor.conf
systemctl daemon-reload
systemctl restart rsyslog
touch {LINES}
"""
OPTIONS = (
    *("--network=none", "--tmpfs=/run", "--tmpfs=/tmp", "--volume=/sys/fs/cgroup:/sys/fs/cgroup"),
    # Not --privileged: that asks for every capability, and a virtual machine may lack one.
    *("--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"),
)
MANAGE = (
    'cd /srv/site && set -a && . /etc/media-auditor.env && exec runuser -u site -- .venv/bin/python manage.py "$@"'
)


class Machine:
    """What a person does on the machine, as root."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    @contextmanager
    def booted(cls, engine: Engine) -> Iterator["Machine"]:
        """The machine, with a filled gallery whose media folder is registered."""
        build(engine, "machine", PROJECT / "deploy", tag=NAME)
        engine.docker("run", "--detach", f"--name={NAME}", *OPTIONS, NAME)
        machine = cls(engine)
        try:
            wait_until(lambda: machine.sh("systemctl is-system-running", check=False).strip() in SETTLED, seconds=60)
            machine.sh(PREPARE)
            machine.manage("migrate", "--verbosity=0")
            machine.manage("fill_gallery", "--photos=12", "--videos=4")
            machine.manage("register_media_root")
            yield machine
        finally:
            engine.docker("rm", "--force", NAME, check=False)

    def sh(self, script: str, *arguments: str, check: bool = True) -> str:
        """What a shell script writes."""
        return self.engine.docker("exec", NAME, "sh", "-ec", script, "sh", *arguments, check=check)

    def manage(self, *arguments: str, check: bool = True) -> str:
        """What manage.py writes, run as the user of the site."""
        return self.sh(MANAGE, *arguments, check=check)

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.sh(f"systemctl show --value --property={name} {unit}").strip()
