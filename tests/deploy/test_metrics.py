"""Alert rules, dashboard and mtail's program: all are about metrics that exist, and do what they say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.catalogue import LINES
from tests.deploy.engine import Engine
from tests.running import PROJECT
from tests.watcher.statuses import make_root, make_status
from watcher.metrics import PREFIX, families

pytestmark = pytest.mark.sqlite
FOLDER = PROJECT / "deploy/metrics"
METRIC = re.compile(rf"\b{PREFIX}\w+")
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
PROGRAM = (FOLDER / "media_auditor.mtail").read_text(encoding="utf-8")
SEEN = """
{"timestamp": "2026-11-28T10:00:00Z", "level": "info", "event": "run.started", "schema": "media-auditor/1", "run_id": "1", "command": "cleanup_orphaned_media"}
{"timestamp": "2026-11-28T10:00:00Z", "level": "warning", "event": "record.orphaned", "schema": "media-auditor/1", "run_id": "2", "path": "\\"command\\": \\"x"}
{"timestamp": "2026-11-28T10:00:01Z", "level": "info", "event": "run.completed", "schema": "media-auditor/1", "run_id": "1", "command": "cleanup_orphaned_media", "dry_run": true, "exit_code": 4, "duration_ms": 20, "orphans_total": 571, "deleted_total": 0, "unknown_total": 3}
{"timestamp": "2026-11-28T10:00:02Z", "level": "error", "event": "run.failed", "schema": "media-auditor/1", "run_id": "3", "command": "restore_orphaned_media", "message": "\\"exit_code\\": 9", "hint": "", "exit_code": 7}
"""  # noqa: E501 - lines of the JSON log


def expressions() -> Iterator[str]:
    """Every expression of the dashboard."""
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def known() -> set[str]:
    """The metrics of the watcher, and those that mtail makes."""
    told = families(make_status(make_root()), age_seconds=0.0, stale_after=15.0)
    ours = {f"{PREFIX}{one.name}{'_total' * one.is_counter}" for one in told}
    return ours | set(re.findall(r"^(?:gauge|counter) (\w+)", PROGRAM, re.MULTILINE))


def test_alerts_and_panels_are_about_metrics_that_exist() -> None:
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]

    assert set(METRIC.findall(" ".join([*rules, *expressions()]))) <= known()


def test_dashboard_shows_every_metric_of_the_watcher_but_the_time_of_the_watermark() -> None:
    shown = set(METRIC.findall(" ".join(expressions())))

    assert known() - shown == {
        "media_auditor_watermark_timestamp_seconds",
        "media_auditor_log_ended_timestamp_seconds",
    }


def test_mtail_looks_for_lines_that_exist() -> None:
    [pattern] = re.findall(r'/"event": "(\(\?:run.*?)"/', PROGRAM)

    assert {event for event in LINES if re.fullmatch(pattern, event)} == {
        *("run.completed", "run.failed", "files.completed", "restore.completed", "check.completed"),
    }
    assert "record.orphaned" in LINES


@pytest.mark.deploy
@pytest.mark.parametrize("arguments", [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]])
def test_promtool_finds_nothing_wrong(engine: Engine, arguments: list[str]) -> None:
    shown = inside(engine, FOLDER, "promtool", *arguments)

    assert "SUCCESS" in shown


@pytest.mark.deploy
def test_expressions_of_the_dashboard_are_such_as_prometheus_takes(engine: Engine, tmp_path: Path) -> None:
    filled = [expr.replace("$__rate_interval", "1m").replace("$root", ".*") for expr in expressions()]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(filled)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    assert f"{len(rules)} rules found" in inside(engine, tmp_path, "promtool", "check", "rules", "rules.yaml")


@pytest.mark.deploy
def test_mtail_makes_the_metrics_of_a_log(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(SEEN.lstrip())
    (tmp_path / "media_auditor.mtail").write_text(PROGRAM)

    told = mtail(engine, tmp_path)

    assert told == {
        ("media_auditor_log_exit_code", "cleanup_orphaned_media"): 4,
        ("media_auditor_log_exit_code", "restore_orphaned_media"): 7,
        ("media_auditor_log_orphans", "cleanup_orphaned_media"): 571,
        ("media_auditor_log_unknown", "cleanup_orphaned_media"): 3,
        ("media_auditor_log_records_orphaned_total", ""): 1,
    }


def mtail(engine: Engine, folder: Path) -> dict[tuple[str, str], float]:
    """{(metric, command): value}, without times, of one look at the log in the folder."""
    options = ["--one_shot", "--one_shot_format=json", "--logtostderr", "--stderrthreshold=ERROR"]
    shown = inside(engine, folder, "mtail", *options, "--progs=.", "--logs=log.jsonl")
    made: dict[str, list[dict[str, Any]]]
    # What it says on stderr may come before or after.
    made, _ = json.JSONDecoder().raw_decode(shown[shown.index("{\n") :])
    return {
        (one["Name"], " ".join(value.get("Labels", []))): value["Value"]["Value"]
        for [one] in made.values()
        for value in one["LabelValues"] or ()
        if "timestamp" not in one["Name"]
    }


def inside(engine: Engine, folder: Path, *command: str) -> str:
    """What a program writes that runs in the folder, in the Debian that has it."""
    return engine.docker("run", "--rm", f"--volume={folder}:/work", "--workdir=/work", "debian-root", *command)
