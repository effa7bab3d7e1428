"""A JSON log that keeps its lines for the test."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

from auditor.jsonlog import JsonLog

ENVELOPE = ("timestamp", "level", "schema", "run_id")


class CapturedLog(JsonLog):
    """The lines as a program that reads stderr gets them."""

    def __init__(self) -> None:
        super().__init__(uuid4())
        self.stream = StringIO()
        self.add_json(self.stream)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """The lines of these events, or all, without what every line carries."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [
            {name: value for name, value in line.items() if name not in ENVELOPE}
            for line in lines
            if not events or line["event"] in events
        ]
