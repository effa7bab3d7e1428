"""The configurations of log shippers: what arrives is what was written, and the names are those that exist."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from auditor.catalogue import LINES
from auditor.jsonlog import ENVELOPE_ORDER, LINE_LIMIT
from tests.deploy.machine import LINES as RECEIVED
from tests.deploy.machine import WATCHER, Machine
from tests.docs.pages import DOCS, table_rows
from tests.running import PROJECT
from tests.watcher.waiting import wait_until

pytestmark = pytest.mark.sqlite
FOLDER = PROJECT / "deploy/logs"
RECORDS = 12_000  # journald would drop what is above 10,000 lines in half a minute
WRITTEN = "/var/lib/media-auditor/written.jsonl"
BY_SYSLOG_NG = "/var/log/by-syslog-ng.jsonl"
START_SYSLOG_NG = f"""
(echo '@version: 3.38'; sed 's|{RECEIVED}|{BY_SYSLOG_NG}|' /etc/media-auditor-logs/syslog-ng.conf) >/run/syslog-ng.conf
systemd-run --quiet --collect --unit=syslog-ng-test syslog-ng --foreground --no-caps --cfgfile=/run/syslog-ng.conf \\
  --persist-file=/run/syslog-ng.persist --pidfile=/run/syslog-ng.pid --control=/run/syslog-ng.ctl
"""
LOSE = f"""
from deploy.gallery.models import Album, Photo
album = Album.objects.first()
names = ["photos/lost é 北 \\\\ \\" ' %s \\x7f.jpg" % number for number in range({RECORDS})]
Photo.objects.bulk_create([Photo(album=album, image=name) for name in names], batch_size=2000)
"""
FORGET = "from deploy.gallery.models import Photo; Photo.objects.filter(image__startswith='photos/lost').delete()"
TEE = f"""
mkdir -p /run/systemd/system/{WATCHER}.d
printf '[Service]\\nEnvironment=AUDITOR_JSON_INTO={WRITTEN}\\n' >/run/systemd/system/{WATCHER}.d/written.conf
systemctl daemon-reload
"""


@pytest.fixture
def losing(machine: Machine) -> Iterator[Machine]:
    """The machine, with syslog-ng, many records without a file, and a watcher that writes its lines twice."""
    machine.sh(START_SYSLOG_NG + TEE)
    machine.manage("shell", "--command", LOSE)
    machine.sh(f"systemctl start {WATCHER}")
    yield machine
    machine.manage("shell", "--command", FORGET)
    machine.sh(
        f"systemctl stop {WATCHER} syslog-ng-test; rm -r /run/systemd/system/{WATCHER}.d; systemctl daemon-reload"
    )


@pytest.mark.deploy
def test_every_line_of_a_large_run_arrives_as_it_was_written(losing: Machine) -> None:
    wait_until(lambda: orphaned(losing) == RECORDS, seconds=60)
    losing.sh(f"systemctl stop {WATCHER}; systemd-cat --identifier=media-auditor printf '%s\\n' \"$1\"", longest())

    written = Counter([*lines(losing, WRITTEN), without_time(longest())])
    for path in (RECEIVED, BY_SYSLOG_NG):
        wait_until(lambda path=path: longest() in losing.sh(f"tail -n 1 {path}"), seconds=30)  # type: ignore[misc]
        received = Counter(lines(losing, path))
        assert {line: received[line] for line in written} == written


def lines(machine: Machine, path: str) -> list[str]:
    return [without_time(line) for line in machine.sh(f"cat {path}").splitlines()]


def without_time(line: str) -> str:
    """Each stream of a log has times of its own."""
    return line.partition(", ")[2]


def orphaned(machine: Machine) -> int:
    return int(machine.sh(f"grep --count record.orphaned {WRITTEN} || true", check=False).split()[-1])


def longest() -> str:
    """A line as long as one may be."""
    start = '{"timestamp": "2026-11-28T10:00:00Z", "level": "info", "event": "run.started", "path": "'
    return start + "\\u00e9\\\\" * ((LINE_LIMIT - len(start) - 2) // 8) + '"}'


@pytest.mark.parametrize("name", ["vector.yaml", "fluent-bit.yaml"])
def test_configuration_is_such_as_yaml_knows(name: str) -> None:
    assert isinstance(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")), dict)


def test_page_has_every_configuration() -> None:
    rows = table_rows(DOCS / "how-to/log-pipelines.md", section="Configurations")

    assert sorted(row[0].strip("`") for row in rows) == sorted(path.name for path in FOLDER.iterdir())


def test_names_of_other_schemas_are_for_fields_that_exist() -> None:
    rows = table_rows(DOCS / "how-to/log-pipelines.md", section="Names in other schemas")

    known = {name for kind in LINES.values() for name in kind.__annotations__} | set(ENVELOPE_ORDER)
    assert {row[0].strip("`") for row in rows[:-1]} <= known
    assert json.loads(longest())
