"""The library that comes with the package: unchanged, with its licence, and where it is from."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite

UPLOT = Path(__file__).parents[2] / "auditor/static/auditor/uplot"


def test_the_chart_library_is_the_one_that_its_origin_names() -> None:
    origin = (UPLOT / "ORIGIN").read_text()
    sums = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", origin, re.MULTILINE))

    files = {path.name for path in UPLOT.iterdir()}
    assert files == {*sums.values(), "LICENSE", "ORIGIN"}
    assert {sha256((UPLOT / name).read_bytes()).hexdigest(): name for name in sums.values()} == sums
    assert (UPLOT / "uPlot.iife.min.js").read_text().startswith("/*! https://github.com/leeoniya/uPlot (v1.6.32)")
    assert "MIT" in (UPLOT / "LICENSE").read_text()
