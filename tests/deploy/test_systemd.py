"""The units under a real systemd, with PostgreSQL and rsyslog beside them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.machine import WATCHER, Machine
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.deploy, pytest.mark.sqlite]
UNITS = [WATCHER, "media-auditor-cleanup.service", "media-auditor-cleanup.timer"]
EXPOSURE = 3.0
IMPATIENCE = f"""
mkdir -p /run/systemd/system/{WATCHER}.d
printf '[Service]\\nWatchdogSec=3\\nTimeoutAbortSec=1\\n' >/run/systemd/system/{WATCHER}.d/impatience.conf
systemctl daemon-reload
"""


@pytest.fixture
def watching(machine: Machine) -> Iterator[Machine]:
    """The machine, with a watcher that covers the media."""
    machine.sh(f"systemctl start {WATCHER}")
    wait_until(lambda: machine.show(WATCHER, "StatusText").startswith("covered up to "), seconds=30)
    yield machine
    machine.sh(f"systemctl stop {WATCHER}")


@pytest.fixture
def impatient(machine: Machine) -> Iterator[Machine]:
    """The machine, with a watcher for which systemd does not wait as long as the unit says."""
    machine.sh(IMPATIENCE)
    machine.sh(f"systemctl start {WATCHER}")
    yield machine
    machine.sh(f"systemctl stop {WATCHER}; rm -r /run/systemd/system/{WATCHER}.d; systemctl daemon-reload")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say_of_the_unit(machine: Machine, unit: str) -> None:
    assert machine.sh(f"systemd-analyze verify --man=no {unit} 2>&1") == ""


@pytest.mark.parametrize("unit", UNITS[:2])
def test_exposure_is_low(machine: Machine, unit: str) -> None:
    shown = machine.sh(f"systemd-analyze security --no-pager {unit}")

    found = re.search(rf"Overall exposure level for {unit}: ([0-9.]+)", shown)
    assert found
    assert float(found[1]) < EXPOSURE


def test_limits_of_the_kernel_are_such_as_it_knows(machine: Machine) -> None:
    text = machine.sh("cat /etc/sysctl.d/60-media-auditor.conf")

    names = re.findall(r"^(fs\.inotify\.\w+) = \d+$", text, re.MULTILINE)
    assert len(names) == 3
    assert all(Path("/proc/sys", *name.split(".")).exists() for name in names)


def test_start_returns_when_the_watcher_is_ready(watching: Machine) -> None:
    shown = [watching.show(WATCHER, name) for name in ("ActiveState", "SubState", "NRestarts")]

    assert shown == ["active", "running", "0"]
    assert watching.show(WATCHER, "StatusText").endswith(": /app/media")


def test_watcher_that_hangs_is_killed_and_started_again(impatient: Machine) -> None:
    before = impatient.show(WATCHER, "MainPID")

    impatient.sh(f"kill -STOP {before}")

    wait_until(lambda: impatient.show(WATCHER, "NRestarts") == "1", seconds=40)
    wait_until(lambda: covers(impatient), seconds=30)
    assert impatient.show(WATCHER, "MainPID") != before
    assert "Watchdog timeout" in impatient.sh(f"journalctl --unit={WATCHER} --output=cat")


def test_reload_begins_anew_and_stays_the_same_service(watching: Machine) -> None:
    before, began = watching.show(WATCHER, "MainPID"), starts(watching)

    watching.sh(f"systemctl reload {WATCHER}")

    wait_until(lambda: starts(watching) > began and covers(watching), seconds=30)
    assert watching.show(WATCHER, "MainPID") == before


def test_clean_up_runs_and_a_refusal_leaves_it_failed(watching: Machine) -> None:
    watching.sh("systemctl start media-auditor-cleanup.service")
    watching.sh("rm /app/media/.media-root")
    refused = watching.sh("systemctl start media-auditor-cleanup.service", check=False)
    watching.manage("register_media_root")

    assert "failed" in refused
    assert watching.show("media-auditor-cleanup.service", "ExecMainStatus") == "5"


def test_timer_waits_for_the_night(machine: Machine) -> None:
    machine.sh("systemctl start media-auditor-cleanup.timer")

    assert "media-auditor-cleanup.service" in machine.sh(
        "systemctl list-timers --no-pager media-auditor-cleanup.timer"
    )


def starts(machine: Machine) -> int:
    return machine.sh(f"journalctl --unit={WATCHER} --output=cat").count('"event": "watcher.started"')


def covers(machine: Machine) -> bool:
    return machine.show(WATCHER, "StatusText").startswith("covered")
