"""How long this machine has been up, by the kernel's files and without them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor import machine
from tests.running import PROJECT

UPTIME = f"{sys.executable} -c 'from auditor.machine import uptime; print(*uptime())'"


def asked(*before: str) -> tuple[str, int]:
    """What another process is told, behind some commands of the shell."""
    script = " && ".join([*before, UPTIME])
    ran = subprocess.run(["sh", "-ec", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    boot, milliseconds = ran.stdout.split()
    return boot, int(milliseconds)


def test_every_process_on_a_machine_counts_from_the_same_start() -> None:
    before, other, after = machine.uptime(), asked(), machine.uptime()

    assert {before[0], after[0]} == {other[0]}
    assert before[1] <= other[1] <= after[1]


def test_it_is_the_time_that_the_kernel_counts() -> None:
    _, milliseconds = machine.uptime()

    assert abs(milliseconds / 1_000 - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5


def test_nobody_is_told_the_number_of_the_start() -> None:
    with open(machine.BOOT_ID, encoding="ascii") as stream:
        assert machine.uptime()[0] != stream.read().strip()


@pytest.mark.parametrize("missing", ["BOOT_ID", "UPTIME"])
def test_without_these_files_each_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(machine, missing, "/nonexistent/file")

    first, second = machine.uptime(), machine.uptime()

    assert first[0] == second[0]
    assert first[0] != asked()[0]
    assert first[1] <= second[1]


@pytest.mark.parametrize(("file", "content"), [("BOOT_ID", "no number"), ("UPTIME", ""), ("UPTIME", "much")])
def test_file_that_says_nothing_is_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, content: str
) -> None:
    (tmp_path / "file").write_text(content, encoding="ascii")
    monkeypatch.setattr(machine, file, str(tmp_path / "file"))

    assert machine.uptime()[0] == machine._OWN_BOOT


def test_uptime_of_a_container_has_a_start_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As lxcfs makes it: a file of another file system, in the place of the kernel's."""
    (tmp_path / "uptime").write_text("12.34 0.00", encoding="ascii")
    ours, _ = machine.uptime()
    monkeypatch.setattr(machine, "UPTIME", str(tmp_path / "uptime"))

    boot, milliseconds = machine.uptime()

    assert (boot in (ours, machine._OWN_BOOT), milliseconds) == (False, 12_340)


def test_kernel_without_namespaces_of_time_has_one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TIME_NAMESPACE", "/proc/self/ns/none")

    boot, _ = machine.uptime()

    assert boot not in (asked()[0], machine._OWN_BOOT)
