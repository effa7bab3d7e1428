import json

import pytest
from jsonschema import Draft202012Validator

from tests.docs.generated import GENERATED
from tests.docs.pages import DOCS, IS_WRITING, read
from tests.docs.site import Site
from tests.docs.worlds import in_world

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_is_what_the_code_says(name: str) -> None:
    text = GENERATED[name]()
    if IS_WRITING:
        (DOCS / name).write_text(text, encoding="utf-8")

    assert read(DOCS / name) == text


def test_schema_takes_a_real_line_and_refuses_a_wrong_one(site: Site) -> None:
    validator = Draft202012Validator(json.loads(read(DOCS / "reference/json-log.schema.json")))

    site.run("python manage.py cleanup_orphaned_media --force --json > run.jsonl")
    lines = [json.loads(line) for line in (site.folder / "run.jsonl").read_text().splitlines()]

    assert [validator.is_valid(line) for line in lines] == [True] * len(lines)
    assert not validator.is_valid(lines[0] | {"surprise": 1})
    assert not validator.is_valid(lines[0] | {"event": "run.invented"})


def test_schema_of_events_takes_what_is_exported_and_refuses_a_wrong_one(site: Site) -> None:
    validator = Draft202012Validator(json.loads(read(DOCS / "reference/events.schema.json")))

    with in_world("bad-morning", site):
        site.run("python manage.py audit_log export > log.jsonl")
    lines = [json.loads(line) for line in (site.folder / "log.jsonl").read_text().splitlines()]
    exported = [line["event"] for line in lines if "event" in line]

    assert {validator.is_valid(event) for event in exported} == {True}
    assert not validator.is_valid(exported[0] | {"type": "file.invented"})
    assert not validator.is_valid(exported[0] | {"data": {"surprise": 1}})
