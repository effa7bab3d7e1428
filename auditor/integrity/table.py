"""Findings as CSV, safe to be opened in a spreadsheet."""

import csv
from collections.abc import Iterable, Mapping
from typing import Protocol

from auditor.integrity.findings import Reported
from auditor.wording import safe

COLUMNS = ("severity", "kind", "root", "path", "model", "key", "field", "detail", "state", "found_at")
FORMULA = tuple("=+-@＝＋－＠")  # what makes a spreadsheet run a cell; tabs and the like are written out already


class Sheet(Protocol):
    """Where the lines go."""

    def write(self, text: str, /) -> object: ...


def write(reported: Iterable[Reported], not_looked_at: Mapping[str, str], sheet: Sheet) -> None:
    """Writes a line of column names, one for each finding, and one for all that was not looked at, {what: why}."""
    lines = csv.writer(sheet, lineterminator="\n")
    lines.writerow(COLUMNS)
    for one in reported:
        finding = one.finding
        row = (
            finding.kind.severity.value,
            finding.kind.word,
            finding.root,
            finding.path,
            finding.model,
            finding.key,
            finding.field,
            finding.detail,
            one.state,
            one.found_at.isoformat() if one.found_at else "",
        )
        lines.writerow([_cell(text) for text in row])
    for what, why in not_looked_at.items():
        told = {"kind": "not_looked_at", "path": _cell(what), "detail": _cell(why)}
        lines.writerow([told.get(column, "") for column in COLUMNS])


def _cell(text: str) -> str:
    shown = safe(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
