"""The metrics, as a scrape of the real server gets them."""

import math
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed

from auditor.auditlog.coverage import GapReason
from auditor.version import VERSION
from tests.docs.pages import DOCS, table_rows
from tests.watcher.scraping import all_samples, root_first, samples, scraped
from tests.watcher.statuses import UNTIL, make_root, make_status
from watcher import metrics
from watcher.metrics import PREFIX, Metrics
from watcher.status import RootStatus, State

pytestmark = [pytest.mark.sqlite, pytest.mark.live]

PAGE = DOCS / "reference/metrics.md"
ALERTS = [DOCS / name for name in ("how-to/watch-the-watcher.md", "technical/STORAGE_MANAGEMENT.md")]


@pytest.fixture
def served() -> Iterator[Metrics]:
    """The metrics at a free port of this machine."""
    served = metrics.serve("127.0.0.1:0")
    yield served
    served.close()


@pytest.mark.parametrize(
    ("name", "root", "expected"),
    [
        ("events_seen_total", make_root(seen=12), 12),
        ("events_committed_total", make_root(committed=11), 11),
        ("spool_events", make_root(spooled=7), 7),
        ("queue_notices", make_root(waiting=5), 5),
        ("queue_high_water_notices", make_root(high_water=99), 99),
        ("watched_directories", make_root(directories=20_000), 20_000),
        ("watermark_timestamp_seconds", make_root(), UNTIL.timestamp()),
    ],
)
def test_a_number_of_the_status_is_told(served: Metrics, name: str, root: RootStatus, expected: float) -> None:
    served.update(make_status(root))

    assert samples(served, name) == {("/srv/media",): expected}


def test_the_state_is_one_of_all(served: Metrics) -> None:
    served.update(make_status(make_root("/srv/a"), make_root("/srv/b", State.CATCHING_UP)))

    found = samples(served, "state")

    expected = {("/srv/a", str(state)): float(state is State.COVERED) for state in State}
    assert found == expected | {("/srv/b", str(state)): float(state is State.CATCHING_UP) for state in State}


def test_gaps_are_told_by_reason_and_start_at_zero(served: Metrics) -> None:
    served.update(make_status(make_root(gaps={"overflow": 2, "a_later_reason": 1})))

    found = samples(served, "gaps_total")

    zeros = {("/srv/media", str(reason)): 0.0 for reason in GapReason}
    assert found == zeros | {("/srv/media", "overflow"): 2.0, ("/srv/media", "a_later_reason"): 1.0}


def test_the_age_of_the_watermark_is_that_of_the_scrape(served: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    served.update(make_status())
    monkeypatch.setattr("watcher.metrics.time.time", lambda: UNTIL.timestamp() + 40)

    assert samples(served, "watermark_age_seconds") == {("/srv/media",): 40.0}


def test_a_root_without_a_watermark_is_endlessly_behind_and_a_standby_is_not(served: Metrics) -> None:
    served.update(make_status(make_root("/srv/a", State.BLIND), make_root("/srv/b", State.STANDBY)))

    assert samples(served, "watermark_age_seconds") == {("/srv/a",): math.inf}
    assert samples(served, "watermark_timestamp_seconds") == {}


def test_a_watcher_that_says_nothing_more_is_blind(served: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    served.update(make_status())
    later = time.monotonic() + 31
    monkeypatch.setattr("watcher.metrics.time.monotonic", lambda: later)

    found = samples(served, "state")

    assert found == {("/srv/media", str(state)): float(state is State.BLIND) for state in State}
    assert samples(served, "status_age_seconds")[()] == pytest.approx(31, abs=1)


def test_before_the_first_status_only_the_version_is_told(served: Metrics) -> None:
    found = [one for one in all_samples(scraped(served)) if one.name.startswith(PREFIX)]

    assert [(one.name, one.labels, one.value) for one in found] == [(f"{PREFIX}build_info", {"version": VERSION}, 1.0)]


def test_the_newest_status_is_told(served: Metrics) -> None:
    for seen in (1, 2, 3):
        served.update(make_status(make_root(seen=seen)))

    assert samples(served, "events_seen_total") == {("/srv/media",): 3.0}


@pytest.mark.parametrize("path", ['/srv/"a"\\b', "/srv/\udcff", "/srv/\n# HELP x y\nx 1", "/srv/ä"])
def test_any_path_is_one_label(served: Metrics, path: str) -> None:
    served.update(make_status(make_root(path, seen=1)))

    [(labels, value)] = samples(served, "events_seen_total").items()

    assert value == 1.0
    assert labels[0].replace("\\xff", "\udcff").replace("\\n", "\n") == path


def test_openmetrics_is_spoken_where_it_is_asked_for(served: Metrics) -> None:
    served.update(make_status(make_root(seen=4)))

    text = scraped(served, "application/openmetrics-text; version=1.0.0")

    found = {sample.name: sample.value for family in parsed_openmetrics(text) for sample in family.samples}
    assert found[f"{PREFIX}events_seen_total"] == 4.0


def test_a_scrape_may_ask_for_one_name(served: Metrics) -> None:
    served.update(make_status(make_root(seen=4)))

    url = f"http://{served.address}/metrics?name[]={PREFIX}events_seen_total"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = all_samples(answer.read().decode())

    assert [(one.name, one.value) for one in found] == [(f"{PREFIX}events_seen_total", 4.0)]


def test_the_process_tells_of_itself(served: Metrics) -> None:
    names = {one.name for one in all_samples(scraped(served))}

    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"} <= names


def test_table_on_the_page_is_what_the_endpoint_tells(served: Metrics) -> None:
    served.update(make_status())
    found = {}
    for family in parsed(scraped(served)):
        for sample in family.samples:
            labels = ", ".join(f"`{name}`" for name in root_first(sample.labels))
            if sample.name.startswith(PREFIX):
                found[sample.name] = [f"`{sample.name}`", family.type, labels, family.documentation]

    rows = table_rows(PAGE)

    assert rows == list(found.values())


def test_alerts_on_the_pages_are_on_metrics_that_exist(served: Metrics) -> None:
    served.update(make_status())
    names = {one.name for one in all_samples(scraped(served))}

    named = {name for page in ALERTS for name in re.findall(rf"{PREFIX}\w+", page.read_text(encoding="utf-8"))}

    assert named - names == set()
