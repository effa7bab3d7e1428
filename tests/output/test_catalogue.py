"""The catalogue: each kind of line has a schema that fits it and nothing else."""

import re
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auditor import catalogue
from auditor.catalogue import LogLine, OrphanFound, RunCompleted
from tests.conftest import VALIDATORS, line_faults
from tests.output.lines import KINDS, lines, written

pytestmark = pytest.mark.sqlite
ENVELOPE = {
    "timestamp": "2026-03-01T10:02:11.000500Z",
    "level": "info",
    "schema": "media-auditor/1",
    "run_id": "00000000-0000-4000-8000-000000000001",
}
ORPHAN = ENVELOPE | {
    "event": "orphan.found",
    "model": "gallery.Photo",
    "key": "1",
    "field": "image",
    "path": "photos/a.jpg",
    "group": "",
    "named": True,
}


def faults(kind: type[LogLine], values: dict[str, Any]) -> list[str]:
    return [error.message for error in VALIDATORS[kind.event].iter_errors(values)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_schema_is_valid_and_says_what_it_is_for(kind: type[LogLine]) -> None:
    schema = catalogue.json_schema(kind)

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:media-auditor:log:{kind.event}:1"
    assert schema["description"].endswith(".")
    assert re.fullmatch("[a-z]+[.][a-z_]+", kind.event)
    assert getattr(sys.modules[kind.__module__], kind.__name__) is kind


@settings(max_examples=20)  # of each kind
@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_any_line_of_a_kind_fits_its_schema(kind: type[LogLine], data: st.DataObject) -> None:
    assert line_faults(written(data.draw(lines(kind)))) == []


def test_example_fits() -> None:
    assert faults(OrphanFound, ORPHAN) == []


@pytest.mark.parametrize("name", sorted(ORPHAN))
def test_line_that_lacks_a_field_does_not_fit(name: str) -> None:
    without = {other: ORPHAN[other] for other in ORPHAN if other != name}

    assert faults(OrphanFound, without) == [f"'{name}' is a required property"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unheard_of", 1),
        ("event", "record.deleted"),
        ("level", "debug"),
        ("schema", "media-auditor/2"),
        ("run_id", "not a uuid"),
        ("named", 1),
        ("path", None),
        ("cut", False),
    ],
)
def test_line_with_a_wrong_value_does_not_fit(name: str, value: object) -> None:
    assert len(faults(OrphanFound, ORPHAN | {name: value})) == 1


@pytest.mark.parametrize(("number", "is_fitting"), [(-1, False), (0, True), (2**53 - 1, True), (2**53, False)])
def test_numbers_stay_exact_in_every_reader(number: int, is_fitting: bool) -> None:
    counts: dict[str, dict[str, int]] = {name: {} for name in ("checked", "orphans", "deleted", "kept")}
    totals = ("orphans_total", "deleted_total", "kept_total", "unknown_total", "derived_missing_total")
    values = {"event": "run.completed", "command": "c", "dry_run": True, "exit_code": 0, "duration_ms": number}

    found = faults(RunCompleted, ENVELOPE | values | counts | dict.fromkeys(totals, 0))

    assert (found == []) is is_fitting


def test_a_line_takes_all_of_its_fields_and_no_others() -> None:
    with pytest.raises(TypeError, match="LogLost lacks, or does not know: error"):
        catalogue.LogLost()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="LogLost lacks, or does not know: errno"):
        catalogue.LogLost(error="No space left on device", errno=28)  # type: ignore[call-arg]
