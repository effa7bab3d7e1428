"""A pytest plugin that turns a run in CI red for each skip or expected failure that nobody allowed."""

import os
from pathlib import Path

import pytest

ALLOWED = Path(__file__).with_name("allowed_skips.txt")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI"):
        config.pluginmanager.register(SkipGuard(read_allowed(ALLOWED)), "skip-guard")


def read_allowed(path: Path) -> tuple[str, ...]:
    """The beginnings of test ids that the file lists; ValueError where a line gives no reason."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if len(line.split(maxsplit=1)) == 1:
            raise ValueError(f"{path.name}: {line!r} has no reason.")
    return tuple(line.split()[0] for line in lines)


class SkipGuard:
    """Collects the skips that nobody allowed, and fails the run for them."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        self.unlisted: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted:
            terminalreporter.section("skipped in CI and not listed in tests/allowed_skips.txt", red=True)
        for line in self.unlisted:
            terminalreporter.write_line(line)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not report.nodeid.startswith(self.allowed):
            self.unlisted.append(f"{report.nodeid}: {_reason(report)}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    expected_failure: str | None = getattr(report, "wasxfail", None)
    if expected_failure is not None:
        return f"expected to fail: {expected_failure}"
    # A skip's long form is where, on which line, and "Skipped: why".
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
